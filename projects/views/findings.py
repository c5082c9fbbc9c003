"""A person's decision on a finding, and taking it back."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.pages import PageRequest, page

from ..exceptions import Missing, Refused
from ..models import Finding, FindingOverride, Project
from ..services.access import visible_project
from ..services.overrides import override_finding, withdraw_override
from .answers import done, told
from .positions import position_context
from .report import lineage_of


@page
@require_POST
def override(request: PageRequest, project_id: UUID, finding_id: int) -> HttpResponse:
    """`decision`: overridden (the finding does not hold) or accepted (it does, and the position stays)."""
    project, finding = _finding(request, project_id, finding_id)
    decision = request.POST.get("decision", "")
    if decision not in FindingOverride.Decision.values:
        raise Refused("Choose whether the finding does not hold, or holds and is accepted.", code="decision_missing")
    reason = request.POST.get("reason", "").replace("\x00", "")[:2000]
    override_finding(finding_id=finding.pk, actor=request.user, reason=reason, decision=decision)
    words = "no longer counts" if decision == FindingOverride.Decision.OVERRIDDEN else "is accepted and stays open"
    return _after(request, project, finding, f"{finding.rule_id} {words}.")


@page
@require_POST
def withdraw(request: PageRequest, project_id: UUID, finding_id: int) -> HttpResponse:
    project, finding = _finding(request, project_id, finding_id)
    withdraw_override(finding_id=finding.pk, actor=request.user)
    return _after(request, project, finding, f"The decision on {finding.rule_id} is taken back.")


def _finding(request: PageRequest, project_id: UUID, finding_id: int) -> tuple[Project, Finding]:
    project = visible_project(project_id=project_id, user=request.user)
    found = Finding.objects.filter(project=project, pk=finding_id, position__isnull=False)
    finding = found.select_related("position").first()
    if finding is None:
        message = "There is no such finding any more: the position may have been audited anew. Open it again."
        raise Missing(message, code="no_finding")
    return project, finding


def _after(request: PageRequest, project: Project, finding: Finding, message: str) -> HttpResponse:
    assert finding.position is not None
    lineage = finding.position.lineage
    if not request.htmx:
        return done(request, message, reverse("projects:position", args=[project.pk, lineage]))
    context = position_context(request, project, lineage_of(project, lineage, None)) | {"version": None}
    return told(render(request, "projects/_position.html", context), message)
