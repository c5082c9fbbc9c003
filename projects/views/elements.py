"""The building behind a budget: its elements, what each became, the ratio profile, the assumptions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..exceptions import Missing
from ..ifc.assumptions import BY_KEY, Assumptions
from ..ifc.profile import Ratio
from ..models import BuildingElement, Position
from ..services.access import editable_project, visible_project
from ..services.building import ElementFilters, elements_of, floor_area_of, ratios_of, sums_of
from ..services.modelling import change_assumptions, models_of
from .answers import go
from .states import opened

ROWS = 100
QUANTITY_WORDS = {
    "volume": "Volume",
    "area": "Area",
    "upright": "Upright faces",
    "underside": "Faces from below",
    "length": "Length",
    "weight": "Weight",
}


@page
@require_safe
def building(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The ratio profile, sums by class, and one page of elements."""
    project, context = opened(request, project_id, tab="building")
    filters = filters_of(request.GET)
    elements = elements_of(project, filters)
    pages = Paginator(elements, ROWS)
    all_elements = BuildingElement.objects.filter(project=project)
    classes = sums_of(all_elements, "ifc_class")
    floor_area, floor_source = floor_area_of(project) if classes else (None, "")
    context |= {
        "filters": filters,
        "page": pages.get_page(request.GET.get("page")),
        "classes": classes,
        "storeys": _storeys(project, all_elements) if classes else [],
        "shown_sums": sums_of(elements, "ifc_class") if filters.is_narrowed else classes,
        "narrowing": _position(project.pk, filters.position),
        "floor_area": floor_area,
        "floor_source": floor_source,
        "ratios": [_shown(ratio) for ratio in ratios_of(project)],
    }
    part = request.htmx and request.htmx.target == "elements"
    return render(request, "projects/_elements.html" if part else "projects/elements.html", context)


def filters_of(query: QueryDict) -> ElementFilters:
    """Whatever the address says that makes no sense is as if it were not there."""

    def text(name: str, longest: int) -> str:
        return query.get(name, "").replace("\x00", "").strip()[:longest]

    try:
        position = UUID(text("position", 36)) if text("position", 36) else None
    except ValueError:
        position = None
    storey = text("storey", 130)
    return ElementFilters(
        ifc_class=text("class", 60),
        storey=storey.removeprefix("at:") if storey.startswith("at:") else None,
        q=text("q", 200),
        position=position,
        is_unmeasured=query.get("unmeasured") == "yes",
    )


def _storeys(project: Any, elements: Any) -> list[str]:
    """From the lowest, as the models say; "" for elements that stand in none."""
    names = set(elements.order_by().values_list("storey", flat=True).distinct())
    models = [document.extracted_data.get("model", {}) for document in models_of(project)]
    told = [name for model in models for name in model.get("storeys", [])]
    known = [name for name in dict.fromkeys(told) if name in names]
    return known + sorted(names - set(known))


def _position(project_id: UUID, lineage: UUID | None) -> Position | None:
    if lineage is None:
        return None
    rows = Position.objects.filter(project_id=project_id, lineage=lineage).order_by("-added_in")
    position: Position | None = rows.only("number", "description", "lineage", "project_id").first()
    return position


def _shown(ratio: Ratio) -> dict[str, Any]:
    grade = {"usual": "green", "low": "amber", "high": "amber"}.get(ratio.state, "not_checked")
    words = {"assumed": "Assumed", "usual": "Usual", "low": "Below the usual", "high": "Above the usual"}.get(
        ratio.state, "No comparison"
    )
    return {"ratio": ratio, "grade": grade, "words": words}


@page
@require_safe
def profile_json(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The ratios with their usual ranges; figures as text."""
    project = visible_project(project_id=project_id, user=request.user)
    return JsonResponse({"ratios": [ratio_json(ratio) for ratio in ratios_of(project)]})


def ratio_json(ratio: Ratio) -> dict[str, Any]:
    figures = {name: getattr(ratio, name) for name in ("value", "over", "low", "high")}
    return {
        "key": ratio.key,
        "label": ratio.label,
        "unit": ratio.unit,
        **{name: None if value is None else str(value) for name, value in figures.items()},
        "state": ratio.state,
        "is_assumed": ratio.is_assumed,
        "source": ratio.source,
        "gap": ratio.gap,
    }


@page
@require_safe
def element(request: PageRequest, project_id: UUID, guid: str) -> HttpResponse:
    """One element, its quantities, and the positions it is counted in."""
    project = visible_project(project_id=project_id, user=request.user)
    found = BuildingElement.objects.filter(project=project, guid=guid).select_related("document")
    shown: BuildingElement | None = found.defer("document__indexed_content").order_by("-document__created_at").first()
    if shown is None:
        raise Missing("There is no such element: the model that had it was replaced by a newer one.", code="no_element")
    rows = Position.objects.filter(project=project, lineage__in=shown.positions, removed_in__isnull=True)
    context = {
        "project": project,
        "element": shown,
        "quantities": [
            (QUANTITY_WORDS.get(name, name), *figures) for name, figures in sorted(shown.quantities.items())
        ],
        "positions": rows.select_related("verdict").defer("measure", "long_text").order_by("ordinal", "pk"),
    }
    return render(request, "projects/element.html", context)


@page
@require_http_methods(["GET", "POST"])
@costly
def assumptions(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The table of what a model does not say; changed values make the positions anew."""
    project, context = opened(request, project_id, tab="building")
    if request.method == "POST":
        editable_project(project_id=project_id, user=request.user)
        values = {key: request.POST[key][:40] for key in BY_KEY if key in request.POST}
        values |= {key: "0" for key, one in BY_KEY.items() if one.is_yes_no and key not in request.POST}
        reason = request.POST.get("reason", "").replace("\x00", "").strip()[:500]
        job = change_assumptions(project_id=project_id, actor=request.user, values=values, reason=reason)
        message = "Saved. The positions were made anew and are being audited." if job else "Saved. No position changes."
        return go(request, message, reverse("projects:assumptions", args=[project_id]))
    rows = Assumptions.with_own(project.assumptions).rows()
    context["rows"] = [(one, value, is_own, f"{value.normalize():f}") for one, value, is_own in rows]
    return render(request, "projects/assumptions.html", context)
