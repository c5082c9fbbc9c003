"""Structural: S01-S05, the logic of quantities within one family of the structure (see `families`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from projects.audit.facts import Element
from projects.audit.families import STRUCK, WITH_FAMILIES, Family
from projects.audit.findings import Grade, Hit, Role, Suggestion
from projects.audit.registry import SaidOfBudget, Thresholds, budget_rule
from projects.audit.view import BudgetView
from projects.audit.wording import place, plain

# kg of steel in a m3 of reinforced concrete, from and to: bar quantities by element, engineersgrid.com and
# "Thumb rules for reinforcement" (scribd 405774353)
STEEL_RANGES: Mapping[str, tuple[int, int]] = {
    "footings": (70, 130),
    "walls": (70, 150),
    "columns": (200, 450),
    "slabs": (67, 135),
    "beams": (100, 350),
    "stairs": (130, 170),
}
Cluster: TypeAlias = list[tuple[Decimal, Element]]  # kg of steel in a m3 of concrete
# m2 of formwork to a m3 of concrete, from and to [judgement, to be tuned]
FORMWORK_RANGES: Mapping[str, tuple[str, str]] = {
    "footings": ("0.2", "6"),
    "walls": ("1", "12"),
    "columns": ("1", "12"),
    "beams": ("1", "12"),
    "slabs": ("3", "8"),
}


@budget_rule(
    id="S01",
    version=1,
    role=Role.STRUCTURAL,
    title="Concrete without its formwork or reinforcement",
    source="structure of CS ÚRS: NNN321 concrete, NNN351 formwork, NNN361 reinforcement of one element",
    applies=lambda view, index: view.parts[index] in ("concrete", "reinforced concrete"),
)
def companion_is_missing(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """One hit per family, on its concrete. Plain concrete (31) needs no steel. Element positions in m2 are left out."""
    for family in view.families:
        concrete = [i for i in family.concrete if view.units[i] == "m3"]
        if not concrete:
            continue
        missing = [] if "formwork" in family.parts else ["formwork"]
        if family.reinforced_m3 and "reinforcement" not in family.parts:
            missing.append("reinforcement")
        if missing:
            yield _without(view, family, concrete[0], missing)


def _without(view: BudgetView, family: Family, index: int, missing: list[str]) -> Hit:
    names = " and ".join(missing)
    return Hit(
        index,
        Grade.AMBER,
        f"Concrete of family {family.code} in {family.object_code or 'the bill'} has no {names} beside it.",
        {
            "family": family.code,
            "present": {part: [view.positions[i].code for i in members] for part, members in family.parts.items()},
            "missing": missing,
            "formula": "NNN31/32 needs NNN35, and NNN32 needs NNN36",
        },
        related=family.members(index),
        subject=f"companions of {family.code}",
        suggestion=Suggestion(f"Add the {names}, or say how it is built without.", risk="Extra work later."),
    )


def _steel_rate(family: Family) -> Decimal | None:
    """kg of steel in a m3 of concrete; None where either is not there."""
    if not family.steel_t or not family.concrete_m3:
        return None
    return family.steel_t * 1000 / family.concrete_m3


@budget_rule(
    id="S02",
    version=1,
    role=Role.STRUCTURAL,
    title="Steel per m3 of reinforced concrete out of range",
    source="bar quantities by element: scribd 405774353, engineersgrid.com",
    applies=lambda view, index: view.parts[index] == "reinforcement",
)
def steel_is_out_of_range(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """On the reinforcement. Plain concrete with some steel in it is not judged."""
    for family in view.families:
        rate = _steel_rate(family)
        if rate is None or not family.reinforced_m3 or family.element not in STEEL_RANGES:
            continue
        low, high = STEEL_RANGES[family.element]
        widest = (low * t["S02.widen_low"], high * t["S02.widen_high"])
        is_red = rate < t["S02.red_low"] or rate > t["S02.red_high"]
        if is_red or not widest[0] <= rate <= widest[1]:
            yield _steel_hit(family, rate, (low, high), widest, is_red)


def _steel_hit(
    family: Family, rate: Decimal, usual: tuple[int, int], widest: tuple[Decimal, Decimal], is_red: bool
) -> Hit:
    index = family.parts["reinforcement"][0]
    is_low = rate < usual[0]
    target = Decimal(usual[0] if is_low else usual[1])
    return Hit(
        index,
        Grade.RED if is_red else Grade.AMBER,
        f"{round(rate)} kg of steel in a m3 of concrete; {family.element} usually have {usual[0]} to {usual[1]}.",
        {
            "family": family.code,
            "steel_t": plain(family.steel_t),
            "concrete_m3": plain(family.concrete_m3),
            "formula": "steel x 1000 / concrete",
            "rate": plain(round(rate, 1)),
            "threshold": f"{plain(widest[0])} to {plain(widest[1])} kg/m3",
        },
        deviation=min(abs(target - rate) / rate, Decimal(1)),
        related=family.members(index),
        subject="quantity",
        demand="raise" if is_low else "lower",
        suggestion=Suggestion("Compare with the reinforcement drawings."),
    )


@budget_rule(
    id="S03",
    version=2,
    role=Role.STRUCTURAL,
    title="The same steel ratio in several elements",
    source="practice: measured ratios differ; equal ones were assumed",
    applies=lambda view, index: view.parts[index] == "reinforcement",
)
def steel_is_assumed(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """One hit per cluster of equal ratios, on its dearest reinforcement. The ratios are those of the whole budget; of a
    part of it, the clusters are told whose reinforcement is there."""
    families = {(family.object_code, family.code): family for family in view.families}
    for cluster in steel_clusters(view, t):
        steel = [i for _, key in cluster if key in families for i in families[key].parts.get("reinforcement", ())]
        if steel:
            yield _assumed(view, cluster, steel)


def steel_clusters(view: BudgetView, t: Thresholds) -> list[Cluster]:
    """Elements with the same ratio, by facts of the whole budget: in the order of ratio, object, family."""
    rated = [(rate, key) for key, element in view.facts.elements.items() if (rate := element.steel_rate) is not None]
    clusters: list[Cluster] = []
    for pair in sorted(rated):
        if not clusters or pair[0] > clusters[-1][0][0] * (1 + t["S03.same"]):
            clusters.append([])
        clusters[-1].append(pair)
    return [cluster for cluster in clusters if len(cluster) >= t["S03.min_families"]]


def _assumed(view: BudgetView, cluster: Cluster, steel: list[int]) -> Hit:
    index = max(steel, key=lambda i: (view.amounts[i], -i))
    names = ", ".join(f"{family} in {object_code}" for _, (object_code, family) in cluster)
    return Hit(
        index,
        Grade.AMBER,
        f"{len(cluster)} elements have the same {round(cluster[0][0])} kg of steel in a m3 ({names}): assumed, not "
        "measured.",
        {"rates": [plain(round(rate, 2)) for rate, _ in cluster], "formula": "steel x 1000 / concrete"},
        related=tuple(i for i in steel if i != index),
        suggestion=Suggestion("Measure the reinforcement from drawings or the structural calculation."),
    )


_ERECTED = re.compile(r"^\s*(zřízení|montáž|herstellen|aufbau|erect)", re.IGNORECASE)


def is_temporary(view: BudgetView, index: int) -> bool:
    return view.parts[index] == "formwork" or _is_scaffold(view, index)


def _is_scaffold(view: BudgetView, index: int) -> bool:
    return view.code_classes[index] in WITH_FAMILIES and view.positions[index].code[:2] == "94"


@budget_rule(
    id="S04",
    version=1,
    role=Role.STRUCTURAL,
    title="Erected and struck quantities differ",
    source="structure of CS ÚRS: NNN351xx1 erects, NNN351xx2 strikes; 941 1 / 2 / 8 erects, rents, removes",
    applies=is_temporary,
)
def temporary_works_differ(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Formwork and scaffolding by object and family: what goes up comes down, the same m2."""
    groups: dict[tuple[str, str, str], tuple[list[int], list[int]]] = {}
    for index, position in enumerate(view.positions):
        if not is_temporary(view, index) or position.quantity is None:
            continue
        key = (position.object_code, position.code[:3], view.units[index] or position.unit or "")
        erected, struck = groups.setdefault(key, ([], []))
        if STRUCK.search(position.description):
            struck.append(index)
        elif _ERECTED.search(position.description):
            erected.append(index)
    for (_, family, unit), (erected, struck) in groups.items():
        yield from _compare_temporary(view, family, unit, (erected, struck), t)


