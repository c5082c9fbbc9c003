"""What the past says of the future."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from statistics import median
from uuid import UUID

from django.db import connection
from django.utils import timezone

from ..models import Job

LATEST = 50
LATEST_RUNS = 10  # of a subject
LONGEST_REST = timedelta(days=7)

# Along the index of a subject's jobs.
LATEST_OF_SUBJECTS = """
SELECT s.id, j.status, j.finished_at FROM unnest(%s::uuid[]) AS s (id) CROSS JOIN LATERAL (
    SELECT status, finished_at, created_at FROM jobs_job
    WHERE subject_type = %s AND subject_id = s.id AND kind = %s ORDER BY created_at DESC LIMIT %s
) j ORDER BY s.id, j.created_at DESC
"""


def estimate_seconds(kind: str, size: int | None = None) -> float | None:
    """How long a job of this kind will probably run, from its latest completed runs; None without history.

    With a size (positions, rows: what the handler reports as `total`) the median time per unit of the runs that
    reported one is scaled to it; else, or where none did, the median of the whole runs. The wait in the queue is not
    part of it.
    """
    runs = Job.objects.filter(
        kind=kind, status=Job.Status.COMPLETED, started_at__isnull=False, finished_at__isnull=False
    )
    rows = runs.order_by("-finished_at").values_list("started_at", "finished_at", "total")[:LATEST]
    timed = [
        ((end - start).total_seconds(), total) for start, end, total in rows if start is not None and end is not None
    ]
    if not timed:
        return None
    if size:
        per_unit = [seconds / total for seconds, total in timed if total]
        if per_unit:
            return round(median(per_unit) * size, 1)
    return round(median(seconds for seconds, _ in timed), 1)


def rested(
    *, kind: str, subject_type: str, subject_ids: Collection[UUID], every: timedelta, most: timedelta = LONGEST_REST
) -> set[UUID]:
    """Of these subjects, those that a job of this kind may look at again, for callers who would like to and need not:
    none is active, and the last one ended `every` ago or longer; after failures in a row twice as long for each, `most`
    at the utmost. One query."""
    with connection.cursor() as cursor:
        cursor.execute(LATEST_OF_SUBJECTS, [list(subject_ids), subject_type, kind, LATEST_RUNS])
        rows = cursor.fetchall()
    by_subject: dict[UUID, list[tuple[str, datetime | None]]] = {}
    for subject_id, status, finished_at in rows:
        by_subject.setdefault(subject_id, []).append((status, finished_at))
    now = timezone.now()
    return {each for each in subject_ids if _rests(by_subject.get(each, []), every, most, now)}


def _rests(runs: Sequence[tuple[str, datetime | None]], every: timedelta, most: timedelta, now: datetime) -> bool:
    """`runs`: (status, end), the latest first."""
    if any(status in Job.ACTIVE for status, _ in runs):
        return False
    failures = len(list(takewhile(lambda run: run[0] == Job.Status.FAILED, runs)))
    ended = [end for _, end in runs if end is not None]
    return not ended or max(ended) <= now - min(every * 2**failures, most)
