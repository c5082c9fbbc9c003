"""Versions of a budget: what changed, by whom, what it did to the cost; and the way back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..exceptions import Missing
from ..forms import FIELD_WORDS
from ..models import BudgetVersion, Project
from ..services.access import visible_project
from ..services.versions import restore_version
from .answers import go
from .states import opened

PAGE = 50
STEPS_SHOWN = 24
EFFECTS = (
    ("quantity", "Quantity", "delta_quantity"),
    ("price", "Price", "delta_price"),
    ("scope", "Scope", "delta_scope"),
    ("rounding", "Rounding", "delta_rounding"),
)


@page
@require_safe
def version_list(request: PageRequest, project_id: UUID) -> HttpResponse:
    project, context = opened(request, project_id, tab="versions")
    versions = BudgetVersion.objects.filter(project=project).select_related("created_by").defer("changes")
    shown = Paginator(versions.order_by("-number"), PAGE).get_page(request.GET.get("page"))
    context |= {"versions": list(shown.object_list), "page_obj": shown}
    part = request.htmx and request.htmx.target == "versions"
    return render(request, "projects/_versions.html" if part else "projects/versions.html", context)


@page
@require_safe
def version_detail(request: PageRequest, project_id: UUID, number: int) -> HttpResponse:
    project, context = opened(request, project_id, tab="versions")
    version = _version(project, number)
    total_changes = sum(int(count) for count in version.summary.values()) if number > 1 else 0
    context |= {
        "version": version,
        "effects": [(word, getattr(version, column)) for _, word, column in EFFECTS],
        "changes": [change_shown(row) for row in version.changes],
        "unlisted": max(0, total_changes - len(version.changes)),
        "is_current": number == project.version_number,
    }
    return render(request, "projects/version.html", context)


def change_shown(row: dict[str, Any]) -> dict[str, Any]:
    """Before and after, field by field; of what was added or removed, the one side there is."""
    before, after = row.get("before") or {}, row.get("after") or {}
    known = list(FIELD_WORDS)  # JSON of the database comes in an order of its own
    names = sorted({*before, *after}, key=lambda name: known.index(name) if name in known else len(known))
    pairs = [
        {"label": FIELD_WORDS.get(name, name.capitalize()), "before": before.get(name), "after": after.get(name)}
        for name in names
    ]
    if row["change"] != "modified":
        pairs = [pair for pair in pairs if pair["before"] not in (None, "") or pair["after"] not in (None, "")]
    return row | {"pairs": pairs}


@page
@require_POST
@costly
def restore(request: PageRequest, project_id: UUID, number: int) -> HttpResponse:
    version = restore_version(project_id=project_id, number=number, actor=request.user)
    message = f"The budget is as it was in version {number}: this is version {version.number}."
    return go(request, message, reverse("projects:detail", args=[project_id]))


@page
@require_safe
def steps_json(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The total from version to version, as bars that begin where the last one ended."""
    project = visible_project(project_id=project_id, user=request.user)
    found = BudgetVersion.objects.filter(project=project).order_by("-number")
    rows = list(found.values_list("number", "total_cost", "delta_cost")[:STEPS_SHOWN])[::-1]
    bars: list[dict[str, Any]] = []
    for index, (number, total, delta) in enumerate(rows):
        begins = Decimal(0) if index == 0 else total - delta
        kind = "total" if index == 0 else "up" if delta > 0 else "down" if delta < 0 else "same"
        bars.append({"label": f"v{number}", "from": str(begins), "to": str(total), "kind": kind, "delta": str(delta)})
    return JsonResponse({"currency": project.currency, "bars": bars})


@page
@require_safe
def effects_json(request: PageRequest, project_id: UUID, number: int) -> HttpResponse:
    """One version's delta as a waterfall: the total before, each effect, the total after."""
    project = visible_project(project_id=project_id, user=request.user)
    version = _version(project, number)
    at = version.total_cost - version.delta_cost
    bars = [{"label": "Before", "from": "0", "to": str(at), "kind": "total", "delta": str(at)}]
    for _, word, column in EFFECTS:
        delta = getattr(version, column)
        kind = "up" if delta > 0 else "down" if delta < 0 else "same"
        bars.append({"label": word, "from": str(at), "to": str(at + delta), "kind": kind, "delta": str(delta)})
        at += delta
    total = str(version.total_cost)
    bars.append({"label": "After", "from": "0", "to": total, "kind": "total", "delta": total})
    return JsonResponse({"currency": project.currency, "bars": bars})


def _version(project: Project, number: int) -> BudgetVersion:
    versions = BudgetVersion.objects.filter(project=project, number=number).select_related("created_by")
    found: BudgetVersion | None = versions.first()
    if found is None:
        raise Missing(f"This project has no version {number}.", code="version_not_found")
    return found
