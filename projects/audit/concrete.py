"""Concrete: B01-B04, the classes that a position's text names."""

from __future__ import annotations

import re

from projects.audit import en206
from projects.audit.findings import Grade, Hit, Role, Suggestion
from projects.audit.registry import NOTHING, Said, Thresholds, position_rule
from projects.audit.view import BudgetView
from projects.parsers.bill import PositionKind

# Plain concrete "without raised demands on the environment": a screed or a bedding, not a structure
_UNDEMANDING = re.compile(r"bez zvýšených nároků na prostředí|prost(ého|ý) beton|betonu prostého", re.IGNORECASE)
_MISTYPED = {"XO": "X0"}


def _names_class(view: BudgetView, index: int) -> bool:
    return index in view.concrete_classes


def _names_exposure(view: BudgetView, index: int) -> bool:
    classes = view.concrete_classes.get(index)
    return classes is not None and bool(classes[1])


@position_rule(
    id="B01",
    version=1,
    role=Role.CONCRETE,
    title="Strength class that does not exist",
    source="EN 206, tables 12 and 13",
    applies=_names_class,
)
def strength_does_not_exist(view: BudgetView, index: int, t: Thresholds) -> Said:
    for prefix, cylinder, cube in view.concrete_classes[index][0]:
        if en206.is_class(prefix, cylinder, cube):
            continue
        written = f"{prefix}{cylinder}/{cube}"
        meant = en206.nearest_class(prefix, cylinder, cube)
        return (
            Hit(
                index,
                Grade.RED,
                f"EN 206 knows no strength class {written}.",
                {"written": written, "nearest": meant},
                subject="concrete_class",
                demand=meant,
                suggestion=Suggestion(f"Did you mean {meant}?", risk="The wrong concrete is ordered."),
            ),
        )
    return NOTHING


@position_rule(
    id="B02",
    version=1,
    role=Role.CONCRETE,
    title="Exposure class incomplete or unknown",
    source="EN 206, table 1",
    applies=_names_exposure,
)
def exposure_does_not_exist(view: BudgetView, index: int, t: Thresholds) -> Said:
    wrong = [name for name in view.concrete_classes[index][1] if name not in en206.EXPOSURES]
    if not wrong:
        return NOTHING
    first = wrong[0]
    meant = _MISTYPED.get(first, "")
    kind = "is incomplete" if len(first) == 2 and first != "XO" else "does not exist"
    advice = Suggestion(f"Write {meant}." if meant else "Name it in full, e.g. XC4.")
    evidence = {"written": wrong, "nearest": meant}
    return (Hit(index, Grade.AMBER, f"The exposure class {first} {kind}.", evidence, suggestion=advice),)


@position_rule(
    id="B03",
    version=1,
    role=Role.CONCRETE,
    title="Strength class too low for the exposure",
    source="EN 206-1:2000, table F.1 (recommended values, 50 years); no national annex loaded, so amber",
    applies=_names_exposure,
)
def strength_is_too_low(view: BudgetView, index: int, t: Thresholds) -> Said:
    strengths, exposures = view.concrete_classes[index]
    known = [name for name in exposures if name in en206.RECOMMENDED]
    if not known:
        return NOTHING
    demanding = max(known, key=lambda name: (en206.RECOMMENDED[name], name))
    needed = en206.RECOMMENDED[demanding]
    cylinder = max(low for _, low, _ in strengths)
    if cylinder >= needed:
        return NOTHING
    written = next(f"{prefix}{low}/{high}" for prefix, low, high in strengths if low == cylinder)
    target = en206.name_of(needed)
    return (
        Hit(
            index,
            Grade.AMBER,
            f"{demanding} calls for at least {target}; the position has {written}.",
            {"written": written, "exposures": list(exposures), "formula": f"{demanding}: {target}", "table": "F.1"},
            deviation=None,
            subject="concrete_class",
            demand=target,
            suggestion=Suggestion(f"Raise the class to {target}.", "Durable for 50 years.", "Costs more."),
        ),
    )


@position_rule(
    id="B04",
    version=1,
    role=Role.CONCRETE,
    title="Concrete without exposure class",
    source="EN 206, 6.2.2: the exposure class is part of every specification",
    applies=lambda view, index: _names_class(view, index) and view.positions[index].kind is not PositionKind.NOTE,
)
def exposure_is_missing(view: BudgetView, index: int, t: Thresholds) -> Said:
    """Info for plain concrete without raised demands, which is as good as X0."""
    if view.concrete_classes[index][1]:
        return NOTHING
    position = view.positions[index]
    is_plain = _UNDEMANDING.search(position.description) is not None
    prefix, low, high = view.concrete_classes[index][0][0]
    return (
        Hit(
            index,
            Grade.INFO if is_plain else Grade.AMBER,
            f"{prefix}{low}/{high} is named without an exposure class.",
            {"written": f"{prefix}{low}/{high}", "exposures": []},
            suggestion=Suggestion("Name the exposure class (XC2, XF3, …).", "The durable concrete is priced."),
            subject="exposure_class",
        ),
    )
