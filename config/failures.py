"""What people are told when a page fails: that the database is away (503, soon over by itself), or that we made a
mistake (500). Neither asks the database, which may be what failed."""

from __future__ import annotations

import sys

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

DATABASE_AWAY = "The database can't be reached at the moment. Try again in a few seconds."
RETRY_AFTER_S = 5
log = structlog.get_logger(__name__)


def is_database_away(error: BaseException | None) -> bool:
    return isinstance(error, OperationalError | InterfaceError)


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`: called while the exception is being handled."""
    error = sys.exc_info()[1]
    if not is_database_away(error):
        return HttpResponse(render_to_string("500.html"), status=500)
    log.warning("database_away", error=type(error).__name__)
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
