"""People's decisions on findings: a reason is due, they are kept, and they hold until the position changes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from jobs.events import publish_on_commit

from ..audit.orchestrator import grade_without_findings
from ..exceptions import Conflict, Missing, Refused
from ..models import Finding, FindingOverride, Project, Verdict
from ..models.findings import FindingGrade
from .access import editable_project
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
            project = locked_project(project_id=finding.project_id)
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
        project = locked_project(project_id=finding.project_id)
        finding.refresh_from_db()
        if finding.override_id is None:
            raise Conflict("There is no decision on this finding to take back.", code="not_decided")
        FindingOverride.objects.filter(pk=finding.override_id).update(withdrawn_at=timezone.now())
        _apply(project=project, finding=finding, override=None)
    finding.override = None
    return finding


def _editable(*, finding_id: int, actor: User) -> Finding:
    finding: Finding | None = Finding.objects.visible_to(actor).select_related("position").filter(pk=finding_id).first()
    if finding is None:
        raise Missing("There is no such finding any more: the position may have been audited anew.", code="no_finding")
    editable_project(project_id=finding.project_id, user=actor)
    return finding


def _apply(*, project: Project, finding: Finding, override: FindingOverride | None) -> None:
    """Link the decision to the rule's findings of the position, then grade position and project anew."""
    position = finding.position
    assert position is not None
    Finding.objects.filter(position=position, rule_id=finding.rule_id).update(override=override)
    verdict = Verdict.objects.select_related("position").get(position=position)
    counting = list(
        position.findings.filter(grade__in=("red", "amber"))
        .exclude(override__decision=FindingOverride.Decision.OVERRIDDEN)
        .values_list("role", "grade", "money_at_stake")
    )
    _regrade(verdict, counting)
    verdict.save(update_fields=["grade", "money_at_stake", "roles"])
    counts = Verdict.objects.filter(position__project=project, position__removed_in__isnull=True).aggregate(
        **{f"count_{grade}": Count("pk", filter=Q(grade=grade)) for grade in ("green", "amber", "red", "not_checked")},
        money_at_stake=Sum("money_at_stake", default=0),
    )
    Project.objects.filter(pk=project.pk).update(**counts, updated_at=timezone.now())
    publish_on_commit(
        f"project:{project.pk}",
        "position_updated",
        {
            "project_id": str(project.pk),
            "version": project.version_number,
            "lineage": str(position.lineage),
            "grade": verdict.grade,
            "counts": {grade: counts[f"count_{grade}"] for grade in ("green", "amber", "red", "not_checked")},
            "money_at_stake": str(counts["money_at_stake"]),
            "reason": "override",
        },
    )


def _regrade(verdict: Verdict, counting: list[tuple[str, str, Any]]) -> None:
    """Worst counting finding; without any, what could not be checked still caps."""
    roles = {role: "green" if grade in ("red", "amber") else grade for role, grade in verdict.roles.items()}
    for role, grade, _ in counting:
        roles[role] = "red" if "red" in (grade, roles.get(role)) else "amber"
    worst = "red" if any(grade == "red" for _, grade, _ in counting) else "amber" if counting else ""
    verdict.roles = roles
    verdict.money_at_stake = max((money for _, grade, money in counting if grade == worst), default=Decimal(0))
    verdict.grade = worst or grade_without_findings(
        is_capped=bool(verdict.not_checked),
        is_priced=bool(verdict.position.unit_price or verdict.position.stated_total),
    )
