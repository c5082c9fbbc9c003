"""A budget on paper: totals, grades, what is at stake and why, cost by section; bounded in length."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page

from ..models import Finding, Project
from ..models.findings import FindingGrade
from ..querysets import FindingQuerySet
from .charts import section_rows
from .money import stake_rows
from .rules import rule_title
from .states import opened

FINDINGS = 100
SECTIONS = 200


@page
@require_safe
def print_view(request: PageRequest, project_id: UUID) -> HttpResponse:
    project, context = opened(request, project_id, tab="")
    findings = _findings(project)
    listed = list(findings.select_related("position", "override").order_by("-money_at_stake", "pk")[:FINDINGS])
    sections = section_rows(project)
    context |= {
        "printed_at": timezone.now(),
        "findings": [{"finding": finding, "title": rule_title(finding.rule_id)} for finding in listed],
        "findings_left": max(0, findings.count() - len(listed)),
        "sections": sorted(sections, key=lambda row: row["place"])[:SECTIONS],
        "sections_left": max(0, len(sections) - SECTIONS),
        "stakes": stake_rows(project),
    }
    return render(request, "projects/print.html", context)


def _findings(project: Project) -> FindingQuerySet:
    """Red and amber, open, of the current version and of the budget as a whole."""
    standing = Q(override__isnull=True) | ~Q(override__decision="overridden")
    graded = Q(grade__in=[FindingGrade.RED, FindingGrade.AMBER])
    return Finding.objects.of_current_positions(project.pk).filter(standing, graded)
