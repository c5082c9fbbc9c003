"""`positions.json` read in blocks: the same wherever a block ends, and refused where it is no JSON."""

from __future__ import annotations

import json
import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest

from projects.filestore import scanning
from projects.filestore.places import StoreError
from projects.filestore.positions import OlderBill, read_positions
from projects.parsers.bill import BillPosition
from tests.factories.folders import entry


def entries_of(path: Path) -> tuple[OlderBill, list[BillPosition]]:
    with path.open("rb") as file:
        older = read_positions(file)
        return older, list(older.bill.positions)


@pytest.mark.parametrize("is_wrapped", [True, False])
def test_a_large_file_is_streamed_in_constant_memory_and_reads_the_same_whatever_the_block(
    tmp_path: Path, is_wrapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [entry(n, plumbline={"category": "own"} if n == 3 else None) for n in range(1, 3001)]
    value = {"total_positions": 3000, "made": {"positions": [1]}, "positions": entries, "currency": "EUR"}
    path = tmp_path / "positions.json"
    path.write_text(json.dumps(value if is_wrapped else entries))
    whole, read = entries_of(path)
    assert len(read) == 3000 and read[0].quantity == Decimal("12.5")
    assert (whole.bill.header.currency, whole.bill.stated_count) == (("EUR", 3000) if is_wrapped else ("", None))
    for block in (1, 7, 1000):
        monkeypatch.setattr(scanning, "BLOCK", block)
        assert entries_of(path)[1] == read
        assert entries_of(path)[0].categories == whole.categories
    tracemalloc.start()
    with path.open("rb") as file:
        assert sum(1 for _ in read_positions(file).bill.positions) == 3000
    assert tracemalloc.get_traced_memory()[1] < 2 * path.stat().st_size  # of names that are taken, not of entries
    tracemalloc.stop()
    path.write_text(path.read_text()[:-30])
    with pytest.raises(StoreError) as refused:
        entries_of(path)
    assert refused.value.code == "damaged"


FIGURES = '[{"name": "č\\u010d\\"]}", "quantity": 1.250e1, "unit_price": -0.5}, {"name": "b", "quantity": 12}]'
SHAPED = {
    "behind": '{"total_positions": 2, "positions": %s, "currency": "EUR", "total_cost": 12.34567890123456789}',
    "other-name": '{"items": %s, "currency": "EUR"}',
    "other-list": '{"items": [{"name": "no"}], "polozky": 5, "positions": %s, "items": [], "currency": "EUR"}',
    "last-first": '{"polozky": [], "a": {"positions": [1]}, "items": %s, "currency": "EUR"}',
    "spaces": '\ufeff \n{ "currency" :\t"EUR" ,\r\n"positions" : %s }\n',
    "earlier-scalar": '{"positions": 5, "currency": "EUR", "positions": %s}',
}


@pytest.mark.parametrize("block", [1, 2, 5, 64, 1 << 18])
@pytest.mark.parametrize("name", SHAPED)
def test_what_stands_around_the_list_counts_wherever_it_stands(
    name: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "BLOCK", block)
    path = tmp_path / "positions.json"
    path.write_text(SHAPED[name] % FIGURES, encoding="utf-8")
    older, read = entries_of(path)
    assert [(p.description, p.quantity, p.unit_price) for p in read] == [
        ('čč"]}', Decimal("12.50"), Decimal("-0.5")),
        ("b", Decimal(12), None),
    ]
    assert older.bill.header.currency == "EUR"
    if name == "behind":
        assert older.bill.stated_count == 2 and older.bill.totals[0].amount == Decimal("12.3456789012")


CUT = {
    "comma": '[{"name": "a"},]', "no-comma": '[{"name": "a"} {"name": "b"}]', "after": '[{"name": "a"}] 7',
    "open": '[{"name": "a"}', "text": '[{"name": "a', "twice": '{"positions": [{"name": "a"}], "positions": []}',
    "later-scalar": '{"positions": [{"name": "a"}], "positions": 5}', "name": '{"positions": [], 5: 6}',
    "colon": '{"positions" [{"name": "a"}]}', "word": "[nul]", "infinity": '{"a": -Infinity, "positions": []}',
    "control": '[{"name": "a\nb"}]', "number": '[{"quantity": 1.}]', "end": '{"positions": [{"name": "a"}]}}',
}  # fmt: skip


@pytest.mark.parametrize("block", [1, 1 << 18])
@pytest.mark.parametrize("name", CUT)
def test_what_is_no_json_is_damaged_and_says_where(
    name: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "BLOCK", block)
    path = tmp_path / "positions.json"
    path.write_text(CUT[name])
    with pytest.raises(StoreError, match=r"is damaged: .*(character \d|twice|not a figure)") as refused:
        entries_of(path)
    assert refused.value.code == "damaged"


EXTRAS = [7, [], {"billing": "free"}, {"measure": [1]}, {"vat_rate": "1e99"}, {"kind": None}, {"stated_total": "NaN"}]


@pytest.mark.parametrize("extras", EXTRAS, ids=map(str, EXTRAS))
def test_extras_that_are_not_understood_are_told_and_left_out(tmp_path: Path, extras: object) -> None:
    path = tmp_path / "positions.json"
    path.write_text(json.dumps([entry(1, plumbline=extras)]))
    older, [position] = entries_of(path)
    assert position.billing == "normal" and position.total == 1250
    assert older.bill.warnings == ["positions[0].plumbline is not understood; it is left out."]
