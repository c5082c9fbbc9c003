"""Files: V14 (what a workbook hides) and N05 (the form of GAEB files), from the facts taken when they were read."""

from __future__ import annotations

from collections.abc import Iterator

from projects.audit.file_facts import GAEB, SHEET, FileFacts, Remark
from projects.audit.findings import BUDGET, Grade, Hit, NotChecked, Role, Suggestion
from projects.audit.registry import SaidOfBudget, Thresholds, budget_rule
from projects.audit.view import AuditPosition, BudgetView

_MOST_NAMED = 20  # cells or rows in one finding's evidence
_NO_SCHEMA = (
    "the schema of GAEB DA XML is not part of this release: figures, numbers and phase were checked, it was not"
)


def _stands_in_sheet(view: BudgetView, index: int) -> bool:
    return view.comes_from_sheet and "!" in view.positions[index].source


@budget_rule(
    id="V14",
    version=1,
    role=Role.VALIDATOR,
    title="Hidden rows, lost formulas or errors in the workbook",
    source="practice: what is hidden is priced unseen; a constant among formulas no longer follows its quantity",
    applies=_stands_in_sheet,
    needs="file_facts",
)
def workbook_hides_something(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Amber. A position for its hidden row, a lost formula or an error in its own row; the rest on the budget."""
    rows = {place: index for index, place in enumerate(_row_of(p) for p in view.positions) if place}
    for facts in view.file_facts or ():
        if facts.dialect not in SHEET:
            continue
        if facts.problem:
            yield NotChecked(f"{facts.document}: {facts.problem}")
            continue
        yield from _hidden(view, facts, rows)
        yield from _cells(view, facts, rows)
        if not facts.is_complete:
            yield NotChecked(f"{facts.document} has more hidden rows, errors or lost formulas than are listed")


def _hidden(view: BudgetView, facts: FileFacts, rows: dict[str, int]) -> Iterator[Hit]:
    for sheet in facts.hidden_sheets:
        inside = [i for i, p in enumerate(view.positions) if _is_priced(p) and p.source.rpartition("!")[0] == sheet]
        if inside:
            yield Hit(
                BUDGET,
                Grade.AMBER,
                f'Sheet "{sheet}" of {facts.document} is hidden, with {len(inside)} priced positions.',
                {"file": facts.document, "sheet": sheet, "positions": len(inside)},
                related=tuple(inside[:50]),
                subject=f"sheet {sheet}",
                suggestion=Suggestion("Show the sheet, or take it out of the bill.", risk="Priced unseen."),
            )
    for place in facts.hidden_rows:
        index = rows.get(place)
        if index is not None and _is_priced(view.positions[index]):
            yield Hit(
                index,
                Grade.AMBER,
                f"The row of this priced position is hidden ({place}, {facts.document}).",
                {"file": facts.document, "row": place},
                suggestion=Suggestion("Show the row, or take the position out.", risk="Priced unseen."),
            )


def _cells(view: BudgetView, facts: FileFacts, rows: dict[str, int]) -> Iterator[Hit]:
    elsewhere: list[str] = []
    for cell, error in facts.errors:
        index = rows.get(_row_of_cell(cell))
        if index is None:
            elsewhere.append(f"{cell} {error}")
            continue
        reason = f"Cell {cell} of {facts.document} shows {error}: what was read may lack a figure."
        yield Hit(index, Grade.AMBER, reason, {"file": facts.document, "cell": cell, "error": error})
    for cell in facts.constants:
        index = rows.get(_row_of_cell(cell))
        if index is None:
            continue
        reason = f"Cell {cell} of {facts.document} holds a constant where its neighbours have formulas."
        advice = Suggestion("Restore the formula.", risk="The figure no longer follows quantity and price.")
        yield Hit(index, Grade.AMBER, reason, {"file": facts.document, "cell": cell}, suggestion=advice)
    if elsewhere:
        yield Hit(
            BUDGET,
            Grade.AMBER,
            f"{len(elsewhere)} cells of {facts.document} outside of positions show errors: {', '.join(elsewhere[:5])}.",
            {"file": facts.document, "cells": elsewhere[:_MOST_NAMED]},
            subject=f"errors of {facts.document}",
        )


def _row_of(position: AuditPosition) -> str:
    """ "SO 1!15" of "SO 1!A15", the way facts name rows; "" where it stands in no sheet."""
    return _row_of_cell(position.source) if "!" in position.source else ""


def _row_of_cell(cell: str) -> str:
    sheet, _, name = cell.rpartition("!")
    return f"{sheet}!{name.lstrip('ABCDEFGHIJKLMNOPQRSTUVWXYZ$')}"


def _is_priced(position: AuditPosition) -> bool:
    return bool(position.unit_price or position.total)


def _is_of_gaeb(view: BudgetView, index: int) -> bool:
    return view.comes_from_gaeb and view.positions[index].catalogue == "GAEB"


@budget_rule(
    id="N05",
    version=1,
    role=Role.STANDARDS,
    title="Form of the GAEB file",
    source="GAEB DA XML 3.3, Fachdokumentation; BVBS test criteria: quantities of 8 + 3 digits, 6 price components",
    applies=_is_of_gaeb,
    needs="file_facts",
)
def gaeb_file_has_faults(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Amber: what a tolerant reader passes over and another program may refuse. The schema itself is not checked."""
    numbers = positions_by_number(view)
    read = [facts for facts in view.file_facts or () if facts.dialect in GAEB]
    for facts in read:
        if facts.problem:
            yield NotChecked(f"{facts.document}: {facts.problem}")
            return
        for remark in facts.remarks:
            yield _fault(facts, remark, numbers)
        if not facts.is_complete:
            yield _fault(facts, Remark(0, "", "more", "There are more faults than are listed."), numbers)
    if read:
        yield NotChecked(_NO_SCHEMA)


def _fault(facts: FileFacts, remark: Remark, numbers: dict[str, int]) -> Hit:
    return Hit(
        numbers.get(remark.number, BUDGET) if remark.number else BUDGET,
        Grade.AMBER,
        f"{remark.message} ({facts.document}{f', line {remark.line}' if remark.line else ''})",
        {"file": facts.document, "version": facts.version, "line": remark.line, "fault": remark.code},
        suggestion=Suggestion("Correct it where the file was made.", risk="Other programs may refuse the file."),
        subject=f"{facts.document} {remark.code} {remark.number}",
    )


def positions_by_number(view: BudgetView) -> dict[str, int]:
    """Number with its lot, as GAEB's facts name positions -> position. Not by line: files may be one long line."""
    numbers: dict[str, int] = {}
    for index, p in enumerate(view.positions):
        numbers.setdefault(f"{p.object_code}.{p.number}" if p.object_code else p.number, index)
    return numbers
