"""Figures in the admin's lists."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.admin_pages import figure, written
from projects.admin_columns import grades
from projects.models import Project


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (Decimal("1684500.0000"), 2, "1,684,500.00"),
        (Decimal("41.6250"), 2, "41.625"),
        (Decimal("100.0000"), 0, "100"),
        (Decimal("-20592.5"), 2, "-20,592.50"),
        (Decimal("1E+6"), 0, "1,000,000"),
        (12345, 0, "12,345"),
    ],
)
def test_a_figure_has_separators_and_the_decimals_it_needs(value: Decimal | int, digits: int, text: str) -> None:
    assert written(value, digits) == text


def test_a_missing_figure_is_a_dash_not_a_nought() -> None:
    shown = figure("audited_version", "Audited")(Project(audited_version=None))
    assert ">–<" in shown


def test_grades_are_in_the_order_of_their_heading() -> None:
    project = Project(count_red=1, count_amber=2, count_green=3000, count_not_checked=4)
    assert "1 / 2 / 3,000 / 4" in grades(project)
