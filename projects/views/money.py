"""Charts of money: at stake by role, and spread of unit prices; as tables, and as the JSON that draws them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page
from config.cache import get_or_set

from ..models import Project
from ..models.findings import Role
from ..services.access import visible_project
from ..services.money import AtStake, Spread, at_stake, spreads

SPREADS = 12
GRADES = ("red", "amber")


@page
@require_safe
def stake_json(request: PageRequest, project_id: UUID) -> HttpResponse:
    """Money at stake by role; amounts as text."""
    project = visible_project(project_id=project_id, user=request.user)
    rows = stake_rows(project)
    series = {grade: [str(row["amounts"][grade]) for row in rows] for grade in GRADES}
    return JsonResponse({"currency": project.currency, "labels": [row["label"] for row in rows], "series": series})


@page
@require_safe
def spread_json(request: PageRequest, project_id: UUID) -> HttpResponse:
    """Codes at several prices: lowest, median and highest, as text."""
    project = visible_project(project_id=project_id, user=request.user)
    bars = [
        {
            "label": f"{row.code} {row.description}",
            "unit": row.unit,
            "lowest": str(row.lowest),
            "median": str(row.median),
            "highest": str(row.highest),
            "positions": row.positions,
        }
        for row in spread_rows(project)
    ]
    return JsonResponse({"currency": project.currency, "bars": bars})


def stake_rows(project: Project) -> list[dict[str, Any]]:
    """Kept until the project is next written to."""
    found: list[AtStake] = get_or_set(
        "project_money", ("stake", project.pk, project.updated_at), lambda: at_stake(project=project)
    )
    by = {(row.role, row.grade): row for row in found}
    rows = []
    for role in Role:
        told = {grade: by.get((role.value, grade)) for grade in GRADES}
        amounts = {grade: row.amount if row else Decimal(0) for grade, row in told.items()}
        counts = {grade: row.findings if row else 0 for grade, row in told.items()}
        cells = [(grade, counts[grade], amounts[grade]) for grade in GRADES]
        rows.append({"role": role.value, "label": role.label, "amounts": amounts, "counts": counts, "cells": cells})
    return rows


def spread_rows(project: Project) -> list[Spread]:
    """Kept until the project is next written to."""
    found: list[Spread] = get_or_set(
        "project_money", ("spread", project.pk, project.updated_at), lambda: spreads(project=project, most=SPREADS)
    )
    return found
