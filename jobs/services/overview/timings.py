"""How long jobs wait and run, by kind, over the last minutes: quantiles of the rows themselves, so exact, and the same
whichever process is asked, wherever the workers are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from ...models import BATCH_KIND
from ...registry import kinds
from .guarded import from_database, rows_of
from .kept import Kept
from .shapes import Part

WINDOW = timedelta(minutes=5)
QUANTILES = (0.5, 0.95, 0.99)

# Wait: from when it was due until its first attempt began; later attempts would count the backoff in.
COMPLETED = """
SELECT kind, count(*), sum(attempt - attempts_before - 1),
       percentile_cont(%(quantiles)s::float8[]) WITHIN GROUP (
           ORDER BY extract(epoch FROM finished_at - started_at)::float8),
       percentile_cont(%(quantiles)s::float8[]) WITHIN GROUP (
           ORDER BY extract(epoch FROM started_at - greatest(created_at, scheduled_for))::float8)
           FILTER (WHERE attempt = 1)
FROM jobs_job
WHERE status = 'completed' AND kind = ANY(%(kinds)s) AND finished_at >= %(since)s AND started_at IS NOT NULL
GROUP BY kind
"""
FAILED = """
SELECT kind, coalesce(error->>'code', ''), count(*), sum(greatest(0, attempt - attempts_before - 1))
FROM jobs_job WHERE status = 'failed' AND finished_at >= %(since)s AND kind <> %(batch)s GROUP BY 1, 2
"""


@dataclass(frozen=True)
class KindTimings:
    """Of completed runs. `duration_s` and `wait_s` by quantile; wait is empty where only retries completed."""

    kind: str
    completed: int
    retries: int
    duration_s: dict[float, float]
    wait_s: dict[float, float]


@dataclass(frozen=True)
class KindFailures:
    kind: str
    code: str
    count: int
    retries: int


@dataclass(frozen=True)
class Timings:
    completed: list[KindTimings]
    failed: list[KindFailures]


def _read() -> Timings:
    params = {
        "quantiles": list(QUANTILES),
        "kinds": [kind.name for kind in kinds()],
        "since": timezone.now() - WINDOW,
        "batch": BATCH_KIND,
    }
    completed = [
        KindTimings(kind, count, retries, _by_quantile(duration), _by_quantile(wait))
        for kind, count, retries, duration, wait in rows_of(COMPLETED, params)
    ]
    return Timings(completed, [KindFailures(*row) for row in rows_of(FAILED, params)])


def _by_quantile(values: list[float] | None) -> dict[float, float]:
    return dict(zip(QUANTILES, values or (), strict=False))


_timings = Kept(lambda: from_database("timings", _read), for_s=10)


def timings() -> Part[Timings]:
    """As they were at most ten seconds ago."""
    return _timings.get()


def forget() -> None:
    _timings.forget()
