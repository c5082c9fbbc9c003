"""Auditing a project's current version: ask for it, run it, store what it said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from jobs.events import publish_on_commit
from jobs.models import Job
from jobs.services import enqueue

from ..audit import engine
from ..exceptions import ProjectNotFound, Refused, Temporary
from ..models import AuditRun, Project
from ..webhooks import tell_audited
from . import activity
from .audit_results import replace_results
from .audit_view import standing_overrides, view_of
from .precision import measured
from .references import references_of
from .thresholds import own_thresholds
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

    If the budget changed meanwhile, the result is dropped and the newer version is audited. `report(done, total,
    message, **data)` gets the counts by grade so far. Raises ProjectNotFound, Temporary if the budget never rests.
    """
    for _ in range(MOST_ROUNDS):
        project = Project.objects.filter(pk=project_id).first()
        if project is None:
            raise ProjectNotFound("The project has been deleted.")
        run = AuditRun(project=project, version_number=project.version_number, job_id=job_id, started_at=timezone.now())
        thresholds = own_thresholds(organisation_id=project.organisation_id)
        precision = measured(organisation_id=project.organisation_id, thresholds=thresholds)
        references = references_of(project=project, thresholds=thresholds)
        run.precision = {rule_id: [str(one.share), one.judged] for rule_id, one in precision.items()}
        run.references = references.described
        view = view_of(project=project, references=references)
        decisions = standing_overrides(project_id=project_id)
        result = engine.audit(
            view,
            thresholds=thresholds,
            overrides=decisions,
            precision={rule_id: one.share for rule_id, one in precision.items()},
            report=lambda done, total, message, counts: report(done, total, message, counts=counts.as_dict()),
        )
        try:
            with finishing() as finish:
                if locked_project(project_id=project_id).version_number != run.version_number:
                    raise _BudgetChanged
                replace_results(project=project, view=view, result=result, run=run, decisions=decisions)
                activity.show_activity(project_id=project_id, ended=job_id)
                _announce(project, run)
                tell_audited(project=project, run=run)
                finish(summary_of(run))
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
    }


def _announce(project: Project, run: AuditRun) -> None:
    publish_on_commit(f"project:{project.pk}", "position_updated", summary_of(run) | {"reason": "audit"})
