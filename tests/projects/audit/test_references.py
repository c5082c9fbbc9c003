"""S07, and C04, N01, N02 against catalogue and own history: what is compared, and what is told instead."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from projects.audit.engine import audit
from projects.audit.findings import Grade
from projects.audit.materials import thickness_m
from projects.audit.references import CatalogueEntry, HistoryEntry, history_key
from projects.audit.registry import all_rules
from projects.audit.thresholds import ORDERED, TABLE, why_refused
from tests.projects.audit.build import MATERIAL, grades, not_checked, numbered, position, said, view

D = Decimal
CODE = "632481213"
TEXT = position().description


def entry(**changes: Any) -> dict[str, CatalogueEntry]:
    values: dict[str, Any] = {"code": CODE, "text": TEXT, "unit": "m2", "unit_price": D(10), "edition": "2025 02"}
    return {CODE: CatalogueEntry(**(values | changes))}


def history(median: str, number: int = 3) -> dict[str, HistoryEntry]:
    return {history_key(CODE, "m2"): HistoryEntry(D(median), number, D(1), D(99))}


@pytest.mark.parametrize(
    ("text", "metres"),
    [("tl. 24-30 mm", "0.030"), ("tloušťky přes 5 do 10 cm", "0.10"), ("deska EPS tl 100mm", "0.100"), ("bez", None),
     ("Dicke 2,5 cm", "0.025"), ("thickness 0.2 m", "0.2"), ("detl. 30 mm", None), ("tl. 5 kusů", None)],
)  # fmt: skip
def test_s07_reads_the_thickness_that_a_text_names(text: str, metres: str | None) -> None:
    assert thickness_m(text) == (None if metres is None else D(metres))


def _layer(work: dict[str, Any], material: dict[str, Any]) -> list[tuple[int, Grade]]:
    boards = {"kind": MATERIAL, "unit": "m3", "code": "60511081", "description": "řezivo"} | material
    return grades(view(*numbered({"unit": "m2", "quantity": 100, "description": "Bednění"} | work, boards)), "S07")


def test_s07_more_than_one_and_a_half_times_the_thickness_named_is_red() -> None:
    assert _layer({}, {"quantity": "4.5", "description": "prkna tl. 24-30 mm"}) == []
    assert _layer({}, {"quantity": "4.6", "description": "prkna tl. 24-30 mm"}) == [(1, Grade.RED)]
    assert _layer({"description": "Bednění tl. 60 cm"}, {"quantity": 80}) == []


def test_s07_without_a_thickness_half_a_cubic_metre_is_the_most() -> None:
    assert _layer({}, {"quantity": 50}) == []
    assert _layer({}, {"quantity": 51}) == [(1, Grade.RED)]
    assert _layer({"unit": "m"}, {"quantity": 51, "description": "prkna tl. 30 mm"}) == [(1, Grade.RED)]
    assert _layer({"section_path": ("HSV", "1")}, {"quantity": 51}) == []
    assert _layer({"unit": "m3"}, {"quantity": 500}) == []


def test_c04_names_its_source_and_the_catalogue_goes_before_own_history() -> None:
    own = view(*numbered({"unit_price": 20}), history=history("10"))
    (finding,) = said(own, "C04")
    assert (finding.grade, finding.evidence["source"], finding.evidence["budgets"]) == (Grade.RED, "own history", 3)
    both = view(*numbered({"unit_price": 20}), catalogue=entry(), catalogue_name="ÚRS", history=history("20"))
    (finding,) = said(both, "C04")
    assert finding.evidence["source"] == "catalogue"
    unpriced = view(*numbered({"unit_price": 20}), catalogue=entry(unit_price=None), history=history("20"))
    assert said(unpriced, "C04") == []
    assert not_checked(audit(unpriced), "C04") == []


def test_c04_too_few_own_budgets_another_unit_or_currency_are_told() -> None:
    few = view(*numbered({}), history=history("10", 2))
    assert "own budgets with this code: 2, 3 are needed" in not_checked(audit(few), "C04")[0]
    other = view(*numbered({}), catalogue=entry(unit="m3"))
    assert not_checked(audit(other), "C04") == [f'the catalogue prices {CODE} by "m3"']
    foreign = view(*numbered({}), catalogue=entry(unit_price=None, why_unpriced="in EUR: not compared"))
    assert not_checked(audit(foreign), "C04") == ["in EUR: not compared"]


def test_c04_is_not_asked_of_positions_without_history_where_there_is_no_catalogue() -> None:
    budget = view(*numbered({}, {"code": "632481999"}), history=history("12.50"))
    assert not_checked(audit(budget), "C04") == []


def test_positions_of_another_catalogue_are_not_compared() -> None:
    rts = {"catalogue": "RTS", "price_system": "RTS 24/ I"}
    budget = view(*numbered(rts), catalogue=entry(unit_price=D(1), text="Cihly"), catalogue_name="ÚRS")
    for rule in ("C04", "N02"):
        assert grades(budget, rule) == []
        assert not_checked(audit(budget), rule) == ["the position is of RTS, the loaded catalogue is ÚRS"]
    assert grades(budget, "N01") == []


def test_n01_a_code_its_own_edition_does_not_have_is_amber_in_another_edition_info() -> None:
    same = view(*numbered({}), catalogue={}, catalogue_name="ÚRS", catalogue_edition="2025 02")
    assert grades(same, "N01") == [(0, Grade.AMBER)]
    other = view(*numbered({}), catalogue={}, catalogue_name="ÚRS", catalogue_edition="2024 01")
    assert grades(other, "N01") == [(0, Grade.INFO)]
    known = view(*numbered({}), catalogue=entry(), catalogue_name="ÚRS", catalogue_edition="2025 02")
    assert grades(known, "N01") == []


def test_n02_without_a_text_in_the_catalogue_it_says_so() -> None:
    budget = view(*numbered({}), catalogue=entry(text=""))
    assert not_checked(audit(budget), "N02") == [f"the catalogue has no text for {CODE}"]


def test_another_reference_makes_another_audit() -> None:
    rows = numbered({})
    references: list[dict[str, Any]] = [
        {}, {"catalogue": entry()}, {"history": history("10")}, {"blank": rows}, {"file_facts": []},
        {"catalogue_edition": "2024"},
    ]  # fmt: skip
    hashes = {audit(view(*rows, **reference)).inputs_sha256 for reference in references}
    assert len(hashes) == 6


def test_all_rules_of_the_table_are_registered() -> None:
    """V 14, C 10, S 8, B 4, N 5 of the catalogue of rules, the orchestrator's own, and S09 of models."""
    wanted = {f"{letter}{n:02d}" for letter, most in (("V", 14), ("C", 10), ("S", 8), ("B", 4), ("N", 5))
              for n in range(1, most + 1)}  # fmt: skip
    assert len(wanted) == 41
    registered = {rule.id for rule in all_rules()}
    assert wanted <= registered
    text = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
    listed = {line[2:5] for line in text.splitlines() if line.startswith("| ") and line[2:5] in registered}
    assert listed == registered


def test_every_threshold_lies_within_its_bounds_and_belongs_to_a_rule() -> None:
    rules = {rule.id for rule in all_rules()}
    for name, row in TABLE.items():
        assert name.partition(".")[0] in rules
        assert why_refused(name, row.value, {}) == ""
        assert row.low < row.high
        assert row.meaning
    assert {name for pair in ORDERED for name in pair} <= set(TABLE)
