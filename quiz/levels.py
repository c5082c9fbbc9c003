"""How hard questions are, in the three words that people pick by."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Q

LEVELS = {
    "easy": (Decimal(0), Decimal("0.333")),
    "medium": (Decimal("0.334"), Decimal("0.666")),
    "hard": (Decimal("0.667"), Decimal(1)),
}


def of_level(level: str, prefix: str = "") -> Q:
    """Versions of a level; "" is any, also those of which nothing is said. KeyError: there is no such level.

    `prefix` is the path to the version: "current__".
    """
    return Q(**{f"{prefix}difficulty__range": LEVELS[level]}) if level else Q()


def level_of(difficulty: Decimal | None) -> str:
    """ "" where nothing is said."""
    if difficulty is None:
        return ""
    return next(level for level, (_, high) in LEVELS.items() if difficulty <= high)
