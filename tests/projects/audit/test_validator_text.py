"""V01-V03: descriptions and units."""

from __future__ import annotations

from decimal import Decimal

from projects.audit.engine import audit
from projects.audit.findings import Grade
from projects.parsers.bill import Billing
from tests.projects.audit.build import NOTE, grades, not_checked, numbered, position, said, view


def test_v01_an_empty_description_is_red_and_a_stub_is_amber() -> None:
    budget = view(
        *numbered({"description": ""}, {"description": "N1"}, {"description": "Beton"}, {"description": "Zeď"})
    )
    assert grades(budget, "V01") == [(0, Grade.RED), (1, Grade.AMBER)]


def test_v01_the_length_asked_for_can_be_changed() -> None:
    budget = view(position(description="Zeď"))
    assert grades(budget, "V01") == []
    assert grades(budget, "V01", thresholds={"V01.min_length": Decimal(4)}) == [(0, Grade.AMBER)]


def test_v01_a_bid_without_texts_is_not_checked_instead() -> None:
    budget = view(position(description="", unit=None, quantity=None, total="125"), phase="X84")
    result = audit(budget)
    assert not [finding for finding in result.findings if finding.rule_id in ("V01", "V02", "V04")]
    assert all(not_checked(result, rule_id) for rule_id in ("V01", "V02", "V04"))
    assert result.verdicts[0].grade is Grade.AMBER


def test_v02_a_missing_unit_is_red() -> None:
    budget = view(*numbered({"unit": None}, {"unit": " "}, {"unit": "m2"}))
    assert grades(budget, "V02") == [(0, Grade.RED), (1, Grade.RED)]


def test_v02_notes_surcharges_and_lump_sums_need_no_unit() -> None:
    budget = view(
        *numbered(
            {"unit": None, "kind": NOTE},
            {"unit": None, "billing": Billing.SURCHARGE},
            {"unit": None, "billing": Billing.LUMP_SUM, "quantity": None, "total": "125"},
        )
    )
    assert grades(budget, "V02") == []


def test_v03_an_unknown_unit_is_amber_with_the_unit_that_was_meant() -> None:
    (finding,) = said(view(*numbered({"unit": "us"}, {"unit": "Stk."}, {"unit": "m²"})), "V03")
    assert (finding.index, finding.grade, finding.evidence["nearest"]) == (0, Grade.AMBER, "kus")
    assert finding.suggestion is not None
    assert "kus" in finding.suggestion.action


def test_v03_a_unit_like_no_other_gets_no_suggestion() -> None:
    (finding,) = said(view(position(unit="qwertzuiop")), "V03")
    assert finding.suggestion is None


def test_v03_does_not_speak_of_missing_units() -> None:
    assert grades(view(position(unit=None)), "V03") == []
