"""Units and codes: what is known, what is nearest, what is a catalogue's."""

from __future__ import annotations

import pytest

from projects.audit.codes import CodeClass, classify, declared_catalogue, expected_format
from projects.audit.units import is_percent, nearest, normalise


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("m²", "m2"), ("M2", "m2"), ("qm", "m2"), ("m³", "m3"), ("kus", "ks"), ("Stk.", "ks"), ("Stck", "ks"),
        ("soub.", "soubor"), ("KPL", "kpl"), ("Psch", "psch"), ("PSCH", "psch"), ("hod.", "h"), ("Std", "h"),
        (" t ", "t"), ("lfm", "m"), ("%", "%"), ("litr", "l"),
    ],
)  # fmt: skip
def test_spellings_of_one_unit_are_one_unit(written: str, canonical: str) -> None:
    assert normalise(written) == canonical


@pytest.mark.parametrize(("written", "meant"), [("us", "kus"), ("lus", "kus"), ("sobor", "soubor"), ("m22", "m2")])
def test_typing_errors_get_the_unit_that_was_meant(written: str, meant: str) -> None:
    assert normalise(written) is None
    assert nearest(written, 2) == meant


def test_a_unit_like_no_other_gets_no_suggestion() -> None:
    assert nearest("wxyzwxyz", 2) is None
    assert normalise(None) is None
    assert not is_percent(None)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("274321611", CodeClass.URS_WORK), ("28376504", CodeClass.URS_MATERIAL),
        ("311272224.XLA", CodeClass.URS_VARIANT),
        ("113106121R00", CodeClass.RTS), ("71313134R", CodeClass.OWN), ("R317121224.XELLA", CodeClass.OWN),
        ("Pol12", CodeClass.OWN), ("RMAT0004", CodeClass.OWN), ("35673010w", CodeClass.OWN),
        ("PKB.711018", CodeClass.OWN), ("", CodeClass.NONE),
    ],
)  # fmt: skip
def test_codes_are_told_apart_by_their_format(code: str, expected: CodeClass) -> None:
    assert classify(code) is expected


def test_only_catalogue_codes_may_be_compared() -> None:
    assert classify("274321611").is_catalogue
    assert not classify("Pol12").is_catalogue
    assert not classify("274321611", catalogue="own").is_catalogue
    assert classify("12345", catalogue="OTSKP") is CodeClass.OTSKP
    assert classify("12345") is CodeClass.OWN


def test_the_price_system_declares_the_catalogue() -> None:
    assert declared_catalogue("", "CS ÚRS 2025 02") == "ÚRS"
    assert declared_catalogue("RTS", "") == "RTS"
    assert declared_catalogue("own", "") == ""


def test_a_code_of_another_shape_does_not_fit_its_catalogue() -> None:
    assert expected_format("ÚRS", CodeClass.URS_WORK) is None
    assert expected_format("ÚRS", CodeClass.OWN) is not None
    assert expected_format("", CodeClass.OWN) is None
