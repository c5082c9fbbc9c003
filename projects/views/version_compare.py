"""Any two versions of a budget beside each other: what the difference in cost is made of, and the changes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page

from ..exceptions import Missing
from ..models import BudgetVersion, Project
from ..services.access import visible_project
from ..services.deltas import LISTED_CHANGES, WATERFALL, compare_versions
from .states import opened
from .versions import change_shown

CHOICES = 500  # versions to choose from, the newest


@page
@require_safe
def compare(request: PageRequest, project_id: UUID) -> HttpResponse:
    """`old` and `new`; by default the version before, and the current one."""
    project, context = opened(request, project_id, tab="versions")
    context["choices"] = list(
        BudgetVersion.objects.filter(project=project)
        .order_by("-number")
        .values_list("number", "trigger", "created_at")[:CHOICES]
    )
    if project.version_number > 1:
        context |= _compared(request, project)
    return render(request, "projects/compare_versions.html", context)


@page
@require_safe
def compare_json(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The waterfall from the one to the other."""
    project = visible_project(project_id=project_id, user=request.user)
    old, new = _asked(request, project)
    found = compare_versions(project_id=project.pk, old=old, new=new)
    return JsonResponse({"currency": project.currency, "bars": found.waterfall()})


def _compared(request: PageRequest, project: Project) -> dict[str, Any]:
    old, new = _asked(request, project)
    found = compare_versions(project_id=project.pk, old=old, new=new)
    delta = found.delta
    changed = sum(delta.counts.values())
    return {
        "compared": found,
        "effects": [(word, getattr(delta, name)) for name, word in WATERFALL],
        "changes": [change_shown(row) for row in delta.changes],
        "unlisted": max(0, changed - LISTED_CHANGES),
        "changed": changed,
    }


def _asked(request: PageRequest, project: Project) -> tuple[int, int]:
    """Raises Missing for what is no number of a version."""
    new = _number(request.GET.get("new", ""), project.version_number)
    return _number(request.GET.get("old", ""), max(1, new - 1)), new


def _number(text: str, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Missing(f"“{text[:20]}” is no version.", code="version_not_found")
    return int(text)
