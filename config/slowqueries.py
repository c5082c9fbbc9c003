"""The slow-query log: which statement took long, without the values that it was given."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from .metrics.ledger import ledger

log = structlog.get_logger(__name__)
LONGEST_STATEMENT = 2000


def watch(sender: Any, connection: BaseDatabaseWrapper, **more: Any) -> None:
    """Receives `connection_created`: wraps every statement of the new connection, if the threshold is not 0."""
    if settings.SLOW_QUERY_MS > 0 and timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(timed)


def timed(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Around each statement; costs two readings of the clock."""
    began = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        took_s = time.perf_counter() - began
        if took_s * 1000 >= settings.SLOW_QUERY_MS:
            tell(sql, took_s)


def tell(sql: Any, took_s: float) -> None:
    """A line in the log and an entry in the ledger (`manage.py slowest`). `sql` has placeholders, not values; what is
    composed by psycopg carries values and is not told."""
    statement = " ".join(sql.split())[:LONGEST_STATEMENT] if isinstance(sql, str) else f"({type(sql).__name__})"
    log.warning("slow_query", ms=round(took_s * 1000, 1), sql=statement)
    ledger.note("query", statement, took_s)
