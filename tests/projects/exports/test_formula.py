"""Formulas are computed as a spreadsheet does, or their result is left to it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from projects.exports.formula import Unsupported, cell_place, parse
from projects.exports.functions import Value
from projects.exports.recalculate import Recalculator, SheetCells

D = Decimal


def sheet(formulas: dict[tuple[int, int], str], **values: Value) -> SheetCells:
    """Values by cell name; formulas by place."""
    cells = SheetCells({cell_place(name): value for name, value in values.items()})
    cells.formulas = {place: (text, 0, 0) for place, text in formulas.items()}
    cells.last_row = cells.last_column = 20
    return cells


def result(text: str, /, **values: Value) -> Value | None:
    """What the formula in Z9 comes to once every value has been changed."""
    cells = sheet({(9, 26): text}, **values)
    changed = dict(cells.values) or {(1, 1): D(0)}
    return Recalculator({"S": cells}, {("", "RATE"): "S!$A$1"}).after({"S": changed}).results["S"][9, 26]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ROUND(A1*B1,2)", D("7.05")),
        ("ROUND(ROUND(A1,2)*ROUND(B1,3),2)", D("7.05")),
        ("A1+B1*2-1", D("7.35")),
        ("-A1^2", D("5.5225")),
        ("50%*B1+0*A1", D("1.5")),
        ('IF(C1="základní",A1,0)', D("2.35")),
        ('IF(C1="snížená",A1)', False),
        ('A1&" Kč"', "2.35 Kč"),
        ("SUM(A1:B1,A1)", D("7.7")),
        ("INT(A1*10)/10", D("2.3")),
        ("RATE*2", D("4.7")),
        ('SUMIF(C1:C2,"<>NOR",A1:A2)', D("12.35")),
        ('COUNTIFS(A1:A2,"=10")+SUM(B1:B2)', D("4")),
    ],
    ids=str,
)
def test_what_bills_compute_with(text: str, expected: Value) -> None:
    assert result(text, A1=D("2.35"), B1=D(3), C1="základní", A2=D(10)) == expected


@pytest.mark.parametrize("text", ["[1]Other!A1", "VLOOKUP(A1,A1:B2,2)", "SUM(A:A)", "A1:", "(((", '"open', "A1 B1"])
def test_what_is_not_understood_is_left_to_the_spreadsheet(text: str) -> None:
    if text == "VLOOKUP(A1,A1:B2,2)":
        assert result(text, A1=D(1)) is None
        return
    with pytest.raises(Unsupported):
        parse(text)


def test_only_what_depends_on_a_change_is_computed() -> None:
    cells = sheet({(1, 3): "A1*2", (2, 3): "A2*2", (3, 3): "C1+C2"}, A1=D(1), A2=D(1), C1=D(2), C2=D(99), C3=D(101))
    found = Recalculator({"S": cells}, {}).after({"S": {(1, 1): D(5)}})
    assert found.results["S"] == {(1, 3): D(10), (3, 3): D(109)}, "C2 keeps the result it had"


def test_what_depends_on_an_unknown_result_is_unknown_too_and_circles_end() -> None:
    cells = sheet({(1, 2): "VLOOKUP(A1,A1:A9,1)", (1, 3): "B1+1", (2, 2): "C2+A1", (2, 3): "B2"}, A1=D(1))
    found = Recalculator({"S": cells}, {}).after({"S": {(1, 1): D(2)}})
    assert found.results["S"] == {(1, 2): None, (1, 3): None, (2, 2): None, (2, 3): None}


def test_a_long_running_sum_needs_no_recursion() -> None:
    cells = SheetCells({(1, 1): D(1)}, {(row, 1): (f"A{row - 1}+1", 0, 0) for row in range(2, 5001)}, 5000, 1)
    found = Recalculator({"S": cells}, {}).after({"S": {(1, 1): D(10)}})
    assert found.results["S"][5000, 1] == D(5009)
