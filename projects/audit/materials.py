"""Structural, materials: S06 (waste) and S07 (implied thickness)."""

from __future__ import annotations

import re
from decimal import Decimal

from projects.audit.findings import Grade, Hit, Role, Suggestion
from projects.audit.registry import SaidOfBudget, Thresholds, budget_rule
from projects.audit.view import BudgetView
from projects.audit.wording import place, plain
from projects.parsers.bill import PositionKind

_SAME_MEASURE = frozenset({"m", "m2", "m3", "kg", "t"})
_OPENINGS = re.compile(r"okn|dveř|vrat|window|door|fenster|tür", re.IGNORECASE)


def pairs_of_work_and_material(view: BudgetView) -> list[tuple[int, int]]:
    """(work, material): a material in the same section directly after a work, both by the same measure."""
    pairs = []
    for index in range(1, len(view)):
        work, material = view.positions[index - 1], view.positions[index]
        if material.kind is not PositionKind.MATERIAL or work.kind is not PositionKind.WORK:
            continue
        if material.section_path != work.section_path or material.object_code != work.object_code:
            continue
        unit = view.units[index]
        if unit not in _SAME_MEASURE or unit != view.units[index - 1] or not work.quantity or not material.quantity:
            continue
        if not _OPENINGS.search(material.description):
            pairs.append((index - 1, index))
    return pairs


def _is_paired_material(view: BudgetView, index: int) -> bool:
    position = view.positions[index]
    if index == 0 or position.kind is not PositionKind.MATERIAL or view.units[index] not in _SAME_MEASURE:
        return False
    return view.units[index] == view.units[index - 1] and view.positions[index - 1].kind is PositionKind.WORK


@budget_rule(
    id="S06",
    version=1,
    role=Role.STRUCTURAL,
    title="Material does not fit the work before it",
    source="waste of 3 to 15 %, laps up to 35 %; counts, windows and doors left out",
    applies=_is_paired_material,
)
def material_differs_from_work(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    low, high = t["S06.low"], t["S06.high"]
    for work_index, index in pairs_of_work_and_material(view):
        work, material = view.positions[work_index], view.positions[index]
        assert work.quantity is not None and material.quantity is not None
        ratio = material.quantity / work.quantity
        if low <= ratio <= high:
            continue
        is_short = ratio < low
        yield Hit(
            index,
            Grade.AMBER,
            f"{plain(material.quantity)} {material.unit} of material for {plain(work.quantity)} {work.unit} of work "
            f"({place(work)}): {'less than needed' if is_short else 'more than waste explains'}.",
            {
                "material": plain(material.quantity),
                "work": plain(work.quantity),
                "ratio": plain(round(ratio, 3)),
                "threshold": f"{plain(low)} to {plain(high)}",
            },
            deviation=min(abs(1 - ratio) / ratio, Decimal(1)),
            related=(work_index,),
            subject="quantity",
            demand="raise" if is_short else "lower",
            suggestion=Suggestion("Compare both quantities; more than one material may share the work."),
        )


_THICKNESS = re.compile(
    r"(?<!\w)(?:tl|tloušť\w*|dicke|stärke|d\s*=|thick(?:ness)?|thk|espesor)\.?\s*[:=]?\s*(?:(?:do|přes|od|max|min|cca|ca|bis|von"
    r"|až|of)\.?\s*)*"
    r"(\d{1,4}(?:[.,]\d{1,3})?)(?:\s*(?:-|–|až|do|to|bis)\s*(\d{1,4}(?:[.,]\d{1,3})?))?\s*(mm|cm|dm|m)(?!\w)",
    re.IGNORECASE,
)
_METRES = {"mm": Decimal("0.001"), "cm": Decimal("0.01"), "dm": Decimal("0.1"), "m": Decimal(1)}


def thickness_m(text: str) -> Decimal | None:
    """The thickness that a text names ("tl. 24-30 mm", "tloušťky přes 5 do 10 cm"), of a range its upper end."""
    found = _THICKNESS.search(text)
    if found is None:
        return None
    figure = (found[2] or found[1]).replace(",", ".")
    return Decimal(figure) * _METRES[found[3].lower()]


def _is_material_by_volume(view: BudgetView, index: int) -> bool:
    return (
        index > 0
        and view.units[index] == "m3"
        and view.positions[index].kind is PositionKind.MATERIAL
        and view.units[index - 1] in ("m2", "m")
        and view.positions[index - 1].kind is PositionKind.WORK
    )


@budget_rule(
    id="S07",
    version=1,
    role=Role.STRUCTURAL,
    title="More material than the thickness allows",
    source="volume over area is a thickness; what the text names is at most doubled by laps and unevenness",
    applies=_is_material_by_volume,
)
def material_is_too_thick(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """m3 of material directly after m2 or m of work. Where a text names the thickness of an area, that decides;
    else half a cubic metre to the square metre or metre is too much."""
    for index in range(1, len(view)):
        if not _is_material_by_volume(view, index):
            continue
        work, material = view.positions[index - 1], view.positions[index]
        if (work.object_code, work.section_path) != (material.object_code, material.section_path):
            continue
        if work.quantity and material.quantity and work.quantity > 0:
            yield from _thickness(view, index, material.quantity / work.quantity, t)


def _thickness(view: BudgetView, index: int, implied: Decimal, t: Thresholds) -> SaidOfBudget:
    work, material = view.positions[index - 1], view.positions[index]
    named = (
        thickness_m(material.description) or thickness_m(work.description) if view.units[index - 1] == "m2" else None
    )
    limit = named * t["S07.times_named"] if named else t["S07.most"]
    if implied <= limit:
        return
    said = f"the text names {plain(named * 1000)} mm" if named else "no text names such a thickness"
    yield Hit(
        index,
        Grade.RED,
        f"{plain(material.quantity)} m3 of material for {plain(work.quantity)} {work.unit} of work ({place(work)}) are "
        f"{plain(round(implied * 1000, 0))} mm; {said}.",
        {
            "material": plain(material.quantity),
            "work": plain(work.quantity),
            "formula": "material / work",
            "implied_m": plain(round(implied, 4)),
            "named_m": plain(named),
            "threshold": f"{plain(limit)} m",
        },
        deviation=1 - limit / implied,
        related=(index - 1,),
        subject="quantity",
        demand="lower",
        suggestion=Suggestion("Check both quantities and their units.", risk="Far too much is ordered and paid."),
    )
