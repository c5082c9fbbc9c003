"""Near duplicates: notices that say the same but for a few words, by SimHash."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta
from decimal import Decimal

from ..services.wording import folded
from .subject import Subject
from .words import stems

BITS = 64
NEAR = 3  # bits that near duplicates may differ by
BANDS = 4  # of 16 bits: marks that differ in at most three bits agree in one of them at least
_FEWEST = 10  # different words: shorter texts are alike by chance
_TITLES_SHARE = 0.6  # of the shorter title's words
_VALUE_APART = Decimal("0.01")
_DEADLINE_APART = timedelta(days=3)
# For each bit of a byte: 1 for the bytes that have it.
_HAS_BIT = [bytes(byte >> bit & 1 for byte in range(256)) for bit in range(8)]


def simhash(subject: Subject) -> int | None:
    """64 bits of the words of title and description, each as often as it is said; None for texts too short to compare.

    Words as they are written, whatever the language: the same text comes out the same from two publishers of whom one
    says its language. Single words: of notices of 300 to 1,000 characters with one word misspelled, four in five stay
    near (of groups of three words, one in five; tried on 250 real ones).
    """
    counts = Counter(stems(f"{subject.title}\n{subject.description}", ""))
    if len(counts) < _FEWEST:
        return None
    digests = b"".join(hashlib.blake2b(word.encode(), digest_size=8).digest() * count for word, count in counts.items())
    mark = 0
    for place in range(8):  # bytes of a digest, the highest first; counted by bytes' own methods, not one by one
        column = digests[place::8]
        for bit in range(8):
            if 2 * column.translate(_HAS_BIT[bit]).count(1) > len(column):
                mark |= 1 << (8 * (7 - place) + bit)
    return mark


def distance(one: int, other: int) -> int:
    """Bits that differ."""
    return (one ^ other).bit_count()


def may_be_same(one: Subject, other: Subject) -> bool:
    """Whether nothing stated tells two notices of the same words apart. Calls come back each year, and for each school
    of a county, in the same words: another title, value, deadline, country or buyer is another call."""
    if one.country and other.country and one.country != other.country:
        return False
    if one.deadline_at and other.deadline_at and abs(one.deadline_at - other.deadline_at) > _DEADLINE_APART:
        return False
    if _titles_differ(set(_words(one.title)), set(_words(other.title))):
        return False
    return not _values_differ(one, other) and not _buyers_differ(one.buyer_name, other.buyer_name)


def _titles_differ(one: set[str], other: set[str]) -> bool:
    """Few words in common; or each has a number that the other has not: road 385, road 386."""
    shorter, longer = sorted((one, other), key=len)
    if shorter and len(shorter & longer) < _TITLES_SHARE * len(shorter):
        return True
    first, second = ({word for word in words if any(map(str.isdigit, word))} for words in (one, other))
    return not (first <= second or second <= first)


def _values_differ(one: Subject, other: Subject) -> bool:
    first, second = one.value_amount, other.value_amount
    if first is None or second is None or one.value_currency != other.value_currency:
        return False
    return abs(first - second) > _VALUE_APART * max(first, second)


def _buyers_differ(one: str, other: str) -> bool:
    """Unless all words of the shorter name are in the longer one."""
    names = sorted(({word for word in _words(name) if len(word) > 2} for name in (one, other)), key=len)
    return bool(names[0]) and not names[0] <= names[1]


def _words(text: str) -> list[str]:
    """Without single letters; a single digit tells things apart."""
    plain = "".join(letter if letter.isalnum() else " " for letter in folded(text))
    return [word for word in plain.split() if len(word) > 1 or word.isdigit()]
