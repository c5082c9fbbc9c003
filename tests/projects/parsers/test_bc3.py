"""FIEBDC-3: the tree, measurements, stated sums, character sets, and what a damaged file provokes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.audit.measure import evaluate_sheet
from projects.parsers.bill import ParseError, PositionKind
from projects.parsers.reconcile import assert_reconciled
from projects.parsers.registry import detect, open_bill
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection
from tests.factories.bills_bc3 import SPECIAL, bc3_text, write_bc3
from tests.projects.parsers.test_round_trip import SETTINGS, bills, damaged, read, read_or_refuse

WALL = GivenPosition("10", "Muro de hormigón", "m3", D("12.500"), D("95.40"), code="EHM010", note="HA-25, ½ asta")
STEEL = GivenPosition("20", "Acero B 500 S", "kg", D("850"), D("1.35"), code="mt07", is_material=True)
HOUSE = GivenBill((GivenObject("01", "Edificio", (GivenSection("02", "Cimentación", (WALL, STEEL)),)),), "Nave año 1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bill.bc3"


def write(path, *records):
    path.write_text("\n".join(("~V|x|FIEBDC-3/2016|x||ANSI||2|", *records)), "cp1252")
    return path


TREE = (
    "~K|\\2\\3\\3\\2\\2\\2\\2\\EUR\\|0|",
    "~C|R##||Casa|||0|",
    "~D|R##|A#\\1\\1\\|",
    "~C|A#||Muros|||0|",
    "~C|P1|m2|Muro|10|010324|0|",
)


def test_a_chapter_tree_becomes_sections_and_positions(path, drain):
    write_bc3(path, HOUSE)
    (wall, steel), result, bill = drain(path)
    assert_reconciled(result)
    assert result.differences == ()
    assert (bill.header.title, bill.header.currency, bill.header.budget_on) == ("Nave año 1", "EUR", date(2026, 3, 5))
    assert wall.section_path == ("01 Edificio", "01.02 Cimentación")
    assert (wall.number, wall.code, wall.unit) == ("1.1.1", "EHM010.10", "m3")
    assert (wall.quantity, wall.unit_price, wall.long_text) == (D("12.500"), D("95.40"), "HA-25, ½ asta")
    assert (wall.kind, steel.kind) == (PositionKind.WORK, PositionKind.MATERIAL)
    assert result.computed_total == HOUSE.total
    assert wall.source.startswith("line ")


def test_detection_is_certain(path):
    write_bc3(path, HOUSE)
    found = detect(path)
    assert (found.dialect, found.score) == ("bc3", 100)


@pytest.mark.parametrize(
    ("said", "codec"), [("ANSI", "cp1252"), ("850", "cp850"), ("", "cp850"), ("437", "cp437"), ("UTF-8", "utf-8")]
)
def test_each_character_set_is_read(path, drain, said, codec):
    write_bc3(path, HOUSE, said=said, codec=codec)
    (wall, _), _, bill = drain(path)
    assert (wall.description, wall.long_text, bill.warnings) == ("Muro de hormigón", "HA-25, ½ asta", [])


def test_an_unknown_character_set_is_said(path, drain):
    write_bc3(path, HOUSE, said="MAC", codec="cp1252")
    (wall, _), _, bill = drain(path)
    assert wall.description == "Muro de hormigón"
    assert bill.warnings == ["The file's character set is 'MAC', which the format does not know; read as ANSI."]


def test_a_chapter_that_states_another_sum_is_a_difference_and_not_a_refusal(path, drain):
    text = bc3_text(HOUSE).replace(f"~C|01.02#||Cimentación|{HOUSE.total}|", "~C|01.02#||Cimentación|5000.23|")
    path.write_text(text, "utf-8")
    _, result, _ = drain(path)
    assert_reconciled(result)
    [difference] = result.differences
    assert (difference.where, difference.stated, difference.computed) == (
        "01 Edificio › 01.02 Cimentación",
        D("5000.23"),
        HOUSE.total,
    )


def test_measurements_give_the_quantity_and_a_sheet_that_comes_to_it(path, drain):
    write(path, *TREE, "~D|A#|P1\\1\\1\\|",
          "~M|A#\\P1|1\\1\\1|20.5|\\Norte's \"muro\"\\2\\5\\\\2\\\\Sur\\1\\0.5\\\\\\1\\\\\\\\\\\\|")  # fmt: skip
    [position], _, bill = drain(path)
    assert position.quantity == D("20.5")
    assert [(line.text, line.kind, line.is_quantity) for line in position.measure] == [
        ('2*5*2 \'Norte’s "muro"', "expression", False),
        ("1*0.5 'Sur", "expression", False),
        ("Subtotal", "comment", False),
        ("Total", "subtotal", True),
    ]
    assert evaluate_sheet(position.measure, {}).candidates == (D("20.5"),)
    assert bill.warnings == []


def test_an_expression_has_its_letters_replaced_by_the_lines_figures(path, drain):
    write(path, *TREE, "~D|A#|P1\\1\\1\\|", "~M|A#\\P1|1\\1|25.13|3\\a*p*b^2\\2\\2\\\\\\|")
    [position], *_ = drain(path)
    assert position.measure[0].text == "2*pi*2^2"
    [value] = evaluate_sheet(position.measure, {}).candidates
    assert round(value, 2) == D("25.13")


def test_further_measurements_are_added(path, drain):
    write(path, *TREE, "~D|A#|P1\\1\\1\\|", "~M|A#\\P1|1\\1|10|\\x\\10\\\\\\\\|", "~N|A#\\P1|1\\1|5|\\y\\5\\\\\\\\|")
    [position], *_ = drain(path)
    assert (position.quantity, len(position.measure)) == (D(15), 3)
    assert evaluate_sheet(position.measure, {}).candidates == (D(15),)


def test_a_position_twice_in_one_chapter_has_its_own_measurement_each_time(path, drain):
    write(
        path,
        *TREE,
        "~D|A#|P1\\1\\3\\P1\\1\\4\\|",
        "~M|A#\\P1|1\\1\\1|3|\\x\\3\\\\\\\\|",
        "~M|A#\\P1|1\\1\\2|4|\\y\\4\\\\\\\\|",
    )
    positions, *_ = drain(path)
    assert [(p.number, p.quantity) for p in positions] == [("1.1", D(3)), ("1.2", D(4))]


def test_without_measurements_the_chapter_says_how_much(path, drain):
    write(path, *TREE, "~D|A#|P1\\2\\3.5\\P2\\\\\\|", "~C|P2|m|Cota|1||0|")
    positions, *_ = drain(path)
    assert [(p.quantity, p.quantity_reason) for p in positions] == [(D("7.0"), ""), (None, "the file has no quantity")]


def test_a_measurement_that_contradicts_its_chapter_is_said(path, drain):
    write(path, *TREE, "~D|A#|P1\\1\\7\\|", "~M|A#\\P1|1\\1|8|\\x\\8\\\\\\\\|")
    [position], _, bill = drain(path)
    assert position.quantity == D(8)
    assert "P1 is measured as 8, its chapter says 7; the measurement is taken" in bill.warnings[0]


def test_what_makes_a_price_is_no_position(path, drain):
    write(path, *TREE, "~D|A#|P1\\1\\2\\|", "~D|P1|mo1\\1\\0.5\\%CI\\1\\0.03\\|", "~C|mo1|h|Peón|18||1|")
    positions, *_ = drain(path)
    assert [p.code for p in positions] == ["P1"]


def test_the_newest_of_several_prices_is_taken_and_said(path, drain):
    prices = "~C|P1|m2|Muro|10\\12\\11|010322\\010324\\010323|0|"
    write(path, *TREE[:-1], prices, "~D|A#|P1\\1\\1\\|")
    [position], _, bill = drain(path)
    assert position.unit_price == D(12)
    assert "P1 has 3 prices; the newest is taken (2024-03-01)" in bill.warnings[0]


def test_a_chapter_taken_twice_doubles_what_is_in_it(path, drain):
    write(path, "~C|R##||Casas|40||0|", "~D|R##|A#\\1\\2\\|", "~C|A#||Casa|20||0|", "~C|P1|m2|Muro|10||0|",
          "~D|A#|P1\\1\\2\\|", "~M|A#\\P1|1\\1|2|\\x\\2\\\\\\\\|")  # fmt: skip
    [position], result, bill = drain(path)
    assert (position.quantity, result.computed_total, result.differences) == (D(4), D("40.00"), ())
    assert evaluate_sheet(position.measure, {}).candidates == (D(4),)
    assert "chapter A is taken 2 times" in bill.warnings[0]


def test_without_a_root_the_outermost_chapters_are_read(path, drain):
    write(path, "~C|A#||Muros|||0|", "~C|P1|m2|Muro|10||0|", "~D|A|P1\\1\\2\\|")
    [position], *_ = drain(path)
    assert (position.number, position.section_path) == ("1.1", ("A Muros",))


def test_a_chapter_in_itself_is_left_out_and_said(path, drain):
    write(path, *TREE, "~D|A#|P1\\1\\2\\A#\\1\\1\\|")
    positions, _, bill = drain(path)
    assert len(positions) == 1
    assert "chapter A contains itself" in bill.warnings[0]


def test_chapters_that_multiply_without_end_are_refused(path, drain):
    levels = [
        record for i in range(40) for record in (f"~C|L{i}#||x|||0|", f"~D|L{i}#|L{i + 1}#\\1\\1\\L{i + 1}#\\1\\1\\|")
    ]
    write(path, "~C|R##||x|||0|", "~D|R##|L0#\\1\\1\\|", *levels, "~C|L40#||x|||0|", "~D|L40#|P\\1\\1\\|")
    with pytest.raises(ParseError) as refused:
        for _ in open_bill(path).positions:
            pass
    assert refused.value.code == "too_large"


def test_percentages_on_the_total_are_said(path, drain):
    write_bc3(path, HOUSE, decimals=r"\2\3\3\2\2\2\2\EUR\|0\13\6\\21")
    *_, bill = drain(path)
    assert bill.warnings == [
        "The file puts 13 % overheads, 6 % profit, 21 % VAT on top of its total; prices and sums here are without them."
    ]


def test_a_file_of_concepts_without_structure_is_refused(path):
    with pytest.raises(ParseError, match="no chapters") as refused:
        open_bill(write(path, "~C|P1|m2|Muro|10||0|"))
    assert refused.value.code == "no_positions"


def test_decimals_of_the_file_are_its_rounding(path, drain):
    write_bc3(path, HOUSE, decimals=r"\2\3\3\2\2\4\1\EUR\|0")
    _, _, bill = drain(path)
    assert (bill.header.rounding.quantity, bill.header.rounding.unit_price, bill.header.rounding.total) == (
        D("0.001"), D("0.0001"), D("0.1"),
    )  # fmt: skip


def _writable(bill: GivenBill) -> GivenBill:
    def clean(text: str) -> str:
        return " ".join(text.translate(SPECIAL).split())

    return replace(
        bill,
        objects=tuple(
            replace(obj, name=clean(obj.name), sections=tuple(
                replace(section, name=clean(section.name), positions=tuple(
                    replace(p, description=clean(p.description)) for p in section.positions
                )) for section in obj.sections
            )) for obj in bill.objects
        ),
    )  # fmt: skip


@SETTINGS
@given(bill=bills())
def test_what_was_written_is_what_is_read(tmp_path, bill):
    bill = _writable(bill)
    write_bc3(tmp_path / "f", bill)
    found = read(tmp_path / "f")
    expected = [p for *_, p in bill.walk()]
    assert [(p.description, p.unit, p.quantity, p.unit_price) for p in found] == [
        (p.description, p.unit, p.quantity, p.unit_price) for p in expected
    ]


@settings(SETTINGS, max_examples=60)
@given(data=st.data())
def test_damage_raises_parse_errors_only(tmp_path, data):
    path = tmp_path / "f"
    write_bc3(path, HOUSE)
    path.write_bytes(damaged(data, path.read_bytes()))
    read_or_refuse(path)
