"""JSON read in blocks: of a file with one long list never more than a block and one value stand in memory.

As strict as `json.loads`, and as fast: each value is read by the scanner that `json.loads` reads with.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import IO, Any

from projects.filestore.places import StoreError

BLOCK = 1 << 18
_SPACE = re.compile(r"[ \t\n\r]*")
_LONGEST_WORD = 16  # what is nearer than this to the end of a block may be a word or an escape cut in two


def refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a figure")


def damaged(error: Exception | str) -> StoreError:
    return StoreError(f"positions.json is damaged: {' '.join(str(error).split())[:160]}.", code="damaged")


class Scanner:
    """One value after the other, from where the file stands to its end. All raise StoreError("damaged")."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        decoder: Any = json.JSONDecoder(parse_float=Decimal, parse_constant=refuse_constant)
        self._scan: Callable[[str, int], tuple[Any, int]] = decoder.scan_once
        self._text = ""
        self._at = 0
        self._before = 0  # characters that are no longer in the text
        self._is_whole = False  # nothing comes after the text

    def next(self) -> str:
        """The next character that is no space, which stays; "" at the end."""
        if self._at < len(self._text) and self._text[self._at] > " ":
            return self._text[self._at]
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_whole:
                return ""
            self._more()

    def value(self) -> Any:
        self.next()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except StopIteration as stop:
                self._more_unless_wrong("Expecting value", int(stop.value), is_open=False)
            except json.JSONDecodeError as error:
                self._more_unless_wrong(error.msg, error.pos, is_open=error.msg.startswith("Unterminated string"))
            except (ValueError, RecursionError, ArithmeticError) as error:
                raise damaged(error) from error
            else:
                if end + _LONGEST_WORD < len(self._text) or self._is_whole:  # else it may be a figure cut in two
                    self._at = end
                    return value
                self._more()

    def items(self) -> Iterator[Any]:
        """Those of the list that begins here."""
        self._expect("[")
        if self.next() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self._expect(",]") == "]":
                return

    def members(self) -> Iterator[str]:
        """The names in the object that begins here; the caller takes each one's value before the next."""
        self._expect("{")
        if self.next() == "}":
            self._at += 1
            return
        while True:
            if self.next() != '"':
                raise self._wrong("Expecting property name enclosed in double quotes")
            name: str = self.value()
            self._expect(":")
            yield name
            if self._expect(",}") == "}":
                return

    def end(self) -> None:
        if self.next():
            raise self._wrong("Extra data")

    def _expect(self, characters: str) -> str:
        found = self.next()
        if not found or found not in characters:
            raise self._wrong(f"Expecting {' or '.join(repr(character) for character in characters)}")
        self._at += 1
        return found

    def _more(self) -> None:
        """Another block; as much again where one value is longer than that."""
        rest = self._text[self._at :]
        data = self._file.read(max(BLOCK, len(rest)))
        try:
            self._text = rest + self._decode(data, not data)
        except UnicodeDecodeError as error:
            raise damaged(error) from error
        self._is_whole = not data
        self._before += self._at
        self._at = 0

    def _more_unless_wrong(self, what: str, place: int, *, is_open: bool) -> None:
        if self._is_whole or not (is_open or place + _LONGEST_WORD > len(self._text)):
            raise self._wrong(what, place)
        self._more()

    def _wrong(self, what: str, place: int | None = None) -> StoreError:
        return damaged(f"{what} (character {self._before + (self._at if place is None else place) + 1})")
