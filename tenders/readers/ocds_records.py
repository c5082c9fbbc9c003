"""Releases out of what an OCDS file may hold: a release, a record, or a package of either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from .notice import EXCERPT, Rejected, Release
from .texts import text_of

Json = dict[str, Any]
LONGEST_KEY = 300
OBJECTS = ("tender", "buyer", "planning")
NO_OCID = "It has no ocid, so nobody can tell which tender it is about."


def releases_of(item: Any, number: int, offset: int | None = None) -> Iterator[Release | Rejected]:
    """Releases of one element of a file: each has a number of its own only when the element is one of them."""
    if is_single(item):
        yield release_of(item, number, offset)
    elif not isinstance(item, dict):
        yield rejected(item, number, f"A release should be an object, not {_word(item)}.", offset)
    elif isinstance(item.get("records"), list):
        for record in item["records"]:
            yield from releases_of(record, number, offset)
    elif isinstance(item.get("releases"), list) and ("compiledRelease" in item or _is_record(item)):
        yield from _of_record(item, number, offset)
    elif isinstance(item.get("releases"), list):
        for release in item["releases"]:
            yield release_of(release, number, offset)
    elif isinstance(item.get("compiledRelease"), dict):
        yield release_of(item["compiledRelease"], number, offset)
    else:
        yield release_of(item, number, offset)


def is_single(item: Any) -> bool:
    """Whether it can't be but one release: it holds no others."""
    return type(item) is dict and "releases" not in item and "records" not in item and "compiledRelease" not in item


def _is_record(item: Json) -> bool:
    """A record has an ocid beside its releases; a package has none."""
    return isinstance(item.get("ocid"), str)


def _of_record(record: Json, number: int, offset: int | None) -> Iterator[Release | Rejected]:
    """Embedded releases; if they are only linked, the compiled release stands for them."""
    embedded = [release for release in record["releases"] if _is_embedded(release)]
    if embedded and len(embedded) == len(record["releases"]):
        for release in embedded:
            yield release_of(release, number, offset)
    elif isinstance(record.get("compiledRelease"), dict):
        compiled = record["compiledRelease"]
        yield release_of({"ocid": record.get("ocid")} | compiled | {"tag": ["compiled"]}, number, offset)
    elif embedded:
        for release in embedded:
            yield release_of(release, number, offset)
    else:
        reason = "The record only links to its releases and holds no compiled one."
        yield rejected(record, number, reason, offset)


def _is_embedded(release: Any) -> bool:
    return isinstance(release, dict) and ("ocid" in release or "tender" in release)


def release_of(raw: Any, number: int, offset: int | None) -> Release | Rejected:
    if not isinstance(raw, dict):
        return rejected(raw, number, f"A release should be an object, not {_word(raw)}.", offset)
    if not raw:
        return rejected(raw, number, "It is empty.", offset)
    key = text_of(raw.get("ocid"))
    if not key:
        return rejected(raw, number, NO_OCID, offset)
    if len(key) > LONGEST_KEY:
        return rejected(raw, number, f"Its ocid is longer than {LONGEST_KEY} characters.", offset)
    for name in OBJECTS:
        if not isinstance(raw.get(name, {}), dict):
            # Merged with others of this tender it would wipe out what they say.
            return rejected(raw, number, f"Its {name} should be an object, not {_word(raw[name])}.", offset)
    date = text_of(raw.get("date"), longest=60)
    tags = raw.get("tag")
    tags = [tags] if isinstance(tags, str) else tags if isinstance(tags, list) else []
    release_id = text_of(raw.get("id"), longest=LONGEST_KEY) or f"{key}-{date}"
    return Release(key, release_id, date, tuple([text_of(tag, longest=40) for tag in tags]), raw)


def rejected(raw: Any, number: int, reason: str, offset: int | None = None) -> Rejected:
    return Rejected(number, reason, offset, excerpt(raw))


def excerpt(raw: Any) -> str:
    if isinstance(raw, bytes):
        return raw[:EXCERPT].decode("utf-8", "replace").replace("\x00", "")
    try:
        return orjson.dumps(raw, default=str)[:EXCERPT].decode("utf-8", "replace")
    except (TypeError, ValueError, RecursionError):
        return ""


def _word(value: Any) -> str:
    names = {str: "a text", list: "a list", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
