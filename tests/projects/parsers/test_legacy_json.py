"""positions.json of the older system, in the spellings it had."""

from __future__ import annotations

import json
from decimal import Decimal as D

import pytest

from projects.parsers.bill import ParseError
from projects.parsers.registry import detect, open_bill
from tests.factories.bills import write_legacy_json


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_list_and_a_wrapped_list_give_the_same_positions(tmp_path, house, drain, wrapped):
    path = tmp_path / "positions.json"
    write_legacy_json(path, house, wrapped=wrapped)
    positions, result, _ = drain(path)
    assert [p.description for p in positions] == [p.description for *_, p in house.walk()]
    assert positions[1].quantity == D("68.16")
    assert result.computed_total == house.total


def test_older_names_and_figures_as_text_are_understood(tmp_path, drain):
    path = tmp_path / "positions.json"
    entry = {"name": "Výkop", "mj": "m3", "qty": "1 234,5", "price": "2,00", "cena_celkem": 0.0, "kod": "131"}
    path.write_text(json.dumps({"positions": [entry, "noise"], "total_positions": 1, "total_cost": 2469.0}))
    [position], result, bill = drain(path)
    assert (position.quantity, position.unit_price, position.code) == (D("1234.5"), D("2.00"), "131")
    assert position.total is None  # 0.0 was the older system's "not computed"
    assert (result.computed_total, result.stated_total, result.stated_count) == (D("2469.00"), D("2469.0"), 1)
    assert bill.warnings == ["positions[1] is not an object; it is left out."]


@pytest.mark.parametrize("text", ['[{"name": "a", "unit": "m", "quantity": NaN}]', '[{"name": "a", "unit": "m"'])
def test_broken_json_is_refused(tmp_path, text):
    path = tmp_path / "positions.json"
    path.write_text(text)
    with pytest.raises(ParseError) as refused:
        list(open_bill(path, dialect="legacy_json").positions)
    assert refused.value.code == "damaged"


def test_other_json_is_no_bill(tmp_path):
    path = tmp_path / "project.json"
    path.write_text('{"workflow": "A", "status": "done"}')
    with pytest.raises(ParseError) as refused:
        detect(path)
    assert refused.value.code == "unknown_dialect"
