"""The ratio profile of a building: steel, formwork and concrete against each other and against the floor area.

From the families of the audit (projects.audit.families), so that it holds for any bill that has them, made from a model
or given. The ranges are those that the audit's rules S02 and S05 work with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from projects.audit.families import Family
from projects.audit.structural import FORMWORK_RANGES, STEEL_RANGES

STEEL_SOURCE = "rule S02: bar quantities by element, engineersgrid.com and “Thumb rules for reinforcement”"
FORMWORK_SOURCE = "rule S05: geometry of usual members; judgement"
FLOOR_RANGE = (Decimal("0.25"), Decimal("0.60"))
FLOOR_SOURCE = "judgement: storeyed buildings with a concrete frame"
ORDER = ("footings", "walls", "columns", "slabs", "beams", "stairs")


@dataclass(frozen=True, slots=True)
class Ratio:
    """`value` is None where one of the two is not in the budget; low and high: the usual range, if one is known."""

    key: str  # "steel.walls", "formwork.slabs", "concrete.floor"
    label: str
    unit: str
    value: Decimal | None
    over: Decimal  # the m3 of concrete, or the m2 of floor, that it is by
    low: Decimal | None = None
    high: Decimal | None = None
    source: str = ""
    gap: str = ""  # why there is no value
    is_assumed: bool = False  # made from a ratio itself: it says nothing about the building

    @property
    def state(self) -> str:
        """One of "usual", "low", "high", "assumed"; "" where nothing can be compared."""
        if self.value is None or self.low is None or self.high is None:
            return ""
        if self.is_assumed:
            return "assumed"
        return "low" if self.value < self.low else "high" if self.value > self.high else "usual"


@dataclass(slots=True)
class _Sums:
    concrete: Decimal = Decimal(0)
    reinforced: Decimal = Decimal(0)
    formwork: Decimal = Decimal(0)
    steel_kg: Decimal = Decimal(0)

    def add(self, family: Family) -> None:
        self.concrete += family.concrete_m3
        self.reinforced += family.reinforced_m3
        self.formwork += family.formwork_m2
        self.steel_kg += family.steel_t * 1000


def profile_of(
    families: Iterable[Family], floor_area_m2: Decimal | None, *, assumed: Collection[str] = ()
) -> list[Ratio]:
    """Steel and formwork by kind of element, then of the building; [] for a budget without concrete.

    `assumed`: keys of ratios ("steel.walls") whose positions are estimates by the m3.
    """
    sums: dict[str, _Sums] = {}
    whole = _Sums()
    for family in families:
        if family.element:
            sums.setdefault(family.element, _Sums()).add(family)
        whole.add(family)
    if not whole.concrete:
        return []
    kinds = [kind for kind in ORDER if kind in sums and sums[kind].concrete]
    steel = [_steel(kind, sums[kind]) for kind in kinds if sums[kind].reinforced]
    formwork = [_formwork(kind, sums[kind]) for kind in kinds]
    rows = [*steel, *formwork, *_of_building(whole, floor_area_m2)]
    return [replace(row, is_assumed=row.key in assumed) for row in rows]


def _steel(kind: str, of: _Sums) -> Ratio:
    low, high = STEEL_RANGES.get(kind, (None, None))
    value = _ratio(of.steel_kg, of.reinforced)
    return Ratio(
        f"steel.{kind}", f"Steel in {kind}", "kg/m3", value, of.reinforced,
        None if low is None else Decimal(low), None if high is None else Decimal(high),
        STEEL_SOURCE if low is not None else "", "" if value else "no reinforcement in the budget",
    )  # fmt: skip


def _formwork(kind: str, of: _Sums) -> Ratio:
    low, high = FORMWORK_RANGES.get(kind, (None, None))
    value = _ratio(of.formwork, of.concrete)
    return Ratio(
        f"formwork.{kind}", f"Formwork of {kind}", "m2/m3", value, of.concrete,
        None if low is None else Decimal(low), None if high is None else Decimal(high),
        FORMWORK_SOURCE if low is not None else "", "" if value else "no formwork in the budget",
    )  # fmt: skip


def _of_building(whole: _Sums, floor: Decimal | None) -> list[Ratio]:
    over = floor or Decimal(0)
    no_floor = "" if floor else "the floor area is not known: no building model states one"
    return [
        Ratio(
            "steel.building", "Steel, whole building", "kg/m3", _ratio(whole.steel_kg, whole.concrete), whole.concrete
        ),
        Ratio(
            "formwork.building", "Formwork, whole building", "m2/m3", _ratio(whole.formwork, whole.concrete),
            whole.concrete,
        ),
        Ratio(
            "concrete.floor", "Concrete by floor area", "m3/m2", _ratio(whole.concrete, over), over, *FLOOR_RANGE,
            FLOOR_SOURCE, no_floor,
        ),
        Ratio("steel.floor", "Steel by floor area", "kg/m2", _ratio(whole.steel_kg, over), over, gap=no_floor),
    ]  # fmt: skip


def _ratio(amount: Decimal, over: Decimal) -> Decimal | None:
    return round(amount / over, 3) if amount and over else None
