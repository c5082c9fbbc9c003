"""Are two bills the same budget? Proven position by position, or every difference listed.

Positions are matched by what they say, not by where a dialect puts them: first those that agree in code, text, unit,
quantity and price; what is left over by ever less, so that a change is shown as a change and not as one position that
went and one that came. Texts are compared without regard to white space and to how a sign is encoded (m² is m2),
figures by their value, units by the name they have once the caller's `unit_name` has put spellings together.
"""

from __future__ import annotations

import hashlib
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from projects.parsers.bill import Bill, BillPosition
from projects.parsers.totals import position_total

FIELDS = ("code", "description", "unit", "quantity", "unit_price", "total", "kind", "billing")
_ZERO = Decimal(0)


class Verdict(StrEnum):
    EQUAL = "equal"
    REORDERED = "reordered"  # the same positions, some of them in another order
    DIFFERENT = "different"


class Fact(NamedTuple):
    """One position as it is compared; texts as written, `total` as it counts in sums."""

    number: str
    code: str
    description: str
    unit: str
    quantity: Decimal | None
    unit_price: Decimal | None
    total: Decimal | None
    kind: str
    billing: str
    object_code: str = ""
    section: str = ""
    counts: bool = True
    has_measure: bool = False
    price_system: str = ""
    vat_rate: Decimal | None = None
    source: str = ""


