"""One cell of a record, as the type that is wanted, or why it is not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..exchange.texts import clean, number_of, one_line, plain_number

LINKED = "multipleRecordLinks"


class BadCell(Exception):
    """`code` for programs, the message for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a cell. Its content never changes; its address is good for some hours. `size` in bytes."""

    id: str
    url: str
    name: str
    media_type: str
    size: int


def attachments(value: Any) -> list[Attachment]:
    """Those of a cell, in their order. Raises BadCell for a cell of another type."""
    found = []
    for each in value if isinstance(value, list) else [] if value is None else [value]:
        match each:
            case {"id": str(name), "url": str(url)}:
                size = each.get("size")
                told = (one_line(str(each.get("filename", "")))[:200] or name, str(each.get("type", "")))
                found.append(Attachment(name, url, *told, size if isinstance(size, int) else 0))
            case _:
                raise BadCell("wrong_type", "holds something that is no attachment.")
    return found


def text(value: Any) -> str:
    """ "" for an empty cell; a list's only element; several are a BadCell."""
    found = texts(value)
    if len(found) > 1:
        raise BadCell("several_values", f"holds {len(found)} values where one is meant.")
    return found[0] if found else ""


def texts(value: Any) -> list[str]:
    """The values of a list, or the one of another cell; without empty ones."""
    values = value if isinstance(value, list) else [value]
    return [found for found in (_text(each) for each in values) if found]


def lines(value: Any) -> list[str]:
    """The lines of a text, or the elements of a list."""
    return [line for each in texts(value) for line in (part.strip() for part in each.split("\n")) if line]


def number(value: Any) -> Decimal | None:
    written = text(value)
    if not written:
        return None
    found = number_of(written)
    if found is None:
        raise BadCell("not_a_number", f"“{written[:80]}” is not a number.")
    return found


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "True" if value else "False"
        case str():
            return clean(value)
        case int() | float():
            return plain_number(Decimal(str(value)))
        case {"error": error}:
            raise BadCell("formula_error", f"holds the error {one_line(str(error))[:80]} of a formula.")
        case {"specialValue": special}:
            raise BadCell("formula_error", f"holds {one_line(str(special))[:80]}, which is no value.")
        case {"state": "error"}:
            raise BadCell("formula_error", "could not be generated.")
        case {"value": str(written)}:  # written by Airtable's model
            return clean(written)
    raise BadCell("wrong_type", f"holds {_sort(value)}, which is neither text nor a number.")


def _sort(value: Any) -> str:
    if isinstance(value, dict):
        if "url" in value:
            return "an attachment or a button"
        if "email" in value:
            return "a person"
    return "something else"
