"""Rows of plain tables that sum up: told apart from positions whose words look alike."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from projects.parsers.table_sums import SumKind, kind_of_sum

D = Decimal
TITLES = "Kód;Popis;MJ;Množství;J. cena;Celkem\n"
WORK = "1;Zemní práce;;;;\na;Výkop;m3;2;10;20\nb;Zásyp;m3;1;5;5\n"
MORE = "2;Zakládání;;;;\nc;Pasy;m3;1;100;100\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bill.csv"


def texts(positions: Any) -> list[str]:
    return [position.description for position in positions]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Cena celkem", SumKind.WHOLE), ("Celkem", SumKind.PLAIN), ("Celkem bez DPH:", SumKind.WHOLE),
        ("Cena celkem s DPH", SumKind.PART), ("Cena celkem vč. 21 % DPH", SumKind.PART),
        ("CENA CELKEM ZA STAVBU BEZ DPH [CZK]", SumKind.WHOLE), ("Cena celkem za oddíl 3", SumKind.PART),
        ("Součet", SumKind.PLAIN), ("Mezisoučet", SumKind.PART), ("Celkem za Zemní práce", SumKind.PART),
        ("Zemní práce celkem", SumKind.PART), ("1.2 Celkem", SumKind.PLAIN), ("Cena celkom", SumKind.WHOLE),
        ("DPH 21 %", SumKind.TAX), ("DPH základní 21,0 % z 100 000", SumKind.TAX), ("21% DPH", SumKind.TAX),
        ("Summe", SumKind.PLAIN), ("Gesamtsumme netto", SumKind.WHOLE), ("Gesamtsumme brutto", SumKind.PART),
        ("Summe Titel 01", SumKind.PART), ("zzgl. 19 % MwSt.", SumKind.TAX), ("Zwischensumme", SumKind.PART),
        ("Total", SumKind.PLAIN), ("GRAND TOTAL", SumKind.WHOLE), ("Total excl. VAT", SumKind.WHOLE),
        ("Total incl. VAT", SumKind.PART), ("Sub-total", SumKind.PART), ("VAT 20%", SumKind.TAX),
        ("Importe total", SumKind.WHOLE), ("Total capítulo 2", SumKind.PART), ("21% I.V.A.", SumKind.TAX),
        ("Total presupuesto de ejecución material", SumKind.WHOLE), ("TOTAL con IVA", SumKind.PART),
    ],
)  # fmt: skip
def test_sums_are_known_in_five_languages(text: str, kind: SumKind) -> None:
    assert kind_of_sum(text, {"zemni prace"}) is kind


@pytest.mark.parametrize(
    "text",
    [
        "Total station survey", "Totální stanice", "Sump pump", "Summer road", "Sum for provisional items",
        "Celková oprava fasády",
        "Celkem výměna oken", "Suma práce", "Gesamtreinigung", "Gesamt Reinigung der Baustelle", "Total demolition",
        "Totalizador de agua", "DPH poradenství", "Vatová izolace", "IVAR ventil 1/2", "Úklid celkem", "Zemní práce",
        "25", "",
    ],
)  # fmt: skip
def test_work_whose_name_begins_like_a_sum_is_none(text: str) -> None:
    assert kind_of_sum(text, {"zemni prace"}) is None


@pytest.mark.parametrize("text", ["Cena celkem", "Celkem", "Summe", "Total", "Importe total", "Grand total"])
@pytest.mark.parametrize("column", [0, 1], ids=["in the code's column", "in the text's column"])
def test_the_last_row_is_the_bills_sum_and_no_position(path: Path, drain: Any, text: str, column: int) -> None:
    row = ["", ""]
    row[column] = text
    path.write_text(f"{TITLES}{WORK}{MORE}{';'.join(row)};;;;125\n", "utf-8")
    positions, result, bill = drain(path)
    assert texts(positions) == ["Výkop", "Zásyp", "Pasy"]
    assert [total.amount for total in bill.totals] == [D(125)]
    assert result.computed_total == D(125)


def test_a_sum_without_its_amount_opens_no_section(path: Path, drain: Any) -> None:
    path.write_text(f"{TITLES}{WORK};Celkem;;;;\nd;Lešení;m2;1;7;7\n;Cena celkem;;;;\n", "utf-8")
    positions, _, bill = drain(path)
    assert [position.section_path for position in positions] == [("1 Zemní práce",)] * 3
    assert bill.totals == []


def test_the_sum_with_tax_is_not_taken_for_the_bills(path: Path, drain: Any) -> None:
    end = ";Cena celkem bez DPH;;;;125\n;DPH 21 %;;;;26,25\n;Cena celkem s DPH;;;;151,25\n"
    path.write_text(f"{TITLES}{WORK}{MORE}{end}", "utf-8")
    positions, _, bill = drain(path)
    assert len(positions) == 3
    assert [total.amount for total in bill.totals] == [D(125)]
    path.write_text(f"{TITLES}{WORK}{MORE};Celkem;;;;125\n;DPH;;;;26,25\n;Celkem;;;;151,25\n", "utf-8")
    positions, _, bill = drain(path)
    assert (len(positions), [total.amount for total in bill.totals]) == (3, [D(125)])


def test_the_last_sections_own_sum_is_not_taken_for_the_bills(path: Path, drain: Any) -> None:
    path.write_text(f"{TITLES}{WORK};Celkem;;;;25\n{MORE};Celkem;;;;100\n", "utf-8")
    positions, _, bill = drain(path)
    assert (len(positions), bill.totals) == (3, [])
    path.write_text(f"{TITLES}{WORK};Celkem;;;;25\n{MORE};Celkem;;;;100\n;Celkem;;;;125\n", "utf-8")
    positions, _, bill = drain(path)
    assert (len(positions), [total.amount for total in bill.totals]) == (3, [D(125)])


def test_a_position_called_like_a_sum_is_kept_by_its_code_unit_quantity_or_price(path: Path, drain: Any) -> None:
    rows = "x9;Celkem;;;;50\n;Total;kpl;;;60\n;Summe;;1;;70\n;Cena celkem;;;80;80\n;Total station survey;;;;90\n"
    path.write_text(f"{TITLES}{WORK}{rows};Celkem;;;;375\n", "utf-8")
    positions, result, bill = drain(path)
    assert texts(positions)[2:] == ["Celkem", "Total", "Summe", "Cena celkem", "Total station survey"]
    assert result.computed_total == D(375)
    assert [total.amount for total in bill.totals] == [D(375)]


def test_a_sum_that_repeats_its_sections_code_is_no_position(path: Path, drain: Any) -> None:
    path.write_text(f"{TITLES}{WORK}1;Celkem za Zemní práce;;;;25\n{MORE}2;Zakládání celkem;;;;100\n", "utf-8")
    positions, *_ = drain(path)
    assert texts(positions) == ["Výkop", "Zásyp", "Pasy"]
