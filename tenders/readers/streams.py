"""A file as bytes to read from: unpacked, counted, and with a limit on what one record may take."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, cast

GZIP = b"\x1f\x8b"
HEAD = 64 * 1024
LARGEST_RECORD = 32 * 1024 * 1024
DEEPEST = 500


class RecordTooLarge(Exception):
    """More bytes than a record may have were read without one being complete, or brackets without their ends."""


class FileEndsEarly(Exception):
    """The packed file is cut off, or damaged."""


class Source(io.RawIOBase):
    """Reads on in `packed`, through gzip if it is that. `position` counts unpacked bytes.

    `since` counts those read since the last record was complete: whoever yields a record sets it to 0. A record of
    200 MB is refused after LARGEST_RECORD bytes, instead of filling the memory. So is one of a hundred thousand
    brackets that never close, whose paths alone would take gigabytes.
    """

    def __init__(self, packed: IO[bytes], *, largest_record: int = LARGEST_RECORD) -> None:
        self._head = _first_bytes(packed, HEAD)
        is_gzip = self._head.startswith(GZIP)
        joined = io.BufferedReader(_Joined(self._head, packed), HEAD)
        self._bytes = gzip.GzipFile(fileobj=cast(IO[bytes], joined)) if is_gzip else joined
        self._largest = largest_record
        self._open_brackets = 0
        self.position = 0
        self.since = 0
        self._peeked = b""

    def head(self) -> bytes:
        """The first HEAD bytes, unpacked, without moving on. Raises FileEndsEarly if not even one can be read."""
        while len(self._peeked) < HEAD:
            try:
                more = self._bytes.read1(HEAD - len(self._peeked))
            except (EOFError, OSError, zlib.error) as error:
                if self._peeked:
                    break
                raise FileEndsEarly(_why(error)) from error
            if not more:
                break
            self._peeked += more
        return self._peeked

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Raises FileEndsEarly, RecordTooLarge."""
        found = self.read_on(HEAD if size < 0 else size)
        self._open_brackets = 0 if self.since == 0 else self._open_brackets
        self._open_brackets += found.count(b"{") + found.count(b"[") - found.count(b"}") - found.count(b"]")
        self.since += len(found)
        if self._open_brackets > DEEPEST:
            raise RecordTooLarge(f"One record is nested more than {DEEPEST} deep; the rest of the file was not read.")
        if self.since > self._largest:
            raise RecordTooLarge(
                f"One record is larger than {self._largest // (1024 * 1024)} MB; the rest of the file was not read."
            )
        return found

    def read_on(self, size: int) -> bytes:
        """For readers that keep a record's limits themselves: nothing is counted but the position."""
        if self._peeked:
            found, self._peeked = self._peeked[:size], self._peeked[size:]
        else:
            try:
                found = self._bytes.read1(size)  # what can be unpacked before a cut
            except (EOFError, OSError, zlib.error) as error:
                raise FileEndsEarly(_why(error)) from error
        self.position += len(found)
        return found

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


class _Joined(io.RawIOBase):
    """The bytes already read, then the rest: uploads can't always be rewound."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._head:
            found, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        else:
            found = self._rest.read(len(buffer)) or b""
        buffer[: len(found)] = found
        return len(found)


def _first_bytes(stream: IO[bytes], size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = stream.read(size - len(found))
        if not more:
            break
        found += more
    return found


def _why(error: BaseException) -> str:
    if isinstance(error, EOFError):
        return "The packed file ends early: it is cut off."
    return f"The packed file is damaged ({error})."
