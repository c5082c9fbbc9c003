"""Validator, codes: V10-V12 within the budget, V13 against the file before pricing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from projects.audit.files import positions_by_number
from projects.audit.findings import BUDGET, Grade, Hit, Role, Suggestion
from projects.audit.registry import SaidOfBudget, Thresholds, budget_rule
from projects.audit.units import normalise
from projects.audit.view import AuditPosition, BudgetView
from projects.audit.wording import place, places, plain
from projects.parsers.bill import PositionKind


def may_be_duplicate(view: BudgetView, index: int) -> bool:
    position = view.positions[index]
    return not view.is_note[index] and bool(position.description) and bool(position.quantity)


@budget_rule(
    id="V10",
    version=1,
    role=Role.VALIDATOR,
    title="Duplicate position",
    source="RICS isurv: an item measured twice is paid twice",
    applies=may_be_duplicate,
)
def positions_repeat(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Same code, text, unit and quantity in one object. Own codes repeat legitimately: amber.

    Positions without any code (GAEB) must agree in section and long text too: short texts repeat there.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for index, p in enumerate(view.positions):
        if not may_be_duplicate(view, index):
            continue
        where: tuple[object, ...] = () if p.code else (p.section_path, p.long_text)
        key = (p.object_code, p.code, p.description, view.units[index] or p.unit, p.quantity, p.billing, where)
        groups.setdefault(key, []).append(index)
    for indexes in groups.values():
        if len(indexes) > 1:
            yield _duplicate(view, indexes)


def _duplicate(view: BudgetView, indexes: list[int]) -> Hit:
    first, *rest = indexes
    position = view.positions[rest[0]]
    is_catalogue = view.is_catalogue_code[first]
    others = tuple(i for i in indexes if i != rest[0])
    return Hit(
        rest[0],
        Grade.RED if is_catalogue else Grade.AMBER,
        f"The same item, {plain(position.quantity)} {position.unit or ''}, stands "
        f"{len(indexes)} times in {position.object_code or 'the bill'}: see "
        f"{places([view.positions[i] for i in others])}.",
        {"code": position.code, "quantity": plain(position.quantity), "times": len(indexes)},
        money_at_stake=sum((abs(view.amounts[i]) for i in rest), Decimal(0)),
        related=others,
        suggestion=Suggestion("Keep one of them, unless both were measured.", risk="Paid twice."),
    )


def _has_catalogue_code(view: BudgetView, index: int) -> bool:
    return view.is_catalogue_code[index]


@budget_rule(
    id="V11",
    version=1,
    role=Role.VALIDATOR,
    title="The same catalogue code twice in one object",
    source="practice: quantities of one item belong in one position",
    applies=_has_catalogue_code,
)
def code_repeats(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Info: sections by storey repeat codes for good reason. Equal quantities are V10's."""
    groups: dict[tuple[str, str], list[int]] = {}
    for code, indexes in view.by_code.items():
        for index in indexes:
            groups.setdefault((view.positions[index].object_code, code), []).append(index)
    for (object_code, code), indexes in groups.items():
        if len(indexes) < 2 or len({view.positions[i].quantity for i in indexes}) < len(indexes):
            continue
        where = places([view.positions[i] for i in indexes[1:]])
        yield Hit(
            indexes[0],
            Grade.INFO,
            f"Code {code} stands {len(indexes)} times in {object_code or 'the bill'}, quantities differ: {where}.",
            {"code": code, "quantities": [plain(view.positions[i].quantity) for i in indexes]},
            related=tuple(indexes[1:]),
        )


