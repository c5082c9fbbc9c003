"""Pages that cost much, counted for a person. Ten calls of a program in a quarter of an hour are many; who uploads the
bills of a tender by hand, looks at each first and has files made, makes more clicks than that: `by_hand`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from config.api.throttles import ATTRIBUTE, TooManyCalls, refusal
from config.throttling import Window, count, is_enabled, limits_of

from .pages import PageRequest

P = ParamSpec("P")
View = Callable[Concatenate[PageRequest, P], HttpResponseBase]


def costly(view: View[P]) -> View[P]:
    """Below `page`, which shows the refusal. Looking at the page is not counted, sending something is."""

    @wraps(view)
    def counted(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            count_call(request, user_id=request.user.pk, name="by_hand")
        return view(request, *args, **kwargs)

    return counted


def count_call(request: HttpRequest, *, user_id: UUID, name: str) -> None:
    """Count a call of this person in the windows of that name. Raises TooManyCalls; Redis away: it is not counted."""
    if not is_enabled():
        return
    verdict = count([Window(limit, str(user_id)) for limit in limits_of(name)])
    setattr(request, ATTRIBUTE, verdict)  # the answer's headers say how the windows stand
    if verdict is not None and not verdict.is_allowed:
        detail, extra = refusal(request)
        raise TooManyCalls(detail, extra=extra)
