"""Position numbers made unique within their object: what a version, a join and a re-import identify a position by."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise


def left_out(numbers: Iterable[str]) -> list[str]:
    """Of whole numbers that count positions, in the order of the file, those that are not there, as "3" or "7 to 9": a
    number that was there already begins a new count. Where more are left out than are there (10, 20, 30) it is none."""
    found: list[str] = []
    count: set[int] = set()
    for number in numbers:
        if not (number.isdecimal() and len(number) < 7):
            continue
        if int(number) in count:
            found += _gaps(count)
            count = set()
        count.add(int(number))
    return found + _gaps(count)


def _gaps(count: set[int]) -> list[str]:
    there = sorted(count)
    pairs = [(low + 1, high - 1) for low, high in pairwise(there) if high - low > 1]
    if there and there[-1] - there[0] + 1 > 2 * len(there):
        return []
    return [str(low) if low == high else f"{low} to {high}" for low, high in pairs]


class Numbering:
    """Hands out each number once per object. A repeated one gets a suffix ("12", "12/2") and a warning."""

    def __init__(self, warnings: list[str]) -> None:
        self._taken: set[tuple[str, str]] = set()
        self._warnings = warnings

    def claim(self, object_code: str, number: str, place: str) -> str:
        """`number` as written, or made from the count where the file has none."""
        if number and (object_code, number) not in self._taken:
            self._taken.add((object_code, number))
            return number
        base = number or str(len(self._taken) + 1)
        candidate, repeat = base, 1
        while (object_code, candidate) in self._taken:
            repeat += 1
            candidate = f"{base}/{repeat}"
        if number:
            self._warnings.append(f"{place}: the number {number} occurs again; it is kept as {candidate}.")
        self._taken.add((object_code, candidate))
        return candidate
