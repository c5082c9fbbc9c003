"""Whom people act for on the tender pages, where they belong to several organisations: kept in their session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

SESSION_KEY = "tenders_organisation"


class ActingOrganisationMiddleware:
    """After the one that knows the user. Whether they still belong to it is asked where it is used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        match = request.resolver_match
        if match is None or match.app_name != "tenders":
            return
        chosen = request.session.get(SESSION_KEY)
        if chosen and request.user.is_authenticated:
            request.user.acting_for = UUID(chosen)
