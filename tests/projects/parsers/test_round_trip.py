"""What was written is what is read, in every dialect; whatever is done to a file, readers raise ParseError only."""

from __future__ import annotations

import string
import zipfile
from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.parsers.bill import ParseError, PositionKind
from projects.parsers.reconcile import Reconciler, assert_reconciled
from projects.parsers.registry import open_bill
from tests.factories.bills import (
    GivenBill,
    GivenObject,
    GivenPosition,
    GivenSection,
    write_csv,
    write_gaeb,
    write_kros,
    write_legacy_json,
    write_unixml,
)
from tests.factories.bills_cz import write_aspe, write_kros_list, write_rts

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LETTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co", "Zl", "Zp"), exclude_characters="\u00a0"
)
# Texts as readers give them back: one line, no blanks at the ends, single blanks inside.
TEXTS = st.text(LETTERS, min_size=1, max_size=40).map(lambda text: " ".join(text.split())).filter(bool)
CODES = st.text(string.ascii_uppercase + string.digits + ".-", min_size=1, max_size=12)
# A total keeps within the fifteen digits that a spreadsheet holds.
QUANTITIES = st.decimals(min_value=0, max_value=10**6, places=3)
PRICES = st.decimals(min_value=-(10**6), max_value=10**6, places=2)
UNITS = st.sampled_from(["m", "m2", "m3", "kus", "t", "soubor", "h"])


@st.composite
def bills(draw):
    numbers = iter(range(10, 10_000, 10))

    def position():
        number = next(numbers)
        text, unit, code = draw(TEXTS), draw(UNITS), f"{draw(CODES)}.{number}"
        return GivenPosition(f"{number:04d}", text, unit, draw(QUANTITIES), draw(PRICES), code, draw(st.booleans()))

    def section(number):
        return GivenSection(f"{number:02d}", draw(TEXTS), tuple(position() for _ in range(draw(st.integers(1, 4)))))

    objects = tuple(
        GivenObject(f"{number:02d}", draw(TEXTS), tuple(section(n) for n in range(1, draw(st.integers(1, 2)) + 1)))
        for number in range(1, draw(st.integers(1, 3)) + 1)
    )
    return GivenBill(objects, draw(TEXTS))


def read(path):
    bill = open_bill(path)
    reconciler = Reconciler(bill)
    positions = list(reconciler.watch(bill.positions))
    assert_reconciled(reconciler.result())
    assert bill.warnings == []
    return positions


def facts(positions):
    return [(p.description, p.unit, p.quantity, p.unit_price) for p in positions]


@SETTINGS
@given(bill=bills())
def test_kros(tmp_path, bill):
    write_kros(tmp_path / "f", bill)
    positions = read(tmp_path / "f")
    given_positions = [p for *_, p in bill.walk()]
    assert facts(positions) == facts(given_positions)
    assert [p.code for p in positions] == [p.code for p in given_positions]
    assert [p.total for p in positions] == [p.total for p in given_positions]
    assert [p.kind is PositionKind.MATERIAL for p in positions] == [p.is_material for p in given_positions]
    assert [p.section_path for p in positions] == [(f"{s.code} {s.name}",) for _, s, _ in bill.walk()]
    assert [(p.object_code, p.object_name) for p in positions] == [(o.code, o.name) for o, *_ in bill.walk()]


@SETTINGS
@given(bill=bills())
def test_kros_list(tmp_path, bill):
    write_kros_list(tmp_path / "f", bill)
    positions = read(tmp_path / "f")
    given_positions = [p for *_, p in bill.walk()]
    assert facts(positions) == facts(given_positions)
    assert [(p.code, p.total, p.number) for p in positions] == [(p.code, p.total, p.number) for p in given_positions]
    assert [p.kind is PositionKind.MATERIAL for p in positions] == [p.is_material for p in given_positions]
    assert [(p.object_code, p.section_path) for p in positions] == [
        (o.code, (f"{s.code} {s.name}",)) for o, s, _ in bill.walk()
    ]


@SETTINGS
@given(bill=bills())
def test_rts(tmp_path, bill):
    write_rts(tmp_path / "f", bill)
    positions = read(tmp_path / "f")
    given_positions = [p for *_, p in bill.walk()]
    assert facts(positions) == facts(given_positions)
    assert [(p.code, p.total) for p in positions] == [(p.code, p.total) for p in given_positions]
    assert [p.kind is PositionKind.MATERIAL for p in positions] == [p.is_material for p in given_positions]
    assert [(p.object_code, p.section_path) for p in positions] == [
        (f"{o.code}/01", (f"{s.code} {s.name}",)) for o, s, _ in bill.walk()
    ]


