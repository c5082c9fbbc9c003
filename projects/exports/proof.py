"""Proof that a written file says what it should: each position's written content by its key, against what our own
reader finds in the file. Memory: 16 bytes of digest and a key a position."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from projects.exports.source import ExportError
from projects.parsers.bill import Bill, BillPosition

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")

Key = tuple[str, str]  # object, number
Content = tuple[Any, ...]


def figure(value: Decimal | None) -> str:
    """Equal figures are equal texts, however many zeros they carry."""
    if value is None:
        return ""
    return f"{value.normalize():f}" if value else "0"


def clean(text: str | None) -> str:
    """As every format can carry it: line feeds, no control characters, no blanks around."""
    if not text:
        return ""
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


class Proof:
    """`expect` each position as it is written; `check` what is read back."""

    def __init__(self) -> None:
        self._digests: dict[Key, bytes] = {}
        self.count = 0
        self.total = Decimal(0)

    def expect(self, key: Key, content: Content, total: Decimal | None) -> None:
        """`total`: what the position adds to the sum, None for nothing."""
        self.expect_digest(key, digest(content), total)

    def expect_digest(self, key: Key, content: bytes, total: Decimal | None) -> None:
        if key in self._digests:
            raise ExportError(
                f"The number {key[1] or '(none)'} occurs twice in {key[0] or 'the budget'}.", code="twice"
            )
        self._digests[key] = content
        self.count += 1
        self.total += total or Decimal(0)

    def check(
        self,
        bill: Bill,
        content_of: Callable[[BillPosition], Content],
        positions: Iterable[BillPosition] | None = None,
    ) -> int:
        """How many positions were read and found true. Raises ExportError, naming the first that is not."""
        waiting = dict(self._digests)
        read = 0
        for position in positions if positions is not None else bill.positions:
            read += 1
            key = (position.object_code, position.number)
            expected = waiting.pop(key, None)
            where = f"position {' '.join(part for part in key if part)} ({position.source})"
            if expected is None:
                raise _untrue(f"{where} is read from it, and was never written")
            content = content_of(position)
            if digest(content) != expected:
                raise _untrue(f"{where} reads otherwise than it was written: {str(content)[:300]}")
        if waiting:
            first = next(iter(waiting))
            raise _untrue(f"{len(waiting):,} positions are not found in it, the first is {' '.join(first)}")
        return read


def digest(content: Content) -> bytes:
    return hashlib.blake2b(repr(content).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _untrue(what: str) -> ExportError:
    return ExportError(
        f"The file was written, but was not right when it was read again, and is thrown away: {what}. Please report "
        "it.",
        code="not_true_when_read",
    )
