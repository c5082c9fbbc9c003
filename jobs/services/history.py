"""What the past says of the future."""

from __future__ import annotations

from statistics import median

from ..models import Job

LATEST = 50


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
