"""S01-S06, S08: the logic of quantities."""

from __future__ import annotations

from decimal import Decimal

from projects.audit.findings import Grade
from tests.projects.audit.build import MATERIAL, grades, numbered, said, view

D = Decimal


def concrete(m3: str = "20", **changes: object) -> dict[str, object]:
    return {"code": "311321611", "description": "Nosná zeď ze ŽB", "unit": "m3", "quantity": m3, **changes}


def formwork(m2: str = "100", **changes: object) -> dict[str, object]:
    return {"code": "311351121", "description": "Zřízení bednění stěn", "unit": "m2", "quantity": m2, **changes}


def struck(m2: str = "100", **changes: object) -> dict[str, object]:
    return {"code": "311351122", "description": "Odstranění bednění stěn", "unit": "m2", "quantity": m2, **changes}


def steel(tonnes: str = "2", **changes: object) -> dict[str, object]:
    return {"code": "311361821", "description": "Výztuž stěn", "unit": "t", "quantity": tonnes, **changes}


WALL = (concrete(), formwork(), struck(), steel())


def test_s01_a_family_with_all_its_parts_is_fine() -> None:
    assert grades(view(*numbered(*WALL)), "S01") == []


def test_s01_reinforced_concrete_needs_formwork_and_steel() -> None:
    (finding,) = said(view(*numbered(concrete())), "S01")
    assert (finding.index, finding.grade, finding.evidence["missing"]) == (
        0,
        Grade.AMBER,
        ["formwork", "reinforcement"],
    )
    assert said(view(*numbered(concrete(), formwork())), "S01")[0].evidence["missing"] == ["reinforcement"]


def test_s01_plain_concrete_needs_no_steel() -> None:
    plain = concrete(code="274313611")
    assert grades(view(*numbered(plain, formwork(code="274351121"))), "S01") == []
    assert said(view(*numbered(plain)), "S01")[0].evidence["missing"] == ["formwork"]


def test_s01_companions_must_be_in_the_same_object() -> None:
    rows = numbered(concrete(), formwork(object_code="SO 2"), steel())
    assert grades(view(*rows), "S01") == [(0, Grade.AMBER)]


def test_s01_columns_share_their_formwork() -> None:
    rows = numbered(concrete(code="330321510"), formwork(code="331351115"), steel(code="331361821"))
    assert grades(view(*rows), "S01") == []


def test_s01_other_works_are_no_structure() -> None:
    rows = numbered({"code": "631311133", "unit": "m3"}, concrete(code="Pol1"), concrete(unit="m2"))
    assert grades(view(*rows), "S01") == []


def test_s02_steel_within_the_range_of_its_element_is_fine() -> None:
    assert grades(view(*numbered(concrete(), formwork(), steel("2"))), "S02") == []  # 100 kg/m3, walls 70-150
    assert grades(view(*numbered(concrete(), formwork(), steel("1"))), "S02") == []  # 50: within 0.7 x 70


def test_s02_too_little_is_amber_and_absurd_is_red() -> None:
    amber = said(view(*numbered(concrete(), formwork(), steel("0.9"))), "S02")  # 45
    assert [(f.index, f.grade, f.demand) for f in amber] == [(2, Grade.AMBER, "raise")]
    assert grades(view(*numbered(concrete(), steel("0.3"))), "S02") == [(1, Grade.RED)]
    assert grades(view(*numbered(concrete(), steel("13"))), "S02") == [(1, Grade.RED)]


def test_s02_kilograms_are_tonnes_too() -> None:
    assert grades(view(*numbered(concrete(), steel("2000", unit="kg"))), "S02") == []


def test_s02_plain_concrete_is_not_judged() -> None:
    assert grades(view(*numbered(concrete(code="274313611"), steel("0.1", code="274361821"))), "S02") == []


def _elements(*tonnes: str) -> list[dict[str, object]]:
    families = ("311", "411", "417", "274")
    rows: list[dict[str, object]] = []
    for family, amount in zip(families, tonnes, strict=False):
        rows += [concrete("10", code=f"{family}321611"), steel(amount, code=f"{family}361821")]
    return rows


def test_s03_the_same_ratio_in_three_elements_was_assumed() -> None:
    (finding,) = said(view(*numbered(*_elements("0.8", "0.8", "0.803", "1.1"))), "S03")
    assert finding.grade is Grade.AMBER
    assert len(finding.evidence["rates"]) == 3


def test_s03_two_equal_ratios_may_be_chance() -> None:
    assert grades(view(*numbered(*_elements("0.8", "0.8", "0.9", "1.1"))), "S03") == []
    assert grades(view(*numbered({})), "S03") == []


