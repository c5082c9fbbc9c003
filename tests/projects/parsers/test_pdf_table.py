"""Printed bills: positions by their words and places, sums, marks, ruled tables; scans and damaged files refused."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.parsers import pdf_pages
from projects.parsers.bill import Billing, ParseError
from projects.parsers.reconcile import assert_reconciled
from projects.parsers.registry import detect, open_bill
from tests.factories.bills_pdf import HEADING, pdf_bytes, position_line, write_pdf
from tests.projects.parsers.test_round_trip import SETTINGS, damaged, read_or_refuse

BODY = [
    *HEADING,
    (50, 120, "01"), (120, 120, "Rohbau"),
    (50, 135, "01.02"), (120, 135, "Erdarbeiten"),
    *position_line(150, "01.02.0010", "1.450,000", "m3", "5,00", "7.250,00 EUR"),
    (120, 162, "Boden lösen und lagern"),
    (120, 174, "Bodenklasse 3, seitlich lagern"),
    *position_line(190, "01.02.0020", "10,000", "m2", "12,00", "Nur E.P."),
    (120, 202, "*** Alternativposition"),
    (120, 214, "Pflaster in Blau"),
    (50, 230, "Gruppensumme 01.02"), (440, 230, "7.250,00 EUR"),
    (50, 250, "Projektsumme (netto)"), (440, 250, "7.250,00 EUR"),
]  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bill.pdf"


def test_positions_sections_and_sums_are_read_from_a_print(path, drain):
    (soil, paving), result, bill = drain(write_pdf(path, BODY))
    assert_reconciled(result)
    assert (soil.number, soil.quantity, soil.unit) == ("01.02.0010", D("1450.000"), "m3")
    assert (soil.unit_price, soil.total) == (D("5.00"), D("7250.00"))
    assert soil.section_path == ("01 Rohbau", "02 Erdarbeiten")
    assert (soil.description, soil.long_text) == (
        "Boden lösen und lagern",
        "Boden lösen und lagern\nBodenklasse 3, seitlich lagern",
    )
    assert (paving.description, paving.billing, paving.total) == ("Pflaster in Blau", Billing.ALTERNATIVE, D(0))
    assert (result.computed_total, result.stated_total, result.differences) == (D("7250.00"), D("7250.00"), ())
    assert bill.header.currency == "EUR"


def test_what_is_read_is_to_be_confirmed_and_says_so(path, drain):
    positions, _, bill = drain(write_pdf(path, BODY))
    assert bill.warnings[0].startswith("Read from the 1 pages of a print (PDF): every position is to be confirmed.")
    assert {p.source for p in positions} == {"page 1 of the print, to be confirmed"}


def test_what_can_be_missing_is_said(path, drain):
    body = [*HEADING, *position_line(150, "1.0010", "1,000", "St", "1,00", "1,00"), (120, 162, "Tür")]
    *_, bill = drain(write_pdf(path, body, []))
    assert bill.warnings[1:] == [
        "The print states no total: nothing proves that every position was read.",
        "Page 2 has no text; what stands on it as a picture is not read.",
    ]


def test_detection_names_the_page_and_its_titles(path):
    found = detect(write_pdf(path, [(50, 100, "Angebot")], BODY))
    assert (found.dialect, found.score) == ("pdf_table", 60)
    assert "page 2" in found.reasons[0]


def test_a_misread_figure_shows_in_the_sums(path, drain):
    changed = [(x, y, "7.520,00 EUR" if (y, text) == (150, "7.250,00 EUR") else text) for x, y, text in BODY]
    _, result, _ = drain(write_pdf(path, changed))
    with pytest.raises(ParseError, match=r"7,250\.00 EUR.*7,520\.00 EUR") as refused:
        assert_reconciled(result)
    assert refused.value.code == "does_not_reconcile"


def test_a_text_goes_on_over_the_page_without_its_head_and_foot(path, drain):
    first = [*HEADING, *position_line(150, "1.0010", "2,000", "h", "50,00", "100,00"), (120, 162, "Facharbeiter"),
             (300, 780, "Übertrag 100,00"), (50, 800, "Seite 1")]  # fmt: skip
    second = [(50, 60, "Firma Muster"), *HEADING, (300, 115, "Übertrag 100,00"), (120, 130, "mit Werkzeug")]
    [position], *_ = drain(write_pdf(path, first, second))
    assert position.long_text == "Facharbeiter\nmit Werkzeug"


def test_thousands_apart_are_one_figure(path, drain):
    body = [
        *HEADING,
        (50, 150, "1.0010"),
        (200, 150, "1 234,500"),
        (260, 150, "m2"),
        (320, 150, "2,00"),
        (440, 150, "2 469,00"),
    ]
    [position], *_ = drain(write_pdf(path, body))
    assert (position.quantity, position.total) == (D("1234.500"), D("2469.00"))


def test_without_prices_the_quantities_are_read(path, drain):
    [position], result, _ = drain(
        write_pdf(path, [*HEADING, *position_line(150, "1.0010", "3,000", "St"), (120, 162, "Tür")])
    )
    assert (position.quantity, position.unit_price, position.total, result.unpriced) == (D("3.000"), None, None, 1)


def test_a_lone_figure_belongs_to_the_title_above_it(path, drain):
    body = [
        *HEADING,
        *position_line(150, "1.0010", "3,000", "St", "", "30,00"),
        *position_line(170, "1.0020", "3,000", "St", "10,00"),
    ]
    first, second = drain(write_pdf(path, body))[0]
    assert (first.unit_price, first.total) == (None, D("30.00"))
    assert (second.unit_price, second.total) == (D("10.00"), None)


def test_a_surcharge_says_what_it_is_on(path, drain):
    body = [*HEADING, *position_line(150, "1.0010", "1,000", "St", "100,00", "100,00"),
            (50, 170, "1.0020"), (120, 170, "Zuschlag von 10,00 % auf 100,00 EUR"),
            (440, 170, "10,00 EUR")]  # fmt: skip
    _, surcharge = drain(write_pdf(path, body))[0]
    assert (surcharge.billing, surcharge.unit, surcharge.unit_price, surcharge.total) == (
        Billing.SURCHARGE, "%", D("10.00"), D("10.00"),
    )  # fmt: skip
    assert (surcharge.quantity, surcharge.quantity_reason) == (None, "surcharge on 100.00")


def test_a_position_whose_figures_cannot_be_read_is_kept_and_named(path, drain):
    body = [*HEADING, *position_line(150, "1.2.0010", "1,000", "St", "1,00", "1,00"),
            (50, 170, "1.2.0020"), (200, 170, "l,OOO"), (260, 170, "m2")]  # fmt: skip
    _, second = drain(write_pdf(path, body))[0]
    bill = drain(path)[2]
    assert (second.number, second.quantity, second.quantity_reason) == (
        "1.2.0020", None, "no quantity can be read in the print",
    )  # fmt: skip
    assert any("the figures of position 1.2.0020 can't be read" in warning for warning in bill.warnings)


CZECH = """
#set page(width: 700pt, height: 400pt)
#table(columns: 7,
  [P.Č.], [Kód], [Popis], [MJ], [Množství], [J. cena], [Cena celkem],
  [], [], [HSV Zemní práce], [], [], [], [],
  [1], [121151113], [Sejmutí ornice strojně při ploše přes 100 do 500 m2], [m2], [123,000], [29,10], [3 579,30],
  [2], [451573111], [Lože ze štěrkopísku], [m3], [10,500], [900,00], [9 450,00],
  [], [], [Celkem bez DPH], [], [], [], [13 029,30],
)
"""


def test_a_ruled_table_is_read_by_its_own_titles(path, drain):
    import typst

    path.write_bytes(typst.compile(CZECH.encode()))
    (topsoil, bed), result, _ = drain(path)
    assert_reconciled(result)
    assert (topsoil.number, topsoil.code, topsoil.unit, topsoil.quantity) == ("1", "121151113", "m2", D("123.000"))
    assert topsoil.description == "Sejmutí ornice strojně při ploše přes 100 do 500 m2"
    assert topsoil.section_path == ("HSV Zemní práce",)
    assert (bed.unit_price, bed.total) == (D("900.00"), D("9450.00"))
    assert (result.stated_total, result.computed_total) == (D("13029.30"), D("13029.30"))


def test_a_row_of_a_table_whose_figures_cannot_be_read_is_kept_and_named(path, drain):
    import typst

    path.write_bytes(typst.compile(CZECH.replace("[10,500], [900,00], [9 450,00]", "[1O,5OO], [], []").encode()))
    positions, _, bill = drain(path)
    assert [(p.number, p.unit, p.quantity) for p in positions] == [("1", "m2", D("123.000")), ("2", "m3", None)]
    assert positions[1].quantity_reason == "no quantity can be read in the print"
    assert positions[1].section_path == ("HSV Zemní práce",)
    assert any("the figures of position 2 can't be read" in warning for warning in bill.warnings)


def test_a_scan_is_refused_by_name(path):
    write_pdf(path, [], [])
    for ask in (detect, open_bill):
        with pytest.raises(ParseError, match="scanned PDF") as refused:
            ask(path)
        assert refused.value.code == "unsupported_dialect"


def test_a_letter_has_no_positions_and_says_so(path):
    write_pdf(path, [(50, 100, "Sehr geehrte Damen und Herren,"), (50, 120, "2 Anlagen")])
    with pytest.raises(ParseError, match="no line that reads as a position") as refused:
        list(open_bill(path).positions)
    assert refused.value.code == "no_positions"


def test_too_many_pages_are_refused(path, monkeypatch):
    monkeypatch.setattr(pdf_pages, "MAX_PAGES", 2)
    with pytest.raises(ParseError, match="has 3 pages") as refused:
        detect(write_pdf(path, BODY, BODY, BODY))
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("content", [b"%PDF-1.7\n%\xe2\xe3", b"%PDF-1.4\n1 0 obj\n<<"])
def test_a_damaged_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ParseError) as refused:
        detect(path)
    assert refused.value.code == "damaged"


@settings(SETTINGS, max_examples=60)
@given(data=st.data())
def test_damage_raises_parse_errors_only(tmp_path, data):
    path = tmp_path / "f"
    path.write_bytes(damaged(data, pdf_bytes([BODY])))
    read_or_refuse(path)
