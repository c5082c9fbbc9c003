"""Charts of a budget: a page with tables, and the JSON that draws them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page
from config.cache import get_or_set

from ..models import Project
from ..models.findings import Role
from ..services.access import visible_project
from .money import spread_rows, stake_rows
from .sections import SectionNode, tree_of
from .states import opened

BARS = 14  # the rest is told together
ORDER = ("red", "amber", "green", "not_checked")
BY_ROLE = """
SELECT said.key, said.value, count(*) FROM projects_verdict verdict
JOIN projects_position position ON position.id = verdict.position_id AND position.removed_in IS NULL
CROSS JOIN LATERAL jsonb_each_text(verdict.roles) said
WHERE verdict.project_id = %s GROUP BY said.key, said.value
"""


@page
@require_safe
def charts(request: PageRequest, project_id: UUID) -> HttpResponse:
    project, context = opened(request, project_id, tab="charts")
    context |= {"sections": section_rows(project), "roles": _role_rows(project), "order": ORDER}
    context |= {"stakes": stake_rows(project), "spreads": spread_rows(project)}
    return render(request, "projects/charts.html", context)


@page
@require_safe
def sections_json(request: PageRequest, project_id: UUID) -> HttpResponse:
    """Cost by section, the costliest first; amounts as text, for money is never a float on our side."""
    project = visible_project(project_id=project_id, user=request.user)
    rows = section_rows(project)
    shown, rest = rows[:BARS], rows[BARS:]
    bars = [{"label": row["label"], "cost": str(row["node"].cost), "key": row["node"].key} for row in shown]
    if rest:
        cost = sum(row["node"].cost for row in rest)
        bars.append({"label": f"{len(rest)} more", "cost": str(cost), "key": ""})
    return JsonResponse({"currency": project.currency, "bars": bars})


@page
@require_safe
def roles_json(request: PageRequest, project_id: UUID) -> HttpResponse:
    """Positions by role and grade, of the current version."""
    project = visible_project(project_id=project_id, user=request.user)
    rows = _role_rows(project)
    series = {grade: [row["counts"].get(grade, 0) for row in rows] for grade in ORDER}
    return JsonResponse({"labels": [row["label"] for row in rows], "series": series})


def section_rows(project: Project) -> list[dict[str, Any]]:
    """The lowest sections, with the names above them where two are called alike."""
    nodes = tree_of(project) if project.version_number else []
    leaves = [
        node for index, node in enumerate(nodes) if index + 1 == len(nodes) or nodes[index + 1].depth <= node.depth
    ]
    total = sum((node.cost for node in leaves if node.cost > 0), start=project.total_cost * 0)
    rows = [
        {"node": node, "place": place, "label": _label(node, nodes), "share": node.cost / total if total else None}
        for place, node in enumerate(leaves)
    ]
    return sorted(rows, key=lambda row: -row["node"].cost)


def _label(node: SectionNode, nodes: list[SectionNode]) -> str:
    alike = sum(1 for other in nodes if other.label == node.label) > 1
    return f"{node.object_code}: {node.label}" if alike and node.object_code else node.label


def _role_counts(project_id: UUID) -> dict[tuple[str, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(BY_ROLE, [project_id])
        return {(role, grade): number for role, grade, number in cursor.fetchall()}


def _role_rows(project: Project) -> list[dict[str, Any]]:
    """Kept until the project is next written to: audits and overrides both do that."""
    counts = get_or_set("role_counts", (project.pk, project.updated_at), lambda: _role_counts(project.pk))
    return [
        {
            "label": role.label,
            "counts": {grade: counts.get((role.value, grade), 0) for grade in ORDER},
            "cells": [(grade, counts.get((role.value, grade), 0)) for grade in ORDER],
        }
        for role in Role
    ]
