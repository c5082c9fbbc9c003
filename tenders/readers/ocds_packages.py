"""Release and record packages, and lists of them: streamed, so that a package of gigabytes needs no memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ijson  # type: ignore[import-untyped]

from .notice import Rejected, Release
from .ocds_records import releases_of
from .streams import Source

# Where the elements of a file may stand, the innermost first.
PLACES = ("item.releases.item", "item.records.item", "releases.item", "records.item")
BUFFER = 64 * 1024
DEEPEST_HEAD = 500


def read_packages(source: Source) -> Iterator[Release | Rejected]:
    """A fault in the JSON ends the reading there: what came before counts."""
    place = place_of(source.head())
    number = 0
    try:
        for number, item in enumerate(ijson.items(source, place, use_float=True, buf_size=BUFFER), 1):
            source.since = 0
            yield from releases_of(item, number)
    except ijson.JSONError as error:
        yield Rejected(number + 1, f"The JSON is faulty or cut off here: {_told(error)}", source.position, is_end=True)
        return
    if not number:
        yield Rejected(1, "The file holds no releases and no records.", is_end=True)


def place_of(head: bytes) -> str:
    """The ijson path of the elements: told from the first that the head shows."""
    top = ""
    try:
        for prefix, event, _ in ijson.parse(_Head(head[: _shallow(head)])):
            if event == "start_map" and prefix in PLACES:
                return str(prefix)
            if event == "start_array" and f"{prefix}.item" in PLACES and b'"releases"' in head:
                top = f"{prefix}.item"
            if not top and prefix == "" and event in ("start_map", "start_array"):
                top = "" if event == "start_map" else "item"
    except ijson.JSONError:
        pass  # the head ends in the middle, or is faulty: the reading itself says so
    return top


def _shallow(head: bytes) -> int:
    """Bytes before brackets are nested so deep that no package is meant (each level's path costs memory)."""
    step = 1024
    for at in range(0, len(head), step):
        part = head[: at + step]
        if part.count(b"{") + part.count(b"[") - part.count(b"}") - part.count(b"]") > DEEPEST_HEAD:
            return at
    return len(head)


class _Head:
    """ijson reads it like a file."""

    def __init__(self, head: bytes) -> None:
        self._rest = head

    def read(self, size: int = -1) -> bytes:
        found = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(found) :]
        return found


def _told(error: Any) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
