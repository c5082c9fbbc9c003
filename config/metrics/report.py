"""What takes most time: routes from the ledger, statements from PostgreSQL's own statistics where there are any, else
from our slow-query log."""

from __future__ import annotations

import math
from typing import TypedDict

from django.conf import settings
from django.db import Error, connection, transaction

from .ledger import Sums, read

NOTE = (
    "Quantiles are upper bounds of buckets (at most so long). Sums are handed over every ten seconds: the latest, and "
    "those of killed processes, are missing."
)
STATEMENTS = """
SELECT query, calls, total_exec_time, mean_exec_time FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY total_exec_time DESC LIMIT %s
"""


class Slow(TypedDict):
    """One route or statement. A quantile is None where it is not known."""

    name: str
    calls: int
    total_s: float
    mean_ms: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class SlowReport(TypedDict):
    span: str
    routes: list[Slow]
    statements: list[Slow]
    statements_from: str
    note: str


def slow_report(*, days: int, limit: int) -> SlowReport:
    """The `limit` routes and statements that took most time altogether, the first first. Raises RedisError."""
    span = "today (UTC)" if days == 1 else f"the latest {days} days (UTC)"
    statements = _from_postgresql(limit)
    source = "all, since PostgreSQL's statistics were reset (pg_stat_statements)"
    if statements is None:
        statements = _ranked(read("query", days=days), limit)
        source = f"only those of {settings.SLOW_QUERY_MS:g} ms or more, {span} (pg_stat_statements is not installed)"
    return {
        "span": span,
        "routes": _ranked(read("route", days=days), limit),
        "statements": statements,
        "statements_from": source,
        "note": NOTE,
    }


def _ranked(sums: dict[str, Sums], limit: int) -> list[Slow]:
    by_time = sorted(sums.items(), key=lambda item: item[1].total_ms, reverse=True)
    return [
        {
            "name": name,
            "calls": each.count,
            "total_s": round(each.total_ms / 1000, 3),
            "mean_ms": round(each.total_ms / each.count, 1) if each.count else 0.0,
            "p50_ms": _finite(each.quantile_ms(0.5)),
            "p95_ms": _finite(each.quantile_ms(0.95)),
            "p99_ms": _finite(each.quantile_ms(0.99)),
        }
        for name, each in by_time[:limit]
    ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _from_postgresql(limit: int) -> list[Slow] | None:
    """None where the extension is not installed, not loaded, or not for us to read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'")
        if cursor.fetchone() is None:
            return None
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(STATEMENTS, [limit])
            rows = cursor.fetchall()
    except Error:
        return None  # it is created, but the server was started without its library
    return [
        {
            "name": " ".join(query.split()),
            "calls": calls,
            "total_s": round(total_ms / 1000, 3),
            "mean_ms": round(mean_ms, 1),
            "p50_ms": None,
            "p95_ms": None,
            "p99_ms": None,
        }
        for query, calls, total_ms, mean_ms in rows
    ]
