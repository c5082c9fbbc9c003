"""EN 206: concrete strength classes, exposure classes, and which class each exposure calls for."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Tables 12 and 13: cylinder and cube strength in MPa. C8/10 and C12/15 upwards; LC: lightweight concrete.
NORMAL = frozenset(
    {
        (8, 10), (12, 15), (16, 20), (20, 25), (25, 30), (30, 37), (35, 45), (40, 50), (45, 55), (50, 60), (55, 67),
        (60, 75), (70, 85), (80, 95), (90, 105), (100, 115),
    }
)  # fmt: skip
LIGHT = frozenset(
    {
        (8, 9), (12, 13), (16, 18), (20, 22), (25, 28), (30, 33), (35, 38), (40, 44), (45, 50), (50, 55), (55, 60),
        (60, 66), (70, 77), (80, 88),
    }
)  # fmt: skip

# Table 1, with DIN 1045-2's wear classes XM and ČSN's
EXPOSURES = frozenset(
    {"X0"}
    | {f"X{kind}{n}" for kind in "CF" for n in range(1, 5)}
    | {f"X{kind}{n}" for kind in "DSAM" for n in range(1, 4)}
)

# Table F.1 (EN 206-1:2000): the least class by exposure, as the cylinder strength. A recommendation for a design life
# of 50 years; national annexes replace it.
RECOMMENDED: Mapping[str, int] = {
    "X0": 12, "XC1": 20, "XC2": 25, "XC3": 30, "XC4": 30, "XD1": 30, "XD2": 30, "XD3": 35, "XS1": 30, "XS2": 35,
    "XS3": 35, "XF1": 30, "XF2": 25, "XF3": 30, "XF4": 30, "XA1": 30, "XA2": 30, "XA3": 35,
}  # fmt: skip

_STRENGTH = re.compile(r"(?<![A-Za-z0-9])(L?C)\s?(\d{1,3})\s?/\s?(\d{1,3})(?![\d,.]*\d)")
_EXPOSURE = re.compile(r"(?<![A-Za-z0-9])X\s?(0|O|[CDSFAM]\s?\d{0,2})(?![A-Za-z0-9])")
_CONCRETE = re.compile(r"beton|concrete|\bŽB\b|železobet|hormig|mazanin", re.IGNORECASE)


# Families of CS ÚRS whose codes are concrete works even where the text leaves the word out
_FAMILIES = ("27", "31", "33", "34", "38", "41", "43", "63")


def concrete_classes(
    description: str, long_text: str, code: str
) -> tuple[tuple[tuple[str, int, int], ...], tuple[str, ...]] | None:
    """The strength and exposure classes that a position names; None where it names none, or is not about concrete.

    With a catalogue's code the short text says what is built and the long text holds general notes ("… with C20/25 on
    top"), so the strength is read from the short text; without one (GAEB) the long text describes the item.
    """
    specification = description if code else f"{description} {long_text}"
    if "/" not in specification:
        return None
    found = strengths(specification)
    if not found or not (code.startswith(_FAMILIES) or speaks_of_concrete(specification)):
        return None
    return tuple(found), tuple(exposures(f"{description} {long_text}"))


def strengths(text: str) -> list[tuple[str, int, int]]:
    """Every strength class written in the text, as (prefix, cylinder, cube): "C 25/30" gives ("C", 25, 30)."""
    return [(prefix, int(cylinder), int(cube)) for prefix, cylinder, cube in _STRENGTH.findall(text)]


def exposures(text: str) -> list[str]:
    """Every exposure class written in the text, without blanks; "XO" (the letter) is read as written."""
    return ["X" + rest.replace(" ", "") for rest in _EXPOSURE.findall(text)]


def speaks_of_concrete(text: str) -> bool:
    return _CONCRETE.search(text) is not None


def is_class(prefix: str, cylinder: int, cube: int) -> bool:
    return (cylinder, cube) in (LIGHT if prefix == "LC" else NORMAL)


def name_of(cylinder: int) -> str:
    """The normal class of a cylinder strength: 30 gives "C30/37"."""
    return next(f"C{low}/{high}" for low, high in sorted(NORMAL) if low == cylinder)


def nearest_class(prefix: str, cylinder: int, cube: int) -> str:
    """The class that is meant most likely: nearest in both strengths, the higher one between equals."""
    table = LIGHT if prefix == "LC" else NORMAL
    low, high = min(table, key=lambda pair: (abs(pair[0] - cylinder) + abs(pair[1] - cube), -pair[0]))
    return f"{prefix}{low}/{high}"