def _compare_temporary(
    view: BudgetView, family: str, unit: str, both: tuple[list[int], list[int]], t: Thresholds
) -> SaidOfBudget:
    erected, struck = both
    up, down = (sum((view.positions[i].quantity or Decimal(0) for i in side), Decimal(0)) for side in both)
    if abs(up - down) <= t["S04.tolerance"] * max(up, down):
        return
    index = (erected or struck)[0]
    yield Hit(
        index,
        Grade.RED,
        f"{plain(up)} {unit} of group {family} are erected but {plain(down)} {unit} struck.",
        {
            "erected": plain(up),
            "struck": plain(down),
            "formula": "erected = struck",
            "threshold": plain(t["S04.tolerance"]),
            "positions": [place(view.positions[i]) for i in (*erected, *struck)],
        },
        deviation=abs(up - down) / max(up, down),
        related=tuple(i for i in (*erected, *struck) if i != index),
        suggestion=Suggestion("Bring both to the same quantity."),
    )


@budget_rule(
    id="S05",
    version=1,
    role=Role.STRUCTURAL,
    title="Formwork per m3 of concrete out of range",
    source="geometry of usual members; judgement, to be tuned",
    applies=lambda view, index: view.parts[index] == "formwork",
)
def formwork_is_out_of_range(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    for family in view.families:
        bounds = FORMWORK_RANGES.get(family.element)
        if bounds is None or not family.formwork_m2 or not family.concrete_m3:
            continue
        rate = family.formwork_m2 / family.concrete_m3
        if Decimal(bounds[0]) <= rate <= Decimal(bounds[1]):
            continue
        index = family.parts["formwork"][0]
        yield Hit(
            index,
            Grade.AMBER,
            f"{plain(round(rate, 2))} m2 of formwork to a m3 of concrete; {family.element} usually have "
            f"{bounds[0]} to {bounds[1]}.",
            {
                "family": family.code,
                "formwork_m2": plain(family.formwork_m2),
                "concrete_m3": plain(family.concrete_m3),
                "rate": plain(round(rate, 3)),
                "threshold": f"{bounds[0]} to {bounds[1]} m2/m3",
            },
            related=family.members(index),
            subject="quantity",
            demand="raise" if rate < Decimal(bounds[0]) else "lower",
        )
