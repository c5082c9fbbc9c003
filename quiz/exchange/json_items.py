"""Questions as JSON: our own export, which carries everything, and the plain objects that others publish."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from .answers import counted_from
from .content import NotReadable
from .item import Accepted, Choice, Item, Kind, Markup, Pair, Range, Rejected
from .pictures import Picture, object_of_picture, picture_of
from .rows import FIELDS, Row, item_of, joined, plain_name
from .soundness import LONGEST_RAW, BadQuestion, sound
from .texts import number_of, plain_number

FORMAT = "plumbline-questions"
VERSION = 1
_PARTS = {"choices": Choice, "accepted": Accepted, "ranges": Range, "pairs": Pair}
_NUMBERS = frozenset({"share", "low", "high", "difficulty"})
_LISTS = ("choices", "options", "answers")
_SPACE = re.compile(r"[\s,]*")


def read_json(text: str) -> Iterator[Item | Rejected]:
    """Raises NotReadable where there is no list of objects; a file cut short gives all that came before the cut."""
    start = _list_start(text)
    objects: list[Any] = []
    end: Rejected | None = None
    try:
        for value in _objects(text, start):
            objects.append(value)
    except (ValueError, RecursionError) as error:
        reason = "The file ends early, or is no JSON from here on; the rest was not read."
        end = Rejected(len(objects) + 1, "damaged", f"{reason} ({str(error)[:100]})")
    yield from _items(objects)
    if end is not None:
        yield end


def _list_start(text: str) -> int:
    """Where the list of questions begins: of the document itself, or under "questions", "items" or "results"."""
    lead = text.lstrip("\ufeff \t\n")
    if lead.startswith("["):
        return text.index("[") + 1
    found = re.search(r'"(?:questions|items|results|data)"\s*:\s*\[', text)
    if not lead.startswith("{") or found is None:
        raise NotReadable("The JSON has no list of questions.", code="no_questions")
    return found.end()


def _objects(text: str, at: int) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing at least
        if text[at : at + 1] == "]":
            return
        value, at = decoder.raw_decode(text, at)
        yield value


def _items(objects: Sequence[Any]) -> Iterator[Item | Rejected]:
    rows = [_row(value) if isinstance(value, dict) and not _is_ours(value) else None for value in objects]
    first = counted_from([(row.values.get("right", ""), len(row.choices)) for row in rows if row])
    for position, (value, row) in enumerate(zip(objects, rows, strict=True), 1):
        raw = json.dumps(value, ensure_ascii=False)[: LONGEST_RAW * 2]
        try:
            if not isinstance(value, dict):
                raise BadQuestion("bad_shape", "A question is an object in braces; this is none.")
            item = _ours(value) if row is None else item_of(row, first=first)
        except BadQuestion as bad:
            yield bad.rejected(position, raw)
        else:
            yield sound(item, position=position, raw=raw)


def _is_ours(value: dict[str, Any]) -> bool:
    return value.get("kind") in set(Kind) and "stem" in value


def _ours(value: dict[str, Any]) -> Item:
    found: dict[str, Any] = {}
    try:
        for field in fields(Item):
            if field.name in value:
                found[field.name] = _value(field.name, value[field.name])
        return Item(**found)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise BadQuestion("bad_shape", f"A field is not of its kind ({str(error)[:100]}).") from error


def _value(name: str, given: Any) -> Any:
    if name == "kind":
        return Kind(given)
    if name == "markup":
        return Markup(given)
    if name == "pictures":
        return tuple(filter(None, map(_picture, given)))
    if name in _PARTS:
        return tuple(_PARTS[name](**{key: _value(key, text) for key, text in part.items()}) for part in given)
    if name in _NUMBERS:
        number = number_of(str(given))
        if number is None and given is not None:
            raise ValueError(f"{name} is no number")
        return number
    if name == "is_case_sensitive":
        return bool(given)
    if isinstance(given, list):
        return tuple(_text(part) for part in given)
    return _text(given)


def _picture(given: Any) -> Picture | None:
    return picture_of(base64.b64decode(given["base64"]), _text(given.get("name", "")))


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError("not a text")
    return given


def _row(value: dict[str, Any]) -> Row:
    """A plain object's fields by their many names; its choices as a list, by letters, or each marked."""
    row = Row()
    for name, given in value.items():
        key = FIELDS.get(plain_name(str(name)))
        if key and key not in row.values and given is not None:
            row.values[key] = joined([str(part) for part in given]) if isinstance(given, list) else _scalar(given)
    given = next((value[name] for name in _LISTS if isinstance(value.get(name), list | dict)), None)
    if isinstance(given, dict):
        row.choices = [_scalar(given[letter]) for letter in sorted(given)]
    elif given and all(isinstance(part, dict) for part in given):
        row.choices = [_scalar(part.get("text", part.get("answer", ""))) for part in given]
        marks = ("correct", "is_correct", "isCorrect", "right")
        row.right = [at for at, part in enumerate(given) if any(part.get(mark) is True for mark in marks)]
    elif given:
        row.choices = [_scalar(part) for part in given]
    elif isinstance(wrong := value.get("incorrect_answers"), list):
        row.choices = [row.values.get("right", ""), *map(_scalar, wrong)]
        row.right = [0]
    return row


def _scalar(given: Any) -> str:
    return "" if given is None or isinstance(given, dict | list) else str(given)


def json_of(items: Sequence[Item]) -> str:
    """One object a question, a question a line; fields that say nothing are left out, numbers are exact texts."""
    lines = ",\n".join(json.dumps(object_of(item), ensure_ascii=False) for item in items)
    return f'{{"format": "{FORMAT}", "version": {VERSION}, "questions": [\n{lines}\n]}}\n'


def object_of(item: Item) -> dict[str, Any]:
    """The item as JSON values, without the fields that are as they are by default."""
    return {name: value for name, value in _fields(item).items() if value not in ("", [], None, False, "plain")}


def _fields(item: Item) -> dict[str, Any]:
    return {field.name: _written(getattr(item, field.name)) for field in fields(item)}


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, tuple):
        return [_written(part) for part in value]
    if isinstance(value, Choice | Accepted | Range | Pair):
        return {field.name: _written(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Picture):
        return object_of_picture(value)
    return str(value) if isinstance(value, Kind | Markup) else value
