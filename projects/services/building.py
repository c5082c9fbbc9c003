"""What a project knows of its building: sums of its elements, ratios, what positions came from which. Reads only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, DecimalField, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from config.cache import get_or_set

from ..audit.estimates import is_estimated
from ..audit.view import BudgetView
from ..ifc.profile import Ratio, profile_of
from ..models import BuildingElement, Position, Project
from .audit_view import view_of
from .modelling import models_of

FIGURE: DecimalField[Any, Any] = DecimalField(max_digits=24, decimal_places=4)
FROM_LISTED = 20


def figure(name: str) -> Cast:
    """The value of one of an element's quantities, in SQL."""
    return Cast(KeyTextTransform("0", KeyTransform(name, "quantities")), FIGURE)


@dataclass(frozen=True, slots=True)
class ElementFilters:
    """What of the elements is asked for; "" or None: all."""

    ifc_class: str = ""
    storey: str | None = None
    q: str = ""
    position: UUID | None = None
    is_unmeasured: bool = False

    @property
    def is_narrowed(self) -> bool:
        return bool(self.ifc_class or self.storey is not None or self.q or self.position or self.is_unmeasured)


def elements_of(project: Project, filters: ElementFilters) -> QuerySet[BuildingElement]:
    found = BuildingElement.objects.filter(project=project)
    if filters.ifc_class:
        found = found.filter(ifc_class=filters.ifc_class)
    if filters.storey is not None:
        found = found.filter(storey=filters.storey)
    if filters.is_unmeasured:
        found = found.exclude(quantities__has_key="volume")
    if filters.position is not None:
        found = found.filter(positions__contains=[str(filters.position)])
    for word in filters.q.split()[:8]:
        found = found.filter(
            Q(name__icontains=word) | Q(type_name__icontains=word) | Q(material__icontains=word) | Q(guid=word)
        )
    return found.order_by("storey", "ifc_class", "name", "pk")


def sums_of(elements: QuerySet[BuildingElement], *by: str) -> list[dict[str, Any]]:
    """Per value of `by` (ifc_class, storey): elements, unmeasured (without a volume), volume m3, area m2. One query."""
    grouped = elements.order_by().values(*by)
    return list(
        grouped.annotate(
            elements=Count("pk"),
            unmeasured=Count("pk", filter=~Q(quantities__has_key="volume")),
            volume=Sum(figure("volume")),
            area=Sum(figure("area")),
        ).order_by(*by)
    )


def floor_area_of(project: Project) -> tuple[Decimal | None, str]:
    """m2 and where it is from; of several models, added up."""
    told = [document.extracted_data.get("model", {}) for document in models_of(project)]
    areas = [(Decimal(one["floor_area_m2"]), one["floor_area_source"]) for one in told if one.get("floor_area_m2")]
    if not areas:
        return None, ""
    return sum((area for area, _ in areas), Decimal(0)), "; ".join(source for _, source in areas)


def ratios_of(project: Project) -> list[Ratio]:
    """Of the current version. Kept until the project is next written to: it reads every position."""

    def computed() -> list[dict[str, Any]]:
        if not project.total_positions:
            return []
        view = view_of(project=project)
        rows = profile_of(view.families, floor_area_of(project)[0], assumed=_assumed(view))
        return [{name: str(v) if isinstance(v, Decimal) else v for name, v in asdict(row).items()} for row in rows]

    return [_ratio(row) for row in get_or_set("ratio_profile", (project.pk, project.updated_at), computed)]


def _assumed(view: BudgetView) -> set[str]:
    """Ratios that estimates by the m3 come to: "steel.walls"."""
    told = {"reinforcement": "steel", "formwork": "formwork"}
    return {
        f"{told[part]}.{family.element}"
        for family in view.families
        for part, indexes in family.parts.items()
        if part in told and any(is_estimated(view, index) for index in indexes)
    }


def _ratio(kept: dict[str, Any]) -> Ratio:
    figures = ("value", "over", "low", "high")
    values: dict[str, Any] = {name: Decimal(v) if name in figures and v is not None else v for name, v in kept.items()}
    return Ratio(**values)


@dataclass(frozen=True, slots=True)
class Made:
    """How a model made a position. `elements`: the first of them; `number`: how many there are."""

    basis: str
    is_estimate: bool
    assumptions: list[str]
    elements: list[BuildingElement]
    number: int


def made_of(row: Position) -> Made | None:
    """None for a position that no model made. One query."""
    told = (row.enrichment or {}).get("model")
    if not isinstance(told, dict) or row.origin != Position.Origin.GENERATED:
        return None
    guids = told.get("guids", [])
    first = BuildingElement.objects.filter(project_id=row.project_id, guid__in=guids[:FROM_LISTED])
    return Made(
        basis=told.get("basis", ""),
        is_estimate=bool(told.get("is_estimate")) and bool(row.quantity_reason),
        assumptions=list(told.get("assumptions", [])),
        elements=list(first.order_by("storey", "name", "pk")),
        number=len(guids),
    )