def fact_of(position: BillPosition, bill: Bill) -> Fact:
    return Fact(
        number=position.number,
        code=position.code,
        description=position.description,
        unit=position.unit or "",
        quantity=position.quantity,
        unit_price=position.unit_price,
        total=position_total(position, bill.header.rounding),
        kind=position.kind.value,
        billing=position.billing.value,
        object_code=position.object_code,
        section=" › ".join(position.section_path),
        counts=position.billing.counts,
        has_measure=bool(position.measure),
        price_system=position.price_system,
        vat_rate=position.vat_rate,
        source=position.source,
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """The same position on both sides; `fields` are those that differ, none for one that only stands elsewhere."""

    left: Fact
    right: Fact
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    positions: int
    total: Decimal  # of what counts
    digest: str  # SHA-256 of everything compared, in order: equal on both sides where the budgets are


@dataclass(frozen=True, slots=True)
class Equality:
    """`matched`: positions that agree in every field of `FIELDS`. `unproven`: what was not compared, for people."""

    verdict: Verdict
    left: Side
    right: Side
    matched: int
    changed: tuple[Pair, ...]
    moved: tuple[Pair, ...]
    only_left: tuple[Fact, ...]
    only_right: tuple[Fact, ...]
    unproven: tuple[str, ...]

    @property
    def delta(self) -> Decimal:
        """right − left."""
        return self.right.total - self.left.total


class _Key(NamedTuple):
    code: str
    text: str
    unit: str
    quantity: str
    unit_price: str
    total: str
    kind: str
    billing: str


# What is left over is paired by these, the surest first; in each the first with the first, the second with the second.
_STAGES: tuple[Callable[[Fact, _Key], Hashable], ...] = (
    lambda fact, key: (key.code, key.text, key.unit, key.quantity, key.unit_price),  # kind, billing or total differ
    lambda fact, key: (fact.object_code, _number(fact), key.code, key.text) if fact.number else None,
    lambda fact, key: (key.code, key.text, key.quantity) if key.text else None,
    lambda fact, key: (key.code, key.text) if key.text else None,
    lambda fact, key: (fact.object_code, _number(fact), key.code) if fact.number and key.code else None,
    lambda fact, key: (fact.object_code, fact.section, _number(fact)) if fact.number else None,
    lambda fact, key: (fact.object_code, _number(fact)) if "." in fact.number else None,  # a path: it says where
    lambda fact, key: (key.code, key.unit, key.quantity, key.unit_price) if key.code and key.quantity else None,
)


def _number(fact: Fact) -> str:
    return fact.number.casefold()


def same_text(text: str) -> str:
    """A text as it is compared: one form of each sign, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def same_figure(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}" if value else "0"


def compare(
    left: Iterable[Fact], right: Iterable[Fact], unit_name: Callable[[str], str] = lambda unit: same_text(unit).lower()
) -> Equality:
    """Both sides stand in memory; time grows with n log n. `unit_name` says which spellings are one unit."""
    sides = _Sides(tuple(left), tuple(right), unit_name)
    pairs = sides.paired()
    changed, same = [], []
    for i, j in pairs:
        fields = sides.differing(i, j)
        if fields:
            changed.append(Pair(sides.left[i], sides.right[j], fields))
        else:
            same.append((i, j))
    moved = [Pair(sides.left[i], sides.right[j]) for i, j in _out_of_order(pairs)]
    lost = [fact for i, fact in enumerate(sides.left) if i not in sides.taken_left]
    new = [fact for j, fact in enumerate(sides.right) if j not in sides.taken_right]
    is_different = bool(changed or lost or new)
    verdict = Verdict.DIFFERENT if is_different else Verdict.REORDERED if moved else Verdict.EQUAL
    return Equality(
        verdict=verdict,
        left=_side(sides.left, sides.left_keys),
        right=_side(sides.right, sides.right_keys),
        matched=len(same),
        changed=tuple(changed),
        moved=tuple(moved),
        only_left=tuple(lost),
        only_right=tuple(new),
        unproven=_unproven(sides, pairs),
    )


class _Sides:
    def __init__(self, left: tuple[Fact, ...], right: tuple[Fact, ...], unit_name: Callable[[str], str]) -> None:
        self.left, self.right = left, right
        self.left_keys = [_key(fact, unit_name) for fact in left]
        self.right_keys = [_key(fact, unit_name) for fact in right]
        self.taken_left: set[int] = set()
        self.taken_right: set[int] = set()

    def paired(self) -> list[tuple[int, int]]:
        """Places of the same position on both sides, in the order of the left one."""
        pairs = self._stage(lambda fact, key: key)
        for of in _STAGES:
            pairs += self._stage(of)
        return sorted(pairs)

    def _stage(self, of: Callable[[Fact, _Key], Hashable]) -> list[tuple[int, int]]:
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for j in range(len(self.right) - 1, -1, -1):
            if j not in self.taken_right and (key := of(self.right[j], self.right_keys[j])) is not None:
                waiting[key].append(j)
        pairs = []
        for i, fact in enumerate(self.left):
            if i in self.taken_left or (key := of(fact, self.left_keys[i])) is None:
                continue
            if places := waiting.get(key):
                pairs.append((i, places.pop()))
        self.taken_left.update(i for i, _ in pairs)
        self.taken_right.update(j for _, j in pairs)
        return pairs

    def differing(self, i: int, j: int) -> tuple[str, ...]:
        both = zip(FIELDS, self.left_keys[i], self.right_keys[j], strict=True)
        return tuple(name for name, left, right in both if left != right)


def _key(fact: Fact, unit_name: Callable[[str], str]) -> _Key:
    return _Key(
        same_text(fact.code),
        same_text(fact.description),
        unit_name(fact.unit) if fact.unit else "",
        same_figure(fact.quantity),
        same_figure(fact.unit_price),
        same_figure(fact.total),
        fact.kind,
        fact.billing,
    )


def _side(facts: Sequence[Fact], keys: Sequence[_Key]) -> Side:
    digest = hashlib.sha256()
    for key in keys:
        digest.update("\x1f".join(key).encode() + b"\x1e")
    total = sum((fact.total for fact in facts if fact.counts and fact.total is not None), _ZERO)
    return Side(len(facts), total, digest.hexdigest())


def _out_of_order(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The fewest pairs without which the right side follows the left one: what is not in a longest rising run."""
    ends: list[int] = []  # the least end of a run of each length
    at: list[int] = []  # index of that pair
    before: list[int] = [-1] * len(pairs)
    for index, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before[index] = at[length - 1] if length else -1
        if length == len(ends):
            ends.append(j)
            at.append(index)
        else:
            ends[length], at[length] = j, index
    kept: set[int] = set()
    index = at[-1] if at else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return [pair for index, pair in enumerate(pairs) if index not in kept]


def _unproven(sides: _Sides, pairs: list[tuple[int, int]]) -> tuple[str, ...]:
    """What the two dialects say differently, or only one of them says: counted, not compared."""
    said = []
    measured = [sum(fact.has_measure for fact in side) for side in (sides.left, sides.right)]
    if any(measured):
        said.append(
            f"Measure sheets are not compared: {measured[0]:,} positions of the first have one, {measured[1]:,} of the "
            "second."
        )
    both = [(sides.left[i], sides.right[j]) for i, j in pairs]
    for name, words in (("object_code", "building object"), ("section", "section"), ("number", "number"),
                        ("price_system", "price system"), ("vat_rate", "VAT rate")):  # fmt: skip
        count = sum(getattr(one, name) != getattr(other, name) for one, other in both)
        if count:
            said.append(f"{count:,} paired positions name another {words} or none; that is not part of the proof.")
    return tuple(said)
