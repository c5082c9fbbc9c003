"""What kind of code a position carries: a catalogue's, a catalogue's with a supplier's suffix, or the author's own.

Sources: ÚRS (CS ÚRS): works 9 digits, materials 8; supplier's variants add a suffix (".XLA"). RTS: 9 digits + "R" and
two characters. OTSKP-SPK: 5-6 characters. Own codes: "R…", "Pol12", a trailing R or letter, a supplier's "PKB.711018".
"""

from __future__ import annotations

import re
from enum import StrEnum


class CodeClass(StrEnum):
    NONE = "none"
    URS_WORK = "urs_work"
    URS_MATERIAL = "urs_material"
    URS_VARIANT = "urs_variant"  # nine or eight digits and a supplier's suffix: the text is the supplier's
    RTS = "rts"
    OTSKP = "otskp"
    MODEL = "model"  # "311321.IFC": made from a building model, by the group of works in the structure of CS ÚRS
    OTHER = "other"  # a declared catalogue whose format is not known here
    OWN = "own"

    @property
    def is_catalogue(self) -> bool:
        """Whether one code means one thing everywhere, so that codes may be compared with each other."""
        return self in _CATALOGUE


_CATALOGUE = frozenset({CodeClass.URS_WORK, CodeClass.URS_MATERIAL, CodeClass.RTS, CodeClass.OTSKP, CodeClass.OTHER})
_RTS = re.compile(r"\d{9}R[0-9A-Z]{2}")
_OTSKP = re.compile(r"\d{5,6}[A-Z]?|[A-Z]\d{5}")
_MODEL = re.compile(r"\d{6}\.IFC")
_VARIANT = re.compile(r"\d{8,9}\.[A-Z]{2,5}")


def classify(code: str, *, catalogue: str = "", price_system: str = "") -> CodeClass:
    """Classify by the code's format; the declared catalogue decides only where formats overlap."""
    if not code:
        return CodeClass.NONE
    if catalogue == "own":
        return CodeClass.OWN
    if code.isdigit() and code.isascii():
        if len(code) == 9:
            return CodeClass.URS_WORK
        if len(code) == 8:
            return CodeClass.URS_MATERIAL
    if _MODEL.fullmatch(code):
        return CodeClass.MODEL
    if _RTS.fullmatch(code):
        return CodeClass.RTS
    if _VARIANT.fullmatch(code):
        return CodeClass.URS_VARIANT
    if (catalogue == "OTSKP" or "OTSKP" in price_system) and _OTSKP.fullmatch(code):
        return CodeClass.OTSKP
    if catalogue not in ("", "ÚRS", "RTS", "OTSKP", "GAEB"):
        return CodeClass.OTHER
    return CodeClass.OWN


def family_of(code: str) -> str:
    """The first three characters: ÚRS's and RTS's group of works ("274"), or a supplier's prefix ("PKB")."""
    return code[:3]


_EXPECTED = {
    "ÚRS": (frozenset({CodeClass.URS_WORK, CodeClass.URS_MATERIAL, CodeClass.URS_VARIANT}), "9 digits (materials 8)"),
    "RTS": (
        frozenset({CodeClass.RTS, CodeClass.URS_WORK, CodeClass.URS_MATERIAL}),
        "9 digits and R with two characters",
    ),
    "OTSKP": (frozenset({CodeClass.OTSKP}), "5 to 6 characters"),
}


def declared_catalogue(catalogue: str, price_system: str) -> str:
    """The catalogue that the position names: its own field, else read off the price system ("CS ÚRS 2025 02")."""
    if catalogue in _EXPECTED:
        return catalogue
    for name in _EXPECTED:
        if name in price_system:
            return name
    return ""


def expected_format(declared: str, code_class: CodeClass) -> str | None:
    """How a code of the declared catalogue looks, where this one looks different; None where it fits."""
    if declared not in _EXPECTED:
        return None
    classes, shape = _EXPECTED[declared]
    return None if code_class in classes else shape
