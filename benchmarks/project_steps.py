"""The measured steps of a project's life after its import: `python -m benchmarks.project_steps NAME …`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

EDITS = 6


def reaudit(project_id: str) -> dict[str, Any]:
    """One edit after another, of other kinds and in other places, each audited as a worker does it."""
    from projects.models import AuditRun, Position, Project
    from projects.services.editing import add_position, delete_position, edit_position

    project = Project.objects.select_related("owner").get(pk=project_id)
    rows = Position.objects.filter(project=project, removed_in__isnull=True, unit_price__gt=0, quantity__gt=0)
    places = [project.total_positions * (2 * n + 1) // (2 * EDITS) for n in range(EDITS)]
    kinds = ("unit_price", "quantity", "description", "code", "delete", "add")
    found = []
    for place, kind in zip(places, kinds, strict=True):
        row = rows.order_by("ordinal")[place - 1 : place][0] if place else rows[0]
        of: dict[str, Any] = {"project_id": project.pk, "actor": project.owner}
        if kind == "delete":
            delete_position(**of, lineage=row.lineage, seen=row.pk)
        elif kind == "add":
            fields = {name: getattr(row, name) for name in ("code", "description", "unit", "quantity", "unit_price")}
            add_position(**of, fields=fields | {"object_code": row.object_code, "section": row.section})
        else:
            changes = {
                "unit_price": row.unit_price * 2, "quantity": row.quantity + 1, "description": f"{row.description} B",
                "code": "274321999",
            }  # fmt: skip
            edit_position(**of, lineage=row.lineage, seen=row.pk, changes={kind: changes[kind]})
        seconds, cpu = _audited(project_id)
        run = AuditRun.objects.filter(project=project).order_by("-pk")[0]
        found.append(
            {"kind": kind, "seconds": seconds, "cpu_s": cpu, "asked": run.audited_positions,
             "is_incremental": run.is_incremental}
        )  # fmt: skip
    return {"edits": found}


def full(project_id: str) -> dict[str, Any]:
    """The reference: the same version audited once more, which asks everything."""
    from projects.models import Project
    from projects.services.auditing import start_audit

    project = Project.objects.select_related("owner").get(pk=project_id)
    start_audit(project_id=project.pk, actor=project.owner)
    seconds, cpu = _audited(project_id)
    return {"seconds": seconds, "cpu_s": cpu}


def _audited(project_id: str) -> tuple[float, float]:
    """The audit job that waits, run as a worker runs it."""
    from django.db import connection

    from jobs.heart import Heart
    from jobs.models import Job
    from jobs.registry import kind_of
    from jobs.runner import execute
    from jobs.services import lifecycle

    wanted = Job.objects.active().get(kind="projects.audit", subject_id=project_id)
    job = lifecycle.claim_one(job_id=wanted.pk)
    assert job is not None
    connection.ensure_connection()
    began, cpu = time.perf_counter(), time.process_time()
    execute(job, kind_of(job.kind), heart=Heart())
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    job.refresh_from_db()
    assert job.status == Job.Status.COMPLETED, job.error
    return seconds, cpu_s


def diff(project_id: str, share: str) -> dict[str, Any]:
    """A version in which this share of the positions changed (every nth row closed, and one added in its place), then
    compared with the one before: by the service, and by reading both versions with the ORM and comparing in Python."""
    from projects.models import Project
    from projects.services.deltas import compare_versions

    project = Project.objects.get(pk=project_id)
    old = project.version_number
    _make_version(project, every=round(1 / float(share)))
    began = time.perf_counter()
    compared = compare_versions(project_id=project.pk, old=old, new=old + 1)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    counted = _diff_by_orm(project, old, old + 1)
    by_orm = time.perf_counter() - began
    assert counted == sum(compared.delta.counts.values()), (counted, compared.delta.counts)
    return {"seconds": seconds, "orm_s": by_orm, "changed": counted, "cost": str(compared.delta.cost)}


def _make_version(project: Any, *, every: int) -> None:
    """By SQL: what it takes to make the version is not what is measured."""
    from django.db import connection, transaction

    from projects.models import BudgetVersion
    from projects.services.versions import COPIED, close_version, locked_project

    names = ", ".join(COPIED)
    dearer = names.replace("unit_price", "unit_price * 1.1").replace("stated_total", "NULL::numeric")
    dearer = dearer.replace("content_hash", "md5(content_hash)")
    dearer = ", ".join("total * 1.1" if name == "total" else name for name in dearer.split(", "))
    new = project.version_number + 1
    with transaction.atomic(), connection.cursor() as cursor:
        locked = locked_project(project_id=project.pk)
        cursor.execute(
            "UPDATE projects_position SET removed_in = %s"
            " WHERE project_id = %s AND removed_in IS NULL AND id %% %s = 0",
            [new, project.pk, every],
        )
        cursor.execute(
            f"INSERT INTO projects_position ({names}, added_in) SELECT {dearer}, %s FROM projects_position"
            " WHERE project_id = %s AND removed_in = %s",
            [new, project.pk, new],
        )
        close_version(project=locked, trigger=BudgetVersion.Trigger.RECALCULATION, actor_id=None)


def _diff_by_orm(project: Any, old: int, new: int) -> int:
    from projects.models import Position

    fields = ("number", "code", "description", "unit", "quantity", "unit_price", "total", "billing", "kind", "section")
    sides = []
    for number in (old, new):
        rows = Position.objects.filter(project=project).of_version(number).iterator(chunk_size=5000)
        sides.append({row.lineage: row for row in rows})
    before, after = sides
    changed = len(before.keys() ^ after.keys())
    effects = Decimal(0)
    for lineage in before.keys() & after.keys():
        first, second = before[lineage], after[lineage]
        if any(getattr(first, name) != getattr(second, name) for name in fields):
            changed += 1
            effects += second.total - first.total
    return changed


STEPS: dict[str, Callable[..., dict[str, Any]]] = {"reaudit": reaudit, "full": full, "diff": diff}

if __name__ == "__main__":
    import django

    django.setup()
    sys.stdout.write(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])) + "\n")
