"""N01-N04: codes, catalogue texts, tender law."""

from __future__ import annotations

from projects.audit.engine import audit
from projects.audit.findings import Grade
from projects.audit.view import CatalogueEntry
from tests.projects.audit.build import MATERIAL, NOTE, WHOLE, grades, not_checked, numbered, position, said, sheet, view


def test_n01_a_code_of_another_shape_is_worth_knowing() -> None:
    rows = numbered({}, {"code": "71313134R"}, {"code": "28376504", "quantity": 2}, {"code": "311272224.XLA"})
    assert grades(view(*rows), "N01") == [(1, Grade.INFO)]


def test_n01_does_not_apply_without_code_or_declared_catalogue() -> None:
    rows = numbered({"code": ""}, {"code": "Pol1", "price_system": ""})
    result = audit(view(*rows))
    assert [f for f in result.findings if f.rule_id == "N01"] == []
    assert "standards" not in result.verdicts[0].roles


def _catalogue(text: str, unit: str = "m2") -> dict[str, CatalogueEntry]:
    return {"632481213": CatalogueEntry("632481213", text, unit)}


def test_n02_the_catalogues_own_text_is_fine() -> None:
    budget = view(position(), catalogue=_catalogue("Separační vrstva z PE fólie pod mazaniny"))
    assert grades(budget, "N02") == []


def test_n02_another_text_or_unit_is_found() -> None:
    other = view(position(), catalogue=_catalogue("Montáž kotle 20 kW"))
    assert grades(other, "N02") == [(0, Grade.RED)]
    assert grades(view(position(), catalogue=_catalogue(position().description, "m3")), "N02") == [(0, Grade.RED)]


def test_n02_says_what_it_lacks() -> None:
    assert not_checked(audit(view(position())), "N02") == ["no price catalogue is loaded"]
    assert not_checked(audit(view(position(), catalogue={})), "N02") == ["the catalogue has no code 632481213"]
    assert not_checked(audit(view(position(code="Pol1"))), "N02") == []


def test_n03_works_without_a_998_line_are_amber_once_per_object() -> None:
    rows = numbered({}, {"quantity": 2}, {"object_code": "SO 2"})
    findings = said(view(*rows), "N03")
    assert [(f.index, f.grade) for f in findings] == [(WHOLE, Grade.AMBER)] * 2
    assert [f.subject for f in findings] == ["998 in SO 1", "998 in SO 2"]


def test_n03_a_998_line_or_its_text_is_enough() -> None:
    assert grades(view(*numbered({}, {"code": "998011001"})), "N03") == []
    assert grades(view(*numbered({}, {"code": "Pol9", "description": "Přesun hmot pro budovy"})), "N03") == []


def test_n03_earthworks_and_other_catalogues_need_none() -> None:
    assert grades(view(*numbered({"code": "132151253"})), "N03") == []
    assert grades(view(*numbered({"price_system": "RTS I / 2024"})), "N03") == []


COMPLETE = {"measure": sheet("10"), "quantity": 10}


def test_n04_a_public_tender_needs_everything() -> None:
    rows = numbered(COMPLETE, {}, {**COMPLETE, "price_system": "", "code": ""})
    findings = said(view(*rows, is_public_tender=True), "N04")
    assert [(f.index, f.grade, f.evidence["missing"]) for f in findings] == [
        (1, Grade.AMBER, ["measure sheet"]),
        (2, Grade.AMBER, ["code", "price system"]),
    ]


def test_n04_materials_need_no_sheet_and_percentages_no_quantity() -> None:
    percentage = {**COMPLETE, "quantity": None, "quantity_reason": "percentage", "unit": "%"}
    rows = numbered({"kind": MATERIAL, "code": "28376504"}, percentage, {"kind": NOTE, "code": ""})
    assert grades(view(*rows, is_public_tender=True), "N04") == []


def test_n04_private_budgets_are_not_asked() -> None:
    assert grades(view(*numbered({"price_system": ""})), "N04") == []