@SETTINGS
@given(bill=bills())
def test_aspe(tmp_path, bill):
    write_aspe(tmp_path / "f", bill)
    positions = read(tmp_path / "f")
    given_positions = [p for *_, p in bill.walk()]
    # A price of 0 is how the program writes that there is none.
    assert facts(positions) == facts(replace(p, unit_price=p.unit_price or None) for p in given_positions)
    assert [p.code for p in positions] == [p.code for p in given_positions]
    assert [p.total for p in positions] == [p.total if p.unit_price else None for p in given_positions]
    assert [(p.object_code, p.section_path) for p in positions] == [
        (f"SO 1/{o.code}", (f"{s.code} {s.name}",)) for o, s, _ in bill.walk()
    ]


@SETTINGS
@given(bill=bills())
def test_unixml(tmp_path, bill):
    write_unixml(tmp_path / "f", bill)
    positions = read(tmp_path / "f")
    given_positions = [p for *_, p in bill.walk()]
    assert facts(positions) == facts(given_positions)
    assert [(p.code, p.number, p.object_code) for p in positions] == [
        (p.code, p.number, o.code) for o, _, p in bill.walk()
    ]


@SETTINGS
@given(bill=bills())
def test_gaeb(tmp_path, bill):
    write_gaeb(tmp_path / "f", bill)
    positions = read(tmp_path / "f")
    assert facts(positions) == facts(p for *_, p in bill.walk())
    assert [p.number for p in positions] == [f"{o.code}.{s.code}.{p.number}" for o, s, p in bill.walk()]


@SETTINGS
@given(bill=bills())
def test_legacy_json(tmp_path, bill):
    write_legacy_json(tmp_path / "f", bill)
    positions = read(tmp_path / "f")
    assert facts(positions) == facts(p for *_, p in bill.walk())


@SETTINGS
@given(bill=bills(), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), delimiter=st.sampled_from(";\t"))
def test_csv(tmp_path, bill, encoding, delimiter):
    # Enough rows for the marks to be certain, as in any bill.
    more = GivenObject(
        "99", "x", (GivenSection("1", "y", tuple(GivenPosition(str(i), "Výkop", quantity=D("1.5")) for i in range(9))),)
    )
    bill = replace(bill, objects=(*bill.objects, more))
    write_csv(tmp_path / "f", bill, encoding=encoding, delimiter=delimiter)
    assert facts(read(tmp_path / "f")) == facts(p for *_, p in bill.walk())


WRITERS = [write_kros, write_unixml, write_gaeb, write_csv, write_legacy_json, write_kros_list, write_rts, write_aspe]
WORKBOOKS = [write_kros, write_kros_list, write_rts, write_aspe]
PARTS = ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml", "xl/sharedStrings.xml", "xl/workbook.xml"]


def damaged(data, content):
    """The content with one to six changes."""
    content = bytearray(content)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        change = data.draw(st.sampled_from(["flip", "cut", "double", "insert"]))
        if change == "flip" and content:
            content[at] = data.draw(st.integers(0, 255))
        elif change == "cut":
            del content[at : at + data.draw(st.integers(1, 200))]
        elif change == "double":
            content[at:at] = content[at : at + 100]
        else:
            content[at:at] = data.draw(st.binary(max_size=20))
    return bytes(content)


def read_or_refuse(path):
    try:
        for _ in open_bill(path).positions:
            pass
    except ParseError as error:
        assert error.code
        assert len(str(error)) > 20


@pytest.mark.parametrize("write", WRITERS)
@settings(SETTINGS, max_examples=40)
@given(data=st.data())
def test_damage_raises_parse_errors_only(tmp_path, house, write, data):
    path = tmp_path / "f"
    write(path, house)
    path.write_bytes(damaged(data, path.read_bytes()))
    read_or_refuse(path)


@pytest.mark.parametrize("write", WORKBOOKS)
@pytest.mark.parametrize("part", PARTS)
@settings(SETTINGS, max_examples=25)
@given(data=st.data())
def test_damage_inside_a_whole_container_raises_parse_errors_only(tmp_path, house, write, part, data):
    path = tmp_path / "f"
    write(path, house)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = part if part in parts else PARTS[0]
    parts[part] = damaged(data, parts[part])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    read_or_refuse(path)


@settings(SETTINGS, max_examples=150)
@given(content=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_noise_raises_parse_errors_only(tmp_path, content):
    path = tmp_path / "f"
    path.write_bytes(content)
    with pytest.raises(ParseError):
        list(open_bill(path).positions)
