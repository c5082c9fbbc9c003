"""Measure sheets: which line is the quantity."""

from __future__ import annotations

from decimal import Decimal

from projects.audit.measure import evaluate_sheet, has_expressions
from projects.parsers.bill import MeasureLine

D = Decimal


def line(text: str, kind: str = "expression", *, marked: bool = False, **more: object) -> MeasureLine:
    return MeasureLine(text, kind, is_quantity=marked, **more)  # type: ignore[arg-type]


def test_a_marked_expression_decides_alone() -> None:
    lines = [line("96,943"), line("96,943*1,1845 'koeficient", marked=True)]
    assert [round(v, 3) for v in evaluate_sheet(lines, {}).candidates] == [D("114.829")]


def test_of_several_marks_the_last_decides() -> None:
    lines = [line("35+40", marked=True), line("75*1,03", marked=True)]
    assert evaluate_sheet(lines, {}).candidates == (D("77.25"),)


def test_a_marked_subtotal_sums_what_stands_above_it() -> None:
    lines = [line("1+1"), line("poznámka", "comment"), line("3"), line("Součet", "subtotal", marked=True)]
    assert evaluate_sheet(lines, {}).candidates == (D(5),)


def test_a_subtotal_may_count_from_the_last_one_or_from_the_start() -> None:
    lines = [line("1"), line("Mezisoučet", "subtotal"), line("4"), line("Součet", "subtotal", marked=True)]
    assert set(evaluate_sheet(lines, {}).candidates) == {D(4), D(5)}


def test_a_subtotal_that_is_not_marked_only_closes_a_block() -> None:
    lines = [line("10"), line("4", marked=True), line("Součet", "subtotal")]
    assert evaluate_sheet(lines, {}).candidates == (D(4),)


def test_a_line_before_the_last_subtotal_does_not_spoil_the_next_block() -> None:
    lines = [line("délka"), line("Mezisoučet", "subtotal"), line("2*3"), line("Součet", "subtotal", marked=True)]
    assert evaluate_sheet(lines, {}).candidates == (D(6),)


def test_without_a_mark_every_reading_is_a_candidate() -> None:
    assert set(evaluate_sheet([line("6,236*1,1"), line("6,86*1,02")], {}).candidates) == {D("13.8568"), D("6.9972")}


def test_a_line_that_cannot_be_read_spoils_only_what_it_is_part_of() -> None:
    good_mark = [line("délka*výška"), line("2*3", marked=True)]
    assert evaluate_sheet(good_mark, {}).candidates == (D(6),)
    summed = [line("délka*výška"), line("2*3"), line("Součet", "subtotal", marked=True)]
    result = evaluate_sheet(summed, {})
    assert result.candidates == ()
    assert "line 1" in result.problem


def test_figures_come_from_the_file() -> None:
    assert evaluate_sheet([line("F1*2", marked=True)], {"F1": D("1.5")}).candidates == (D(3),)
    assert "F1" in evaluate_sheet([line("F1*2", marked=True)], {}).problem


def test_a_line_that_only_names_a_figure_has_the_value_it_states() -> None:
    assert evaluate_sheet([line("F1", marked=True, value=D("100.8"))], {}).candidates == (D("100.8"),)


def test_comments_alone_are_no_sheet() -> None:
    assert not has_expressions([line("jen text", "comment"), line("  ")])
    assert evaluate_sheet([line("jen text", "comment")], {}).problem
