"""Which catalogue a price system belongs to, by the name that the file gives it."""

from __future__ import annotations

from functools import lru_cache

_BY_WORD = (("ÚRS", "ÚRS"), ("URS", "ÚRS"), ("KROS", "ÚRS"), ("CENEKON", "ÚRS"), ("RTS", "RTS"), ("OTSKP", "OTSKP"),
            ("STLB", "GAEB"), ("VLASTN", "own"))  # fmt: skip


@lru_cache(maxsize=1024)
def catalogue_of(price_system: str) -> str:
    """ "CS ÚRS 2025 02" → "ÚRS", "RTS 24/ II" → "RTS", "vlastní" → "own"; "" where the name says nothing we know."""
    name = price_system.upper()
    return next((catalogue for word, catalogue in _BY_WORD if word in name), "")


def currency_of(text: str) -> str:
    """ISO 4217 from what people write: "Kč" → "CZK", "€" → "EUR", "CZK" → "CZK"; "" otherwise."""
    clean = text.strip().upper().rstrip(".")
    if clean in ("KČ", "KC", "CZK"):
        return "CZK"
    if clean in ("€", "EUR", "EURO"):
        return "EUR"
    return clean if len(clean) == 3 and clean.isascii() and clean.isalpha() else ""
