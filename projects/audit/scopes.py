"""What each rule reads beyond the position it speaks of: which other positions an edit makes worth asking anew.

A rule that is not in this table, or whose version is another one, has no declared scope: then everything is audited.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from projects.audit.codes import family_of
from projects.audit.cost import is_in_group
from projects.audit.earthworks import EARTHWORK_FAMILIES, is_earthwork
from projects.audit.facts import lump_units
from projects.audit.families import family_code, written_families
from projects.audit.registry import Rule, Thresholds
from projects.audit.structural import is_temporary, steel_clusters
from projects.audit.units import normalise
from projects.audit.validator_codes import may_be_duplicate
from projects.audit.view import BudgetView
from projects.parsers.bill import Billing


@dataclass(frozen=True, slots=True)
class Selector:
    """Which current positions to fetch: those that agree in everything that is not None."""

    object_code: str | None = None
    section_path: tuple[str, ...] | None = None
    code: str | None = None
    families: tuple[str, ...] | None = None  # the code's first three characters
    kind: str | None = None
    description: str | None = None
    lumps: tuple[str, ...] | None = None  # units as written, or billed as a lump sum
    least: Decimal | None = None  # what it costs, roughly: a little less may be meant
    is_first: bool = False  # only the first few in the order of the budget

    def matches(self, view: BudgetView, index: int) -> bool:
        """The same, of a position at hand (`is_first` left out)."""
        p = view.positions[index]
        return (
            self.object_code in (None, p.object_code)
            and self.section_path in (None, p.section_path)
            and self.code in (None, p.code)
            and (self.families is None or p.code[:3] in self.families)
            and self.kind in (None, p.kind.value)
            and self.description in (None, p.description)
            and (self.lumps is None or p.unit in self.lumps or p.billing is Billing.LUMP_SUM)
            and (self.least is None or view.amounts[index] >= self.least)
        )


class Reach(StrEnum):
    OWN = "own"  # the position itself, the context and the facts; what it says of others stands
    NEIGHBOUR = "neighbour"  # the position directly before it, too
    GROUP = "group"  # all positions with the same key
    WHOLE = "whole"  # a few positions, chosen by facts of the whole budget


Key: TypeAlias = Hashable
KeyOf: TypeAlias = Callable[[BudgetView, int], "Key | None"]
Selects: TypeAlias = Callable[[BudgetView, int], Sequence[Selector]]
Chooses: TypeAlias = Callable[[BudgetView, Thresholds], Sequence[Selector]]
Linked: TypeAlias = Mapping[Key, Sequence[tuple[Key, Hashable]]]


@dataclass(frozen=True, slots=True)
class Scope:
    """`key`: the group a position is in, None where it is in none. `selectors`: where all of that group are found.

    `links`: groups that are spoken of together, where facts of the whole budget tell which: by key, the keys of all of
    them with what the facts say of each. An edit that touches one, or changes the link, touches all, which `of_key`
    finds. Groups may be wider than the rule's own, never narrower. `is_unknown`: whether, in this context, it can't be
    said what the rule reads.
    """

    version: int
    reach: Reach
    key: KeyOf | None = None
    selectors: Selects | None = None
    links: Callable[[BudgetView, Thresholds], Linked] | None = None
    of_key: Callable[[Key], Sequence[Selector]] | None = None
    chooses: Chooses | None = None
    is_unknown: Callable[[BudgetView], bool] | None = None


def _by_code(view: BudgetView, index: int) -> Key | None:
    return view.positions[index].code if view.is_catalogue_code[index] else None


def _of_code(view: BudgetView, index: int) -> Sequence[Selector]:
    return (Selector(code=view.positions[index].code),)


def _by_item(view: BudgetView, index: int) -> Key | None:
    p = view.positions[index]
    return (p.object_code, p.code, p.description) if may_be_duplicate(view, index) else None


def _of_item(view: BudgetView, index: int) -> Sequence[Selector]:
    p = view.positions[index]
    return (Selector(object_code=p.object_code, code=p.code, description=p.description),)


def _by_section(view: BudgetView, index: int) -> Key | None:
    p = view.positions[index]
    return (p.object_code, p.section_path)


def of_section(view: BudgetView, index: int) -> Sequence[Selector]:
    p = view.positions[index]
    return (Selector(object_code=p.object_code, section_path=p.section_path),)


def _by_price_group(view: BudgetView, index: int) -> Key | None:
    p = view.positions[index]
    return (p.kind, family_of(p.code), view.units[index] or p.unit or "") if is_in_group(view, index) else None


def _of_price_group(view: BudgetView, index: int) -> Sequence[Selector]:
    p = view.positions[index]
    return (Selector(kind=p.kind.value, families=(p.code[:3],)),)


def _by_family(view: BudgetView, index: int) -> Key | None:
    p = view.positions[index]
    return (p.object_code, family_code(p.code)) if view.parts[index] else None


def _of_family(view: BudgetView, index: int) -> Sequence[Selector]:
    p = view.positions[index]
    return (Selector(object_code=p.object_code, families=written_families(family_code(p.code))),)


def _by_steel(view: BudgetView, index: int) -> Key | None:
    p = view.positions[index]
    return (p.object_code, family_code(p.code)) if view.parts[index] == "reinforcement" else None


def _same_steel(view: BudgetView, t: Thresholds) -> Linked:
    return {key: [(key, rate) for rate, key in cluster] for cluster in steel_clusters(view, t) for _, key in cluster}


def _of_element(key: Key) -> Sequence[Selector]:
    assert isinstance(key, tuple)
    return (Selector(object_code=key[0], families=written_families(key[1])),)


def _by_temporary(view: BudgetView, index: int) -> Key | None:
    p = view.positions[index]
    return (p.object_code, p.code[:3]) if is_temporary(view, index) else None


def _of_temporary(view: BudgetView, index: int) -> Sequence[Selector]:
    p = view.positions[index]
    return (Selector(object_code=p.object_code, families=(p.code[:3],)),)


def _by_soil(view: BudgetView, index: int) -> Key | None:
    return view.positions[index].object_code if is_earthwork(view, index) else None


def _of_soil(view: BudgetView, index: int) -> Sequence[Selector]:
    return (Selector(object_code=view.positions[index].object_code, families=EARTHWORK_FAMILIES),)


def _dominating(view: BudgetView, t: Thresholds) -> Sequence[Selector]:
    total = view.grand_total
    return (Selector(least=t["C05.share"] * total),) if total > 0 else ()


def _lump_sums(view: BudgetView, t: Thresholds) -> Sequence[Selector]:
    total = view.grand_total
    if total <= 0:
        return ()
    written = list(view.facts.units)
    lumps = tuple(lump_units(written, map(normalise, written)))
    dear = Selector(lumps=lumps, least=t["C06.share_one"] * total)
    return (dear, Selector(lumps=lumps, is_first=True))


def _has_blank(view: BudgetView) -> bool:
    return view.blank is not None


def _may_speak_of_others(view: BudgetView) -> bool:
    """Whether what a file hides is said of the budget when no position stands there any more."""
    return any(facts.hidden_sheets or facts.errors or facts.remarks for facts in view.file_facts or ())


_OWN = Scope(1, Reach.OWN)
_CODE = Scope(1, Reach.GROUP, _by_code, _of_code)
_FAMILY = Scope(1, Reach.GROUP, _by_family, _of_family)
_FILE = Scope(1, Reach.OWN, is_unknown=_may_speak_of_others)

SCOPES: dict[str, Scope] = {
    **dict.fromkeys(("V01", "V02", "V03", "V04", "V05", "V06", "V07", "V09"), _OWN),
    "V08": Scope(2, Reach.OWN),
    "V10": Scope(1, Reach.GROUP, _by_item, _of_item),
    "V11": _CODE,
    "V12": _CODE,
    "V13": Scope(2, Reach.OWN, is_unknown=_has_blank),
    "V14": _FILE,
    "C01": Scope(1, Reach.GROUP, _by_section, of_section),
    "C02": _CODE,
    "C03": Scope(1, Reach.GROUP, _by_price_group, _of_price_group),
    "C04": Scope(2, Reach.OWN),
    "C05": Scope(1, Reach.WHOLE, chooses=_dominating),
    "C06": Scope(1, Reach.WHOLE, chooses=_lump_sums),
    **dict.fromkeys(("C07", "C09", "C10"), _OWN),
    "C08": Scope(2, Reach.OWN),
    **dict.fromkeys(("S01", "S02", "S05"), _FAMILY),
    "S03": Scope(2, Reach.GROUP, _by_steel, links=_same_steel, of_key=_of_element),
    "S04": Scope(1, Reach.GROUP, _by_temporary, _of_temporary),
    **dict.fromkeys(("S06", "S07"), Scope(1, Reach.NEIGHBOUR)),
    "S08": Scope(1, Reach.GROUP, _by_soil, _of_soil),
    "S09": _OWN,
    **dict.fromkeys(("B01", "B02", "B03", "B04"), _OWN),
    **dict.fromkeys(("N01", "N02"), Scope(2, Reach.OWN)),
    **dict.fromkeys(("N03", "N04"), _OWN),
    "N05": _FILE,
}


def undeclared(rules: Sequence[Rule], view: BudgetView, lacking: object = ()) -> str:
    """Why it can't be known what the rules read; "" if it is known of all of them."""
    for rule in rules:
        if rule.scope == "verdict" or rule.id in lacking:  # type: ignore[operator]
            continue
        scope = SCOPES.get(rule.id)
        if scope is None or scope.version != rule.version:
            return f"it is not declared what rule {rule.id} (version {rule.version}) reads"
        if scope.is_unknown is not None and scope.is_unknown(view):
            return f"rule {rule.id} compares the whole budget with another file"
    return ""