@budget_rule(
    id="V12",
    version=1,
    role=Role.VALIDATOR,
    title="The same catalogue code with different units",
    source="a catalogue code has one unit",
    applies=_has_catalogue_code,
)
def code_has_two_units(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """One hit per unit that is not the commonest; written differently ("kus", "ks") is not different."""
    for code, indexes in view.by_code.items():
        if len(indexes) < 2:
            continue
        by_unit: dict[str, list[int]] = {}
        for index in indexes:
            unit = view.units[index] or view.positions[index].unit
            if unit:
                by_unit.setdefault(unit, []).append(index)
        if len(by_unit) < 2:
            continue
        usual = max(by_unit, key=lambda unit: (len(by_unit[unit]), -by_unit[unit][0]))
        for unit, members in by_unit.items():
            if unit != usual:
                yield _two_units(view, code, members, by_unit[usual])


def _two_units(view: BudgetView, code: str, members: list[int], others: list[int]) -> Hit:
    here, there = view.positions[members[0]], view.positions[others[0]]
    return Hit(
        members[0],
        Grade.RED,
        f'Code {code} is measured in "{here.unit}" here and in "{there.unit}" at {place(there)}.',
        {"code": code, "unit": here.unit or "", "elsewhere": there.unit or ""},
        related=(*members[1:], *others),
        subject="unit",
        demand=there.unit or "",
        suggestion=Suggestion(f'Use "{there.unit}", or another code.', risk="Quantity and price do not fit together."),
    )


def _was_priced_from_a_file(view: BudgetView, index: int) -> bool:
    """Bids answer a client's file; other budgets have no unpriced file to compare with, unless one was chosen, even
    if it can't be read any more."""
    is_bid = view.phase == "X84" or view.is_public_tender or view.blank is not None or "blank" in view.absent
    return is_bid and view.is_priced and not view.is_note[index]


@budget_rule(
    id="V13",
    version=2,
    role=Role.VALIDATOR,
    title="Changed while pricing",
    source="tender conditions: only price cells may change between the unpriced file and the bid",
    applies=_was_priced_from_a_file,
    needs="blank",
)
def changed_while_pricing(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Code, text, unit, quantity and the rows themselves, against the same object and number in the unpriced file; of
    a bid joined to its tender also what the bid's own file says otherwise."""
    originals = {position.identity: position for position in view.blank or ()}
    for index, position in enumerate(view.positions):
        original = originals.pop(position.identity, None)
        if view.is_note[index]:
            continue
        if original is None:
            reason = "The unpriced file has no such position: it was added while pricing."
            yield Hit(index, Grade.RED, reason, {"identity": position.identity})
        elif changes := _changes(original, position, may_be_silent=view.phase == "X84"):
            yield _changed(index, changes)
    missing = [position for position in originals.values() if position.kind is not PositionKind.NOTE]
    if missing:
        yield Hit(
            BUDGET,
            Grade.RED,
            f"{len(missing)} positions of the unpriced file are missing: {places(missing)}.",
            {"missing": [position.identity for position in missing[:50]], "count": len(missing)},
            subject="rows removed",
        )
    yield from _changed_in_file(view)


def _changed(index: int, changes: dict[str, tuple[str, str]]) -> Hit:
    said = "; ".join(f'{name} "{after[:60]}" in place of "{before[:60]}"' for name, (before, after) in changes.items())
    return Hit(
        index,
        Grade.RED,
        f"Changed against the unpriced file: {said}.",
        {name: {"before": before, "after": after} for name, (before, after) in changes.items()},
        suggestion=Suggestion("Restore the client's values.", risk="The bid can be excluded."),
    )


def _changed_in_file(view: BudgetView) -> Iterator[Hit]:
    """The joined positions show the tender's values: what the bid's file has in their place counts for nothing, and
    is said."""
    numbers = positions_by_number(view)
    for facts in view.file_facts or ():
        for change in facts.changes:
            yield Hit(
                numbers.get(change.number, BUDGET),
                Grade.RED,
                f"{facts.document} differs from its tender, line {change.line}: {change.message}.",
                {"file": facts.document, "line": change.line, "field": change.code},
                subject=f"{facts.document} {change.code} {change.number}",
                suggestion=Suggestion("Ask the bidder: only prices may be entered.", risk="The bid can be excluded."),
            )


def _changes(original: AuditPosition, position: AuditPosition, *, may_be_silent: bool) -> dict[str, tuple[str, str]]:
    """Field -> (before, after). `may_be_silent`: a bid need not repeat what the tender says."""
    pairs = {
        "code": (original.code, position.code),
        "description": (" ".join(original.description.split()), " ".join(position.description.split())),
        "unit": (normalise(original.unit) or original.unit or "", normalise(position.unit) or position.unit or ""),
        "quantity": (plain(original.quantity), plain(position.quantity)),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1] and not (may_be_silent and pair[1] == "")}
