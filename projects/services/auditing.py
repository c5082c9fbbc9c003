"""Auditing a project's current version: ask for it, run it, store what it said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from jobs.events import publish_on_commit
from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import ProjectNotFound, Refused, Temporary
from ..models import AuditRun, Project
from ..webhooks import tell_audited
from . import activity
from .audit_rounds import prepared
from .versions import locked_project

if TYPE_CHECKING:
    from accounts.models import User

AUDIT = activity.AUDIT
MOST_ROUNDS = 5

Finish = Callable[[dict[str, Any]], None]
Finishing = Callable[[], AbstractContextManager[Finish]]
AuditReport = Callable[..., None]


def start_audit(*, project_id: UUID, actor: User) -> Job:
    """Queue an audit of the current version; an audit that is already under way is returned instead.

    Raises ProjectNotFound, ReadOnly, Refused("nothing_to_audit").
    """
    from .access import editable_project

    project = editable_project(project_id=project_id, user=actor)
    if project.version_number == 0 or project.total_positions == 0:
        raise Refused("There is nothing to audit yet. Upload a bill of quantities first.", code="nothing_to_audit")
    with transaction.atomic():
        return request_audit(project=project, actor=actor)


def request_audit(*, project: Project, actor: User | None) -> Job:
    """In the caller's transaction. One audit a project at a time (dedupe key): a running one notices by itself that
    the budget has changed, and starts over."""
    job = enqueue(
        kind=AUDIT,
        params={"project_id": str(project.pk)},
        actor=actor,
        organisation=project.organisation,
        subject=("project", project.pk),
        about=project.name,
        dedupe_key=f"{AUDIT}:{project.pk}",
    )
    activity.show_activity(project_id=project.pk)
    return job


def audit_project(*, project_id: UUID, job_id: UUID | None, report: AuditReport, finishing: Finishing) -> None:
    """Audit the current version and store findings, verdicts and counts in the transaction of `finishing()`.

    After an edit only what it can have changed is asked (see `audit.incremental`); where that can't be known, and when
    a version is audited again, everything. If the budget changed meanwhile, the result is dropped and the newer
    version is audited. `report(done, total, message, **data)` gets the counts by grade so far. Raises ProjectNotFound,
    Temporary if the budget never rests.
    """
    for _ in range(MOST_ROUNDS):
        project = Project.objects.select_related("organisation").filter(pk=project_id).first()
        if project is None:
            raise ProjectNotFound("The project has been deleted.")
        audit = prepared(project=project, job_id=job_id)
        audit.ask(report)
        try:
            with finishing() as finish:
                if not audit.is_of(locked_project(project_id=project_id)):
                    raise _BudgetChanged
                audit.store()
                activity.show_activity(project_id=project_id, ended=job_id)
                _announce(project, audit.run)
                tell_audited(project=project, run=audit.run)
                finish(summary_of(audit.run))
        except _BudgetChanged:
            continue
        return
    raise Temporary("The budget kept changing while it was audited; trying again.")


class _BudgetChanged(Exception):
    """Rolls back what was about to be stored for a version that is no longer the current one."""


def record_failure(*, project_id: UUID) -> None:
    """The audit ended without a result: what an earlier one said stands, marked by its version."""
    activity.show_activity(project_id=project_id)


def summary_of(run: AuditRun) -> dict[str, Any]:
    """What an audit job results in."""
    return {
        "project_id": str(run.project_id),
        "version": run.version_number,
        "positions": run.positions,
        "counts": run.counts,
        "money_at_stake": str(run.money_at_stake),
        "not_checked": run.not_checked_rules,
        "is_incremental": run.is_incremental,
        "audited_positions": run.audited_positions,
    }


def _announce(project: Project, run: AuditRun) -> None:
    publish_on_commit(f"project:{project.pk}", "position_updated", summary_of(run) | {"reason": "audit"})
