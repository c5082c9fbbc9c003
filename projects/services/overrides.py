"""People's decisions on findings: a reason is due, they are kept, and they hold until the position changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from jobs.events import publish_on_commit

from ..exceptions import Conflict, Missing, Refused
from ..models import Finding, FindingOverride, Project
from ..models.findings import FindingGrade
from .access import editable_project
from .counting import by_grade, current_counts
from .grading import regrade
from .versions import locked_project

if TYPE_CHECKING:
    from accounts.models import User

LEAST_REASON = 5  # characters; "ok" explains nothing to whoever reads it next year


def override_finding(
    *, finding_id: int, actor: User, reason: str, decision: str = FindingOverride.Decision.OVERRIDDEN
) -> Finding:
    """Decide on one finding: overridden (it does not hold) or accepted (it is right, and stays open).

    An overridden finding no longer counts for its position's grade, at once and in every later audit, until the
    position's content changes. Raises Missing, Refused("reason_missing" | "not_overridable"), Conflict.
    """
    if len(reason.strip()) < LEAST_REASON:
        raise Refused("Say why, so that the next reader understands the decision.", code="reason_missing")
    finding = _editable(finding_id=finding_id, actor=actor)
    if finding.position is None or finding.grade not in (FindingGrade.RED, FindingGrade.AMBER):
        raise Refused("Only amber and red findings of a position can be decided on.", code="not_overridable")
    try:
        with transaction.atomic():
            project, finding = _locked(finding)
            assert finding.position is not None
            override = FindingOverride.objects.create(
                project=project,
                lineage=finding.position.lineage,
                rule_id=finding.rule_id,
                content_hash=finding.position.content_hash,
                decision=decision,
                reason=reason.strip(),
                by=actor,
            )
            _apply(project=project, finding=finding, override=override)
    except IntegrityError as error:
        raise Conflict("This finding has been decided on already.", code="already_decided") from error
    finding.override = override
    return finding


def withdraw_override(*, finding_id: int, actor: User) -> Finding:
    """Take a decision back: the finding counts again. The decision stays on record. Raises Missing, Conflict."""
    finding = _editable(finding_id=finding_id, actor=actor)
    with transaction.atomic():
        project, finding = _locked(finding)
        if finding.override_id is None:
            raise Conflict("There is no decision on this finding to take back.", code="not_decided")
        FindingOverride.objects.filter(pk=finding.override_id).update(withdrawn_at=timezone.now())
        _apply(project=project, finding=finding, override=None)
    finding.override = None
    return finding


def _editable(*, finding_id: int, actor: User) -> Finding:
    finding: Finding | None = Finding.objects.visible_to(actor).select_related("position").filter(pk=finding_id).first()
    if finding is None:
        raise _gone()
    editable_project(project_id=finding.project_id, user=actor)
    return finding


def _locked(finding: Finding) -> tuple[Project, Finding]:
    """Project and finding as they are now that nobody else can change them. Raises Missing: an audit or an edit was
    faster, and what would be decided on is no longer what the person has read."""
    project = locked_project(project_id=finding.project_id)
    current: Finding | None = (
        Finding.objects.select_related("position", "override")
        .filter(Q(position__isnull=True) | Q(position__removed_in__isnull=True), pk=finding.pk)
        .first()
    )
    if current is None:
        raise _gone()
    return project, current


def _gone() -> Missing:
    return Missing("There is no such finding any more: the position may have been audited anew.", code="no_finding")


def _apply(*, project: Project, finding: Finding, override: FindingOverride | None) -> None:
    """Link the decision to the rule's findings of the position, then grade position and project anew."""
    position = finding.position
    assert position is not None
    Finding.objects.filter(position=position, rule_id=finding.rule_id).update(override=override)
    verdicts = regrade(position_ids=[position.pk])
    counts = current_counts(project_id=project.pk)
    Project.objects.filter(pk=project.pk).update(**counts, updated_at=timezone.now())
    publish_on_commit(
        f"project:{project.pk}",
        "position_updated",
        {
            "project_id": str(project.pk),
            "version": project.version_number,
            "lineage": str(position.lineage),
            "grade": verdicts[0].grade if verdicts else "not_checked",
            "counts": by_grade(counts),
            "money_at_stake": str(counts["money_at_stake"]),
            "reason": "override",
        },
    )
