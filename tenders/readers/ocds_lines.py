"""JSON lines: a release, record or package on each. One bad line costs one line."""

from __future__ import annotations

import io
from collections.abc import Iterator

import ijson  # type: ignore[import-untyped]
import orjson

from .notice import Rejected, Release
from .ocds_records import is_single, rejected, release_of, releases_of
from .streams import LARGEST_RECORD, Source
from .texts import without_nul

CHUNK = 1024 * 1024


def is_lines(start: bytes) -> bool:
    """Whether the first line is a JSON object by itself and more lines, or the end, follow; a package that a publisher
    wrote on one line is none. A first line that is faulty is told from the objects that follow it."""
    line, newline, rest = start.partition(b"\n")
    if not newline:
        return _begins_release(start)
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _objects_follow(line.rstrip(), rest)
    return isinstance(first, dict) and (bool(rest.strip()) or "ocid" in first)


def _begins_release(start: bytes) -> bool:
    """Whether the first line, longer than what was looked at, is a release or record by itself and no package."""
    depth, events = 0, ijson.basic_parse(io.BytesIO(start))
    try:
        for event, value in events:
            if depth == 1 and event == "map_key" and value in ("ocid", "releases", "records"):
                return bool(value == "ocid")
            depth += event.startswith("start_")
            depth -= event.startswith("end_")
    except ijson.JSONError:
        pass  # it ends in the middle, as was to be expected
    return False


def _objects_follow(line: bytes, rest: bytes) -> bool:
    """No JSON has two objects on lines of their own without a comma; nor one after a line that could end there."""
    needed = 2 if line.endswith((b"{", b"[", b",", b":")) else 1
    lines = [text for text in rest.split(b"\n", 8)[:8] if text.strip()][:needed]
    return len(lines) == needed and all(_is_object(text) for text in lines)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def read_lines(source: Source) -> Iterator[Release | Rejected]:
    for number, (offset, line) in enumerate(_lines(source), 1):
        if line is None:
            size = LARGEST_RECORD // (1024 * 1024)
            yield Rejected(number, f"The line is longer than {size} MB.", offset)
            continue
        text = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        try:
            item = orjson.loads(without_nul(text))
        except orjson.JSONDecodeError as error:
            yield rejected(text, number, f"It is no JSON: {error}.", offset)
            continue
        if is_single(item):  # nearly always; one generator less
            yield release_of(item, number, offset)
        else:
            yield from releases_of(item, number, offset)


def _lines(source: Source) -> Iterator[tuple[int, bytes | None]]:
    """(offset, line); None in place of a line that is too long, of which only the end is looked for."""
    parts: list[bytes] = []  # of the line that is being read
    size, offset, is_too_long = 0, 0, False
    while chunk := source.read_on(CHUNK):
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            size += len(end)
            if not is_too_long:
                yield offset, b"".join([*parts, end]) if size <= LARGEST_RECORD else None
            parts, offset, size, is_too_long = [], offset + size + 1, 0, False
        size += len(rest)
        if not is_too_long and size > LARGEST_RECORD:
            yield offset, None
            is_too_long, parts = True, []
        elif not is_too_long:
            parts.append(rest)
    if size and not is_too_long:
        yield offset, b"".join(parts)
