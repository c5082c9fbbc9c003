"""Near duplicates: notices that say the same but for a few words, by SimHash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from .subject import Subject
from .words import stems

BITS = 64
NEAR = 3  # bits that near duplicates may differ by
_SHINGLE = 3
_FEWEST = 8  # shingles: shorter texts are alike by chance


def simhash(subject: Subject, language: str = "") -> int | None:
    """64 bits; None for texts too short to compare."""
    found = stems(f"{subject.title}\n{subject.description}", language)
    shingles = {" ".join(found[at : at + _SHINGLE]) for at in range(len(found) - _SHINGLE + 1)}
    if len(shingles) < _FEWEST:
        return None
    counts = [0] * BITS
    for shingle in shingles:
        digest = int.from_bytes(hashlib.blake2b(shingle.encode(), digest_size=8).digest(), "big")
        for bit in range(BITS):
            counts[bit] += 1 if digest >> bit & 1 else -1
    return sum(1 << bit for bit in range(BITS) if counts[bit] > 0)


def distance(one: int, other: int) -> int:
    """Bits that differ."""
    return (one ^ other).bit_count()


def duplicates(marks: Iterable[tuple[str, int]], *, near: int = NEAR) -> list[Sequence[str]]:
    """Groups of keys whose marks are near each other, found by four bands of 16 bits: marks that differ in at most
    three bits agree in one band at least."""
    known = list(marks)
    bands: dict[tuple[int, int], list[int]] = {}
    parent = list(range(len(known)))
    for at, (_, mark) in enumerate(known):
        for band in range(4):
            bucket = bands.setdefault((band, mark >> (16 * band) & 0xFFFF), [])
            for other in bucket:
                if distance(mark, known[other][1]) <= near:
                    parent[_root(parent, at)] = _root(parent, other)
            bucket.append(at)
    groups: dict[int, list[str]] = {}
    for at, (key, _) in enumerate(known):
        groups.setdefault(_root(parent, at), []).append(key)
    return [group for group in groups.values() if len(group) > 1]


def _root(parent: list[int], at: int) -> int:
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at
