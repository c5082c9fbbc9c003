"""The measured steps, each run in a process of its own: `python -m benchmarks.steps NAME …` prints one JSON object."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

COLUMNS_LEFT_OUT = ("id", "lineage", "removed_in", "enrichment")  # what the import leaves to the table's defaults too
BLOCK = 1 << 16


def peak_mb() -> float:
    """Of this process. On Linux not by getrusage, which begins with what the parent had when it started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        told = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(told.split()[1]) / (1 << 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def read(path: str) -> dict[str, Any]:
    """The reference of reading: every cell of every sheet with calamine, and nothing else."""
    from python_calamine import CalamineWorkbook

    began = time.perf_counter()
    workbook = CalamineWorkbook.from_path(path)
    rows = sum(1 for name in workbook.sheet_names for _ in workbook.get_sheet_by_name(name).iter_rows())
    return {"seconds": time.perf_counter() - began, "rows": rows}


def bring_in(path: str, project_id: str) -> dict[str, Any]:
    """The import as a worker runs it: upload, then the reading job."""
    from django.core.files.base import File

    from jobs.models import Job
    from jobs.runner import run_here
    from projects.models import Project
    from projects.services import rows
    from projects.services.documents import upload_document

    project = Project.objects.select_related("owner").get(pk=project_id)
    with Path(path).open("rb") as stream:
        upload = upload_document(
            project_id=project.pk, actor=project.owner, file=File(stream, name="b"), filename="b.xlsx"
        )
    assert upload.job is not None
    before = peak_mb()
    storing = adding_up(rows.PositionSpool, "copy")
    began, cpu = time.perf_counter(), time.process_time()
    run_here(job_id=upload.job.pk)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    job = Job.objects.get(pk=upload.job.pk)
    assert job.status == Job.Status.COMPLETED, job.error
    return {
        "seconds": seconds,
        "cpu_s": cpu_s,
        "storing_s": storing[0],
        "peak_mb": peak_mb(),
        "before_mb": before,
        "project": project_id,
    }


def adding_up(owner: Any, name: str) -> list[float]:
    """Adds up how long a method runs."""
    method, spent = getattr(owner, name), [0.0]

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            spent[0] += time.perf_counter() - began

    setattr(owner, name, timed)
    return spent


def copy(project_id: str) -> dict[str, Any]:
    """The reference of storing: the same rows and columns, encoded already, by psycopg's COPY.

    Into a table with the same indexes (`indexed_s`) and into one without any (`bare_s`).
    """
    from django.db import connection, transaction

    from projects.models import Position

    names = ", ".join(
        f.column for f in Position._meta.concrete_fields if f.column not in COLUMNS_LEFT_OUT and not f.generated
    )
    blocks: list[bytes] = []
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        query = (
            f"COPY (SELECT {names} FROM projects_position WHERE project_id = '{project_id}' ORDER BY ordinal) TO STDOUT"
        )
        with cursor.copy(query) as stored:
            blocks = _joined(bytes(row) for row in stored)
        for name, like in (
            ("indexed_s", "INCLUDING ALL"),
            ("bare_s", "INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING GENERATED"),
        ):
            cursor.execute("DROP TABLE IF EXISTS bench_position")
            cursor.execute(f"CREATE TABLE bench_position (LIKE projects_position {like})")
            with transaction.atomic():
                began = time.perf_counter()
                with cursor.copy(f"COPY bench_position ({names}) FROM STDIN") as stream:
                    for block in blocks:
                        stream.write(block)
                found[name] = time.perf_counter() - began
        cursor.execute("SELECT count(*) FROM bench_position")
        found["rows"] = cursor.fetchone()[0]
        found["seconds"] = found["indexed_s"]
        cursor.execute("DROP TABLE bench_position")
    return found


def _joined(rows: Any) -> list[bytes]:
    blocks, block, size = [], [], 0
    for row in rows:
        block.append(row)
        size += len(row)
        if size >= BLOCK:
            blocks.append(b"".join(block))
            block, size = [], 0
    return [*blocks, b"".join(block)]


def one_pass(project_id: str) -> dict[str, Any]:
    """The reference of auditing: read what the audit reads, and multiply quantity by price once."""
    from projects.models import Project
    from projects.services.audit_view import view_of

    began = time.perf_counter()
    view = view_of(project=Project.objects.get(pk=project_id))
    read_s = time.perf_counter() - began
    total = Decimal(0)
    for position in view.positions:
        if position.quantity is not None and position.unit_price is not None:
            total += (position.quantity * position.unit_price).quantize(Decimal("0.01"))
    return {"seconds": time.perf_counter() - began, "read_s": read_s, "positions": len(view), "total": str(total)}


def audit(project_id: str) -> dict[str, Any]:
    """The audit as a worker runs it, results stored; and how often it told of its progress."""
    from jobs.heart import Heart
    from jobs.models import Job
    from jobs.registry import kind_of
    from jobs.runner import execute
    from jobs.services import lifecycle
    from projects.models import Project
    from projects.services.auditing import start_audit

    project = Project.objects.select_related("owner").get(pk=project_id)
    wanted = start_audit(project_id=project.pk, actor=project.owner)
    job = lifecycle.claim_one(job_id=wanted.pk)
    assert job is not None
    began = time.perf_counter()
    execute(job, kind_of(job.kind), heart=Heart())
    seconds = time.perf_counter() - began
    job.refresh_from_db()
    assert job.status == Job.Status.COMPLETED, job.error
    project.refresh_from_db()
    counts = {grade: getattr(project, f"count_{grade}") for grade in ("green", "amber", "red", "not_checked")}
    return {"seconds": seconds, "peak_mb": peak_mb(), "counts": counts, **_told(str(job.pk))}


def _told(job_id: str) -> dict[str, Any]:
    """Progress events of a job: how many, and the most that fell into one second."""
    from datetime import datetime

    from jobs.connections import events_redis
    from jobs.events.stream import keys_of

    kept: Any = events_redis().xrange(keys_of(f"job:{job_id}")[1])
    events = [json.loads(fields[b"e"]) for _, fields in kept]
    times = [datetime.fromisoformat(e["timestamp"]).timestamp() for e in events if e["type"] == "progress"]
    most = max((sum(1 for t in times if at <= t < at + 1) for at in times), default=0)
    return {"events": len(times), "most_per_second": most}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "read": read, "import": bring_in, "copy": copy, "pass": one_pass, "audit": audit,
}  # fmt: skip

if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])))
