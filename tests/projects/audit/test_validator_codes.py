"""V10-V13: codes within the budget, and against the file before pricing."""

from __future__ import annotations

from projects.audit.engine import audit
from projects.audit.findings import Grade
from tests.projects.audit.build import NOTE, WHOLE, grades, not_checked, numbered, said, view


def test_v10_the_same_item_twice_is_red_for_catalogue_codes_and_amber_for_own() -> None:
    assert grades(view(*numbered({}, {})), "V10") == [(1, Grade.RED)]
    assert grades(view(*numbered({"code": "Pol1"}, {"code": "Pol1"})), "V10") == [(1, Grade.AMBER)]


def test_v10_three_times_is_one_observation_with_two_too_many() -> None:
    (finding,) = said(view(*numbered({}, {}, {})), "V10")
    assert finding.related == (0, 2)
    assert str(finding.money_at_stake) == "250.00"


def test_v10_another_quantity_object_or_unit_is_another_item() -> None:
    rows = numbered({}, {"quantity": 11}, {"object_code": "SO 2"}, {"unit": "m"}, {"kind": NOTE})
    assert grades(view(*rows), "V10") == []


def test_v10_without_codes_the_long_text_tells_items_apart() -> None:
    bare = {"code": "", "price_system": ""}
    assert grades(view(*numbered({**bare, "long_text": "a"}, {**bare, "long_text": "b"})), "V10") == []
    assert grades(view(*numbered({**bare, "long_text": "a"}, {**bare, "long_text": "a"})), "V10") == [(1, Grade.AMBER)]


def test_v11_the_same_code_with_another_quantity_is_worth_knowing() -> None:
    assert grades(view(*numbered({}, {"quantity": 11})), "V11") == [(0, Grade.INFO)]
    assert audit(view(*numbered({}, {"quantity": 11}))).verdicts[0].grade is Grade.GREEN


def test_v11_leaves_own_codes_other_objects_and_duplicates_alone() -> None:
    assert grades(view(*numbered({"code": "Pol1"}, {"code": "Pol1", "quantity": 11})), "V11") == []
    assert grades(view(*numbered({}, {"quantity": 11, "object_code": "SO 2"})), "V11") == []
    assert grades(view(*numbered({}, {})), "V11") == []


def test_v12_one_code_in_two_units_is_red_where_it_is_unusual() -> None:
    rows = numbered({}, {"unit": "m", "quantity": 3}, {"quantity": 4})
    assert grades(view(*rows), "V12") == [(1, Grade.RED)]


def test_v12_spellings_of_one_unit_are_no_difference() -> None:
    assert grades(view(*numbered({"unit": "m2"}, {"unit": "m²", "quantity": 3})), "V12") == []
    assert grades(view(*numbered({"code": "Pol1"}, {"code": "Pol1", "unit": "m"})), "V12") == []


def test_v13_any_change_while_pricing_is_red_whether_row_text_or_quantity() -> None:
    blank = numbered({"unit_price": None}, {"unit_price": None}, {"unit_price": None}, {"unit_price": None})
    bid = numbered({}, {"quantity": 9}, {"description": "Jiný text"}, {"number": "5"})
    findings = said(view(*bid, blank=blank), "V13")
    assert [(f.index, f.grade) for f in findings] == [(WHOLE, Grade.RED), *[(i, Grade.RED) for i in (1, 2, 3)]]
    assert findings[0].evidence["missing"] == ["SO 1|4"]
    assert list(findings[1].evidence) == ["quantity", "precision"]


def test_v13_spelling_of_units_and_blanks_in_texts_are_no_change() -> None:
    blank = numbered(
        {"unit_price": None, "unit": "m²", "description": "Separační  vrstva z PE fólie", "quantity": "10.000"}
    )
    assert grades(view(*numbered({}), blank=blank), "V13") == []


def test_v13_only_bids_miss_the_unpriced_file() -> None:
    assert not_checked(audit(view(*numbered({}))), "V13") == []
    assert not_checked(audit(view(*numbered({}), is_public_tender=True)), "V13") == [
        "the file before pricing is not loaded"
    ]
