"""Pages that cost much, counted as the same calls of the API are: in the windows of `expensive`, for a person."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponseBase

from accounts.pages import PageRequest
from config.api.throttles import ATTRIBUTE, TooManyCalls, refusal
from config.throttling import Window, count, is_enabled, limits_of

P = ParamSpec("P")
View = Callable[Concatenate[PageRequest, P], HttpResponseBase]


def costly(view: View[P]) -> View[P]:
    """Below `page`, which shows the refusal (TooManyCalls). Without Redis nothing is counted."""

    @wraps(view)
    def counted(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD") and is_enabled():
            verdict = count([Window(limit, str(request.user.pk)) for limit in limits_of("expensive")])
            setattr(request, ATTRIBUTE, verdict)  # the answer's headers say how the windows stand
            if verdict is not None and not verdict.is_allowed:
                detail, extra = refusal(request)
                raise TooManyCalls(detail, extra=extra)
        return view(request, *args, **kwargs)

    return counted