def test_s04_what_is_erected_is_struck() -> None:
    assert grades(view(*numbered(*WALL)), "S04") == []
    (finding,) = said(view(*numbered(concrete(), formwork("100"), struck("80"), steel())), "S04")
    assert (finding.index, finding.grade) == (1, Grade.RED)
    assert finding.money_at_stake == D("250.00")  # a fifth of 100 x 12.50


def test_s04_formwork_that_is_never_struck_is_red() -> None:
    assert grades(view(*numbered(formwork())), "S04") == [(0, Grade.RED)]


def test_s04_scaffolding_comes_down_too() -> None:
    up = {"code": "941111121", "description": "Montáž lešení řadového", "quantity": 50}
    rent = {"code": "941111221", "description": "Příplatek k lešení za každý den použití", "quantity": 1500}
    down = {"code": "941111821", "description": "Demontáž lešení řadového", "quantity": 50}
    assert grades(view(*numbered(up, rent, down)), "S04") == []
    assert grades(view(*numbered(up, rent)), "S04") == [(0, Grade.RED)]


def test_s04_each_object_strikes_its_own() -> None:
    assert len(grades(view(*numbered(formwork(), struck(object_code="SO 2"))), "S04")) == 2


def test_s05_formwork_out_of_proportion_is_amber() -> None:
    assert grades(view(*numbered(concrete("20"), formwork("100"))), "S05") == []
    assert grades(view(*numbered(concrete("20"), formwork("10"))), "S05") == [(1, Grade.AMBER)]
    assert grades(view(*numbered(concrete("20"), formwork("300"))), "S05") == [(1, Grade.AMBER)]


def test_s05_what_is_struck_is_not_counted_again() -> None:
    assert grades(view(*numbered(concrete("20"), formwork("200"), struck("200"))), "S05") == []


def test_s05_without_concrete_there_is_no_ratio() -> None:
    assert grades(view(*numbered(formwork(), struck())), "S05") == []


def material(quantity: str, **changes: object) -> dict[str, object]:
    return {"kind": MATERIAL, "code": "28376504", "description": "deska PIR", "quantity": quantity, **changes}


def test_s06_material_with_usual_waste_is_fine() -> None:
    for quantity in ("9.5", "10", "10.5", "13.5"):
        assert grades(view(*numbered({}, material(quantity))), "S06") == []


def test_s06_too_little_or_too_much_material_is_amber() -> None:
    (short,) = said(view(*numbered({}, material("9.4"))), "S06")
    assert (short.index, short.grade, short.demand, short.related) == (1, Grade.AMBER, "raise", (0,))
    assert said(view(*numbered({}, material("13.6"))), "S06")[0].demand == "lower"


def test_s06_counts_windows_and_other_units_are_left_out() -> None:
    for changes in ({"unit": "ks"}, {"description": "okno plastové"}, {"unit": "m"}, {"section_path": ("PSV",)}):
        assert grades(view(*numbered({}, material("30", **changes))), "S06") == []
    assert grades(view(*numbered({"unit": "kus"}, material("30", unit="kus"))), "S06") == []


def dug(m3: str) -> dict[str, object]:
    return {"code": "132151253", "unit": "m3", "quantity": m3, "description": "Hloubení rýh"}


def filled(m3: str) -> dict[str, object]:
    return {"code": "174151101", "unit": "m3", "quantity": m3, "description": "Zásyp"}


def tipped(m3: str) -> dict[str, object]:
    return {"code": "171251201", "unit": "m3", "quantity": m3, "description": "Uložení sypaniny"}


def fee(tonnes: str) -> dict[str, object]:
    return {"code": "171201231", "unit": "t", "quantity": tonnes, "description": "Poplatek za uložení"}


def test_s08_soil_that_balances_is_fine() -> None:
    assert grades(view(*numbered(dug("100"), filled("40"), tipped("60"), fee("108"))), "S08") == []
    assert grades(view(*numbered(dug("100"), filled("40"), tipped("90"))), "S08") == []  # swell of 1.3


def test_s08_soil_left_over_or_from_nowhere_is_amber() -> None:
    assert grades(view(*numbered(dug("100"), filled("40"), tipped("40"))), "S08") == [(0, Grade.AMBER)]
    assert grades(view(*numbered(dug("100"), filled("40"), tipped("91"))), "S08") == [(0, Grade.AMBER)]


def test_s08_the_tips_tonnes_fit_the_m3() -> None:
    assert grades(view(*numbered(tipped("60"), fee("32"))), "S08") == [(1, Grade.AMBER)]
    assert grades(view(*numbered(tipped("60"), fee("130"))), "S08") == [(1, Grade.AMBER)]


def test_s08_digging_alone_is_not_judged() -> None:
    assert grades(view(*numbered(dug("100"))), "S08") == []
    assert grades(view(*numbered(filled("100"))), "S08") == []
