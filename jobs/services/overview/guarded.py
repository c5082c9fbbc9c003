"""Reading a part of the overview: with a time limit, and without taking the others along when it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.db import Error as DatabaseError
from django.db import OperationalError, connection, transaction

from accounts.exceptions import Temporary

from ...connections import RedisError
from .shapes import Part

T = TypeVar("T")
log = structlog.get_logger(__name__)
STATEMENT_LIMIT_MS = 2000
Rows = list[tuple[Any, ...]]


def part(name: str, read: Callable[[], T]) -> Part[T]:
    """The part, or why it could not be read; the details go to the log, for they name hosts and users."""
    try:
        return Part(read())
    except OperationalError as error:
        log.warning("overview_part_failed", part=name, error=str(error))
        is_slow = "statement timeout" in str(error)
        reason = (
            f"The database took longer than {STATEMENT_LIMIT_MS // 1000} s." if is_slow else "The database is away."
        )
        return Part(None, reason)
    except DatabaseError as error:
        log.warning("overview_part_failed", part=name, error=str(error))
        return Part(None, "The database refused the question: see the log. Are all migrations applied?")
    except (RedisError, OSError, Temporary) as error:
        log.warning("overview_part_failed", part=name, error=str(error))
        return Part(None, "Redis can't be reached.")


def from_database(name: str, read: Callable[[], T]) -> Part[T]:
    """In a transaction of its own, which limits each statement in it: a slow one ends, and the page goes on."""

    def limited() -> T:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(STATEMENT_LIMIT_MS)])
            return read()

    return part(name, limited)


def rows_of(sql: str, params: dict[str, Any] | None = None) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: Rows = cursor.fetchall()
    return rows
