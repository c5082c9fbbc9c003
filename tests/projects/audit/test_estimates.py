"""S09, and what codes made from a building model mean to the other structural rules."""

from __future__ import annotations

from projects.audit.codes import CodeClass, classify
from projects.audit.families import part_of
from projects.audit.findings import Grade
from tests.projects.audit.build import position, said, view

REASON = "estimate: 110 kg of steel to a m3 of walls (usual: 70 to 150)"


def test_an_estimated_quantity_is_amber_until_it_is_measured() -> None:
    estimated = position(quantity="1.1", unit="t", quantity_reason=REASON)
    (hit,) = said(view(estimated), "S09")
    assert hit.grade is Grade.AMBER and REASON in hit.reasoning
    assert not said(view(position(quantity="1.1", unit="t")), "S09")
    assert not said(view(position(quantity=None, quantity_reason="empty cell")), "S09")


def test_codes_from_a_model_make_families_and_no_catalogue() -> None:
    found = classify("311321.IFC")
    assert found is CodeClass.MODEL and not found.is_catalogue
    assert [part_of(f"311{part}1.IFC", found) for part in ("32", "35", "36")] == [
        "reinforced concrete",
        "formwork",
        "reinforcement",
    ]
