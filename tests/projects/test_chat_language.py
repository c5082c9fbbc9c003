"""What the chat understands without a model: commands and questions in Czech, German and English, and figures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from projects.services.chat.commands import Command, Target, Unclear, commands_in
from projects.services.chat.language import figure_of, language_of
from projects.services.chat.understanding import intent_of


def told(text: str) -> list[tuple[str, str, tuple[str, ...], Decimal | None]]:
    found = commands_in(text, language_of(text))
    assert all(isinstance(each, Command) for each in found), found
    return [(c.operation, c.target.kind, c.target.names, c.value) for c in found if isinstance(c, Command)]


@pytest.mark.parametrize(
    ("text", "operation", "kind", "names", "value"),
    [
        ("set the price of 1.12 to 350", "set_price", "any", ("1.12",), "350"),
        ("Please, can you set the unit price of item 1.2 to 1,250.50?", "set_price", "positions", ("1.2",), "1250.50"),
        ("nastav cenu položky 1.12 na 1 350,50 Kč", "set_price", "positions", ("1.12",), "1350.50"),
        ("cenu položky 5 změň na 300", "set_price", "positions", ("5",), "300"),
        ("setze den Preis von 1.12 auf 350", "set_price", "any", ("1.12",), "350"),
        ("Preis von 3 auf 1.250,50 setzen", "set_price", "any", ("3",), "1250.50"),
        ("change quantity of 3 from 10 to 20.5", "set_quantity", "any", ("3",), "20.5"),
        ("Změň množství položky 7 na 12,5", "set_quantity", "positions", ("7",), "12.5"),
        ("Ändere die Menge von Position 7 auf 12,5 m3", "set_quantity", "positions", ("7",), "12.5"),
        ("raise section 2 by 5 %", "scale_price", "section", ("2",), "5"),
        ("Sniž ceny v oddílu Zemní práce o 3,5 procenta", "scale_price", "section", ("zemni prace",), "-3.5"),
        ("Erhöhe die Preise in Abschnitt 2 um 5 %", "scale_price", "section", ("2",), "5"),
        ("increase quantities in section HSV by 10 percent", "scale_quantity", "section", ("hsv",), "10"),
        ("zvyš všechny ceny o 2 %", "scale_price", "all", (), "2"),
        ("delete position 01.02.0010", "delete", "positions", ("01.02.0010",), None),
        ("smaž položky 3, 4 a 5", "delete", "positions", ("3", "4", "5"), None),
        ("lösche Position 4", "delete", "positions", ("4",), None),
    ],
)  # fmt: skip
def test_a_command_is_understood(text: str, operation: str, kind: str, names: Any, value: str | None) -> None:
    assert told(text) == [(operation, kind, names, None if value is None else Decimal(value))]


def test_several_commands_stand_one_below_the_other() -> None:
    assert [row[0] for row in told("set the price of 1 to 10; delete 2\nraise section 1 by 5 %")] == [
        "set_price", "delete", "scale_price",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "raise the price of 3 a lot", "delete position", "set the price of 3", "lower section 1 by 120 %",
        "změň cenu položky",
    ],
)  # fmt: skip
def test_a_command_that_lacks_something_is_not_guessed(text: str) -> None:
    (found,) = commands_in(text, language_of(text))
    assert isinstance(found, Unclear)


@pytest.mark.parametrize(
    "text", ["What changed in version 2?", "Change orders: what are they?", "Co se změnilo?", "How is concrete cured?"]
)
def test_a_question_is_no_command(text: str) -> None:
    assert commands_in(text, language_of(text)) == []


def test_everything_is_only_meant_where_it_is_said() -> None:
    (found,) = commands_in("delete all positions", "en")
    assert isinstance(found, Command) and found.target == Target("all")


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("1 250,50", "cs", "1250.50"), ("1.250,50", "de", "1250.50"), ("1,250.50", "en", "1250.50"),
        ("350", "en", "350"),
        ("1,250", "en", "1250"), ("1,250", "cs", "1.250"), ("1.250", "de", "1250"), ("12.5", "cs", "12.5"),
        ("\u22125", "en", "-5"), ("1.2.3", "en", "123"),
    ],
)  # fmt: skip
def test_figures_are_read_as_their_language_writes_them(text: str, language: str, value: str) -> None:
    assert figure_of(text, language) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is the total?", {"name": "total"}),
        ("Kolik stojí celý rozpočet?", {"name": "total"}),
        ("Wie hoch ist die Gesamtsumme?", {"name": "total"}),
        ("sum of section 2", {"name": "section", "section": "2"}),
        ("Kolik stojí oddíl Zemní práce?", {"name": "section", "section": "zemni prace"}),
        ("Was kostet Abschnitt 2?", {"name": "section", "section": "2"}),
        ("Náklady podle oddílů", {"name": "sections"}),
        ("Which 3 positions are the most expensive?", {"name": "dearest", "field": "total", "number": 3}),
        ("Nejdražší položky v oddílu 1", {"name": "dearest", "field": "total", "number": 5, "section": "1"}),
        ("most expensive concrete positions", {"name": "dearest", "field": "total", "number": 5, "words": ["concre"]}),
        ("červené nálezy", {"name": "findings", "grade": "red"}),
        ("Zeige rote Befunde", {"name": "findings", "grade": "red"}),
        ("how many findings are there?", {"name": "findings", "field": "count"}),
        ("How many red positions?", {"name": "count", "grade": "red"}),
        ("Wie viele Positionen hat Abschnitt 2?", {"name": "count", "section": "2"}),
        ("Kolik položek je bez ceny?", {"name": "missing", "field": "unit_price"}),
        ("Positionen ohne Preis", {"name": "missing", "field": "unit_price"}),
        ("What changed in version 3?", {"name": "changes", "number": 3}),
        ("Co se změnilo v poslední verzi?", {"name": "changes"}),
        ("Was hat sich in Version 2 geändert?", {"name": "changes", "number": 2}),
        ("položky s kódem 274321111", {"name": "code", "target": "274321111"}),
        ("Proč je položka 3 červená?", {"name": "why", "target": "3"}),
        ("kolik stojí položka 3?", {"name": "position", "target": "3"}),
        ("price of 1.12", {"name": "position", "target": "1.12"}),
        ("findings of rule V06", {"name": "rule", "target": "V06"}),
        ("which documents are there?", {"name": "documents"}),
    ],
)
def test_a_question_of_figures_is_understood(text: str, expected: dict[str, Any]) -> None:
    intent = intent_of(text)
    assert intent is not None and intent.as_json() == expected


@pytest.mark.parametrize(
    "text",
    [
        "which clause sets the preheat for A572?",
        "What does the specification say about concrete curing?",
        "how many positions of the tender need welding certificates",
        "total station surveying",
        "Jak se má ošetřovat beton?",
        "Wie lange muss der Beton feucht gehalten werden?",
    ],
)
def test_what_says_more_than_is_understood_is_left_to_the_passages(text: str) -> None:
    assert intent_of(text) is None


def test_a_question_may_follow_on_the_one_before() -> None:
    following = intent_of("a oddíl 3?", {"name": "section", "section": "2"})
    assert following is not None and following.as_json() == {"name": "section", "section": "3"}
    assert intent_of("a oddíl 3?", None) is None
