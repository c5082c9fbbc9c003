"""How the pages answer: who comes in, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from accounts.exceptions import Missing, PlumblineError
from accounts.models import User

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User


View = Callable[Concatenate[PageRequest, P], HttpResponseBase]


def page(view: View[P]) -> Callable[..., HttpResponseBase]:
    """For people who are signed in. What may not be seen is 404; what can't be done is a page that says why."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path() if request.method == "GET" else reverse("quiz:overview"))
        try:
            return view(request, *args, **kwargs)  # type: ignore[arg-type]
        except Missing as error:
            raise Http404(str(error)) from error
        except PlumblineError as error:
            return refusal(request, error)

    return answer


def refusal(request: HttpRequest, error: PlumblineError) -> HttpResponse:
    return render(request, "quiz/problem.html", {"message": str(error)}, status=error.status)
