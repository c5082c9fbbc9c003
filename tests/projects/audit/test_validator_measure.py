"""V09: measure sheets against quantities."""

from __future__ import annotations

from projects.audit.engine import audit
from projects.audit.findings import Grade
from projects.parsers.bill import MeasureLine
from tests.projects.audit.build import NOTE, grades, not_checked, position, said, sheet, view


def test_v09_a_sheet_that_agrees_is_silent() -> None:
    assert grades(view(position(measure=sheet('"1.NP" 2,5*4'))), "V09") == []


def test_v09_a_sheet_that_differs_is_red_by_its_share() -> None:
    (finding,) = said(view(position(measure=sheet("2,5*4,4"))), "V09")
    assert finding.grade is Grade.RED
    assert str(finding.money_at_stake) == "12.50"  # a tenth of 125.00
    assert (finding.subject, finding.demand) == ("quantity", "raise")


def test_v09_the_tolerance_is_half_a_step_and_a_ten_thousandth() -> None:
    assert grades(view(position(quantity="10", measure=sheet("10,002"))), "V09") == []
    assert grades(view(position(quantity="10", measure=sheet("10,003"))), "V09") == [(0, Grade.RED)]


def test_v09_a_sheet_that_cannot_be_read_is_not_checked_and_caps_the_grade() -> None:
    result = audit(view(position(measure=sheet("délka*výška"))))
    (reason,) = not_checked(result, "V09")
    assert "délka" in reason
    verdict = result.verdicts[0]
    assert (verdict.grade, verdict.roles["validator"], verdict.not_checked) == (Grade.AMBER, "not_checked", ("V09",))


def test_v09_reads_figures_that_the_file_defines() -> None:
    defined = MeasureLine("Základová deska", "comment", figure="F1", value=position().quantity)
    assert grades(view(position(measure=(defined, *sheet("F1")))), "V09") == []
    assert not_checked(audit(view(position(measure=sheet("F1")))), "V09")


def test_v09_does_not_apply_without_expressions_or_quantity() -> None:
    remark = (MeasureLine("jen poznámka", "comment"),)
    for changes in ({"measure": remark}, {"measure": ()}, {"measure": sheet("3"), "quantity": None, "kind": NOTE}):
        result = audit(view(position(**changes)))
        assert not_checked(result, "V09") == []
        assert not [finding for finding in result.findings if finding.rule_id == "V09"]
