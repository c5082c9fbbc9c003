"""Everything that a model does not say and a budget needs: one table, each value with its source.

A project changes them by its own values (`Assumptions.with_own`); what follows from one is an estimate and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from projects.audit.structural import FORMWORK_RANGES, STEEL_RANGES

D = Decimal
_STEEL_SOURCE = "middle of the usual range of the audit's rule S02: engineersgrid.com, “Thumb rules for reinforcement”"
_FORMWORK_SOURCE = "judgement; used only where the faces can't be measured. Range: the audit's rule S05"
_FORMWORK = {"footings": "2", "walls": "8", "columns": "10", "slabs": "5", "beams": "8"}
YES_NO = "yes or no"


@dataclass(frozen=True, slots=True)
class Assumption:
    key: str
    label: str
    value: Decimal  # yes or no: 1 or 0
    unit: str
    source: str
    low: Decimal | None = None  # the usual range
    high: Decimal | None = None

    @property
    def is_yes_no(self) -> bool:
        return self.unit == YES_NO


def _steel(kind: str) -> Assumption:
    low, high = STEEL_RANGES[kind]
    middle = D((low + high) // 2)
    return Assumption(f"steel.{kind}", f"Steel in {kind}", middle, "kg/m3", _STEEL_SOURCE, D(low), D(high))


def _formwork(kind: str, value: str) -> Assumption:
    low, high = FORMWORK_RANGES[kind]
    return Assumption(f"formwork.{kind}", f"Formwork of {kind}", D(value), "m2/m3", _FORMWORK_SOURCE, D(low), D(high))


TABLE: tuple[Assumption, ...] = (
    Assumption(
        "grouping.by_storey", "A position for each storey", D(1), YES_NO, "practice: works are paid storey by storey"
    ),
    Assumption(
        "concrete.footings", "Footings without a material are of concrete", D(1), YES_NO,
        "judgement: nearly all are; models from architects often give none",
    ),
    *(_steel(kind) for kind in STEEL_RANGES),
    *(_formwork(kind, value) for kind, value in _FORMWORK.items()),
    Assumption("formwork.stairs", "Formwork of stairs", D(6), "m2/m3", "judgement; used where faces can't be measured"),
    Assumption("density.steel", "Weight of steel sections", D(7850), "kg/m3", "EN 1991-1-1, table A.4"),
)  # fmt: skip
BY_KEY: Mapping[str, Assumption] = {one.key: one for one in TABLE}
LARGEST = D(100_000)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The table with a project's own values."""

    own: Mapping[str, Decimal]

    @classmethod
    def with_own(cls, own: Mapping[str, str] | None) -> Assumptions:
        """ValueError, in words for people, for a name that does not exist or a value that can't be."""
        values = {}
        for key, text in (own or {}).items():
            if key not in BY_KEY:
                raise ValueError(f"There is no assumption “{key}”.")
            values[key] = _checked(BY_KEY[key], str(text))
        return cls({key: value for key, value in values.items() if value != BY_KEY[key].value})

    def value(self, key: str) -> Decimal:
        return self.own.get(key, BY_KEY[key].value)

    def is_on(self, key: str) -> bool:
        return self.value(key) != 0

    def is_own(self, key: str) -> bool:
        return key in self.own

    def as_json(self) -> dict[str, str]:
        return {key: f"{value.normalize():f}" for key, value in self.own.items()}

    def rows(self) -> list[tuple[Assumption, Decimal, bool]]:
        """(assumption, the value that holds, whether it is the project's own)."""
        return [(one, self.value(one.key), self.is_own(one.key)) for one in TABLE]


def _checked(assumption: Assumption, text: str) -> Decimal:
    try:
        value = D(text.strip().replace(",", "."))
    except InvalidOperation as error:
        raise ValueError(f"{assumption.label}: this is not a number.") from error
    if not value.is_finite():
        raise ValueError(f"{assumption.label}: this is not a number.")
    if assumption.is_yes_no:
        return D(1) if value else D(0)
    if not 0 <= value <= LARGEST:
        raise ValueError(f"{assumption.label}: give a figure from 0 to {LARGEST:,}.")
    return value.quantize(D("0.0001")).normalize() + D(0)
