"""B01-B04: strength and exposure classes."""

from __future__ import annotations

import pytest

from projects.audit import en206
from projects.audit.findings import Grade
from projects.audit.view import BudgetView
from tests.projects.audit.build import NOTE, grades, position, said, view


def of(text: str, **changes: object) -> BudgetView:
    return view(position(description=text, code="311321611", unit="m3", **changes))


@pytest.mark.parametrize("name", ["C 12/15", "C25/30", "C 30/37", "LC 20/22", "C100/115"])
def test_b01_classes_of_the_standard_are_fine(name: str) -> None:
    assert grades(of(f"Zeď z betonu {name} XC1"), "B01") == []


@pytest.mark.parametrize(("name", "meant"), [("C 25/35", "C25/30"), ("C20/30", "C25/30"), ("LC 20/25", "LC20/22")])
def test_b01_a_class_that_does_not_exist_is_red(name: str, meant: str) -> None:
    (finding,) = said(of(f"Zeď z betonu {name} XC1"), "B01")
    assert (finding.grade, finding.evidence["nearest"]) == (Grade.RED, meant)


def test_b01_other_fractions_are_no_strength_classes() -> None:
    for text in ("Šachta z PVC, DN 400/160", "Komín C 1/20 l", "Dveře 800/1970", "Zeď z tvárnic 1/2 C"):
        budget = view(position(description=text, code="894811131"))
        assert budget.concrete_classes == {}
        assert grades(budget, "B01") == []


@pytest.mark.parametrize("name", ["XC5", "XF0", "XD4", "XC", "XO"])
def test_b02_an_incomplete_or_unknown_exposure_is_amber(name: str) -> None:
    assert grades(of(f"Zeď z betonu C 30/37 {name}"), "B02") == [(0, Grade.AMBER)]


def test_b02_complete_exposures_are_fine_and_other_words_are_none() -> None:
    assert grades(of("Beton C 35/45 XC4, XD3, XF4, XA2, XM1"), "B02") == []
    assert grades(of("Beton C 30/37 s XPS a XLA"), "B02") == []


@pytest.mark.parametrize(
    ("text", "target"),
    [("C 20/25 XC4", "C30/37"), ("C 25/30 XF1", "C30/37"), ("C 30/37 XC2 XD3", "C35/45"), ("C 8/10 X0", "C12/15")],
)
def test_b03_a_class_below_the_exposures_minimum_is_amber(text: str, target: str) -> None:
    (finding,) = said(of(f"Zeď z betonu {text}"), "B03")
    assert (finding.grade, finding.demand) == (Grade.AMBER, target)


@pytest.mark.parametrize("text", ["C 30/37 XC4", "C 25/30 XC2", "C 12/15 X0", "C 35/45 XA3", "C 20/25", "C 20/25 XC9"])
def test_b03_enough_strength_or_no_known_exposure_is_silent(text: str) -> None:
    assert grades(of(f"Zeď z betonu {text}"), "B03") == []


def test_b04_concrete_without_exposure_is_amber_and_info_where_it_is_plain() -> None:
    assert grades(of("Základové pasy z betonu tř. C 16/20"), "B04") == [(0, Grade.AMBER)]
    plain = "Mazanina z betonu prostého bez zvýšených nároků na prostředí tř. C 12/15"
    assert grades(of(plain), "B04") == [(0, Grade.INFO)]


def test_b04_an_exposure_in_the_long_text_is_enough() -> None:
    assert grades(of("Zeď z betonu C 30/37", long_text="XC4, XF1"), "B04") == []


def test_b04_notes_and_other_materials_are_not_asked() -> None:
    assert grades(of("Beton C 30/37", kind=NOTE), "B04") == []
    assert grades(view(position()), "B04") == []


def test_general_notes_of_a_catalogue_position_specify_nothing() -> None:
    strop = "Strop z pórobetonových vložek"
    assert en206.concrete_classes(strop, "přebetonování z betonu C20/25", "411141134.XLA") is None
    assert en206.concrete_classes("Ortbeton Wand", "Stahlbeton C25/30 XC4", "") == ((("C", 25, 30),), ("XC4",))
