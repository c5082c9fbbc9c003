"""Figures: what binary floats and hands leave behind, and what is refused."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.parsers.decimals import decimal_from_float, decimal_from_text, decimal_from_xml


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (0.1 + 0.2, "0.3"), (4810986.279999999, "4810986.28"), (21.200000000000003, "21.2"),
        (28.799999999999997, "28.8"),
        (22.7482666666667, "22.7482666667"), (12345678.012, "12345678.012"), (123.0, "123"), (1e-05, "0.00001"),
        (1e-12, "0"), (-0.5, "-0.5"), (0.35616, "0.35616"),
    ],
)  # fmt: skip
def test_floats_lose_the_noise_and_keep_the_digits(value, exact):
    assert decimal_from_float(value) == D(exact)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_what_a_spreadsheet_can_hold_comes_back_exactly(value):
    assert decimal_from_float(float(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e300])
def test_floats_that_are_no_figures_are_refused(value):
    with pytest.raises(ValueError, match="figure"):
        decimal_from_float(value)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("1 234,50", "1234.50"), ("1\u00a0234,50 Kč", "1234.50"), ("1.234,50", "1234.50"), ("1,234.50", "1234.50"),
        ("0,5", "0.5"), ("0.5", "0.5"), ("1.234.567", "1234567"), ("1,234,567.8", "1234567.8"), ("-3", "-3"),
        ("\u22125,1", "-5.1"), ("€ 12.50", "12.50"), ("100,-", "100"),
    ],
)  # fmt: skip
def test_figures_written_by_hand(text, exact):
    assert decimal_from_text(text) == D(exact)


def test_a_known_decimal_mark_decides():
    assert decimal_from_text("1.234", ",") == D(1234)
    assert decimal_from_text("1.234", ".") == D("1.234")
    assert decimal_from_text("1,234", ".") == D(1234)


@pytest.mark.parametrize("text", ["asi 5", "1e5", "5 m2", "#REF!", "--1", "1,2,3,4", "٣", "9" * 40, "1.2.3"])
def test_what_is_no_figure_is_refused(text):
    with pytest.raises(ValueError, match=r"figure|large"):
        decimal_from_text(text)


def test_xml_figures_have_one_mark_and_no_grouping():
    assert decimal_from_xml(" 1234.5 ") == D("1234.5")
    assert decimal_from_xml("1234,5", ",") == D("1234.5")
    assert decimal_from_xml("") is None
    with pytest.raises(ValueError, match="figure"):
        decimal_from_xml("1,234.5")
