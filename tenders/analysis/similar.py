"""Near duplicates: notices that say the same but for a few words, by SimHash."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from decimal import Decimal

from ..services.wording import folded
from .subject import Subject
from .words import stems

BITS = 64
NEAR = 3  # bits that near duplicates may differ by
BANDS = 4  # of 16 bits: marks that differ in at most three bits agree in one of them at least
_SHINGLE = 3
_FEWEST = 8  # shingles: shorter texts are alike by chance
_VALUE_APART = Decimal("0.01")
_DEADLINE_APART = timedelta(days=3)
# For each bit of a byte: 1 for the bytes that have it.
_HAS_BIT = [bytes(byte >> bit & 1 for byte in range(256)) for bit in range(8)]


def simhash(subject: Subject, language: str = "") -> int | None:
    """64 bits; None for texts too short to compare. Without a language the words count as they are written: so the
    same text comes out the same from two publishers of whom one says its language."""
    found = stems(f"{subject.title}\n{subject.description}", language)
    shingles = {" ".join(found[at : at + _SHINGLE]) for at in range(len(found) - _SHINGLE + 1)}
    if len(shingles) < _FEWEST:
        return None
    digests = b"".join(hashlib.blake2b(shingle.encode(), digest_size=8).digest() for shingle in shingles)
    mark = 0
    for place in range(8):  # bytes of a digest, the highest first; counted by bytes' own methods, not one by one
        column = digests[place::8]
        for bit in range(8):
            if 2 * column.translate(_HAS_BIT[bit]).count(1) > len(shingles):
                mark |= 1 << (8 * (7 - place) + bit)
    return mark


def distance(one: int, other: int) -> int:
    """Bits that differ."""
    return (one ^ other).bit_count()


def may_be_same(one: Subject, other: Subject) -> bool:
    """Whether nothing stated tells two notices of the same words apart. Calls come back each year, and for each school
    of a county, in the same words: another value, deadline, country or buyer is another call."""
    if one.country and other.country and one.country != other.country:
        return False
    if one.deadline_at and other.deadline_at and abs(one.deadline_at - other.deadline_at) > _DEADLINE_APART:
        return False
    return not _values_differ(one, other) and not _buyers_differ(one.buyer_name, other.buyer_name)


def _values_differ(one: Subject, other: Subject) -> bool:
    first, second = one.value_amount, other.value_amount
    if first is None or second is None or one.value_currency != other.value_currency:
        return False
    return abs(first - second) > _VALUE_APART * max(first, second)


def _buyers_differ(one: str, other: str) -> bool:
    """Unless all words of the shorter name are in the longer one."""
    names = sorted(({word for word in _words(name) if len(word) > 2} for name in (one, other)), key=len)
    return bool(names[0]) and not names[0] <= names[1]


def _words(name: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in folded(name)).split()
