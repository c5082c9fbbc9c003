"""The tags and filters that every page is written with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.template import Context, Template

from accounts.templatetags import interface


def render(source: str, **context: Any) -> str:
    return Template("{% load interface %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("8205797.76"), "8,205,797.76"),
        ("0", "0.00"),
        (Decimal("-12.5"), "−12.50"),
        (None, "–"),
        ("", "–"),
        (Decimal("1E+6"), "1,000,000.00"),
    ],
)
def test_money(value: Any, shown: str) -> None:
    assert interface.money(value) == shown


def test_money_with_its_currency_and_sign() -> None:
    assert interface.money(Decimal(5), "CZK") == "5.00\u00a0CZK"
    assert interface.signed_money(Decimal(5), "CZK") == "+5.00\u00a0CZK"
    assert interface.signed_money(Decimal(-5)) == "−5.00"
    assert interface.signed_money(Decimal(0)) == "0.00"
    assert interface.signed_money(None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("12.5000", "12.5"), ("1500.0000", "1,500"), ("0.0001", "0.0001"), ("-3.10", "−3.1"), (None, "–"), ("100", "100")],
)
def test_quantity(value: Any, shown: str) -> None:
    assert interface.quantity(value) == shown


def test_percent_and_count() -> None:
    assert (interface.percent("0.874"), interface.percent("0.874", 1), interface.percent(None)) == (
        "87\u00a0%",
        "87.4\u00a0%",
        "–",
    )
    assert (interface.count(1234), interface.count(0), interface.count(None)) == ("1,234", "0", "–")


def test_a_grade_nobody_knows_is_not_green() -> None:
    assert render("{% grade value %}", value="purple") == '<span class="grade grade-not_checked">Not checked</span>'
    assert "grade-green" in render("{% grade value %}", value="green")


def test_what_a_grade_or_an_icon_is_given_is_escaped() -> None:
    assert "<b>" not in render("{% grade 'red' word %}", word="<b>")
    assert "<b>" not in render("{% icon name label=name %}", name='"><b>')


def test_a_traffic_bar_shows_every_share_and_says_it_in_words() -> None:
    bar = render("{% traffic 2 1 1 0 %}")
    assert 'aria-label="1 red, 1 amber, 2 green, 0 not checked"' in bar
    assert 'data-grade="red" x="0.000%" y="0" width="25.000%"' in bar
    assert 'data-grade="green" x="50.000%" y="0" width="50.000%"' in bar
    assert " style=" not in bar


def test_a_traffic_bar_of_nothing_is_empty() -> None:
    bar = render("{% traffic 0 0 0 0 %}")
    assert "Nothing graded yet" in bar
    assert 'width="0.000%"' in bar
