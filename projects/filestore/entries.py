"""Positions on their way back into `positions.json`: an entry keeps every field of its own, and says what changed."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from projects.filestore.positions import EXTRAS
from projects.parsers.catalogues import catalogue_of
from projects.parsers.decimals import decimal_from_text
from projects.parsers.legacy_json import NAMES
from projects.parsers.totals import round_to_step

# Where an entry has none of the spellings yet, it gets the one that the older system wrote last.
_WRITTEN = {
    "number": "number", "code": "code", "description": "description", "unit": "unit", "quantity": "quantity",
    "unit_price": "unit_price", "total": "total_price", "section": "section", "object": "object",
    "price_system": "price_system", "note": "note",
}  # fmt: skip
NO_QUANTITY = "the file has no quantity"
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """A row of the budget, as the older shape needs it. Figures as the tables hold them."""

    number: str
    object_code: str
    object_name: str
    section: str
    code: str
    catalogue: str
    price_system: str
    kind: str
    billing: str
    description: str
    long_text: str
    category: str
    unit: str | None
    quantity: Decimal | None
    quantity_reason: str
    unit_price: Decimal | None
    stated_total: Decimal | None
    total: Decimal
    vat_rate: Decimal | None
    measure: list[Any] | None


def entry_of(row: StoredPosition, like: dict[str, Any] | None = None) -> dict[str, Any]:
    """An entry that reads back as this row. `like`: the entry it was read from, whose other fields it keeps."""
    entry = dict(like or {})
    values = {
        "number": row.number, "object": row.object_code, "section": row.section, "code": row.code,
        "price_system": row.price_system, "description": row.description, "note": row.long_text, "unit": row.unit,
        "quantity": _plain(row.quantity), "unit_price": _plain(row.unit_price), "total": _plain(_told_total(row)),
    }  # fmt: skip
    for name, value in values.items():
        _put(entry, name, value)
    if row.kind == "material":
        entry["type"] = "material"
    elif like is not None and _is_material(like):
        entry.pop("kind", None)
        entry["type"] = row.kind
    entry.pop(EXTRAS, None)
    if extras := _extras(row):
        entry[EXTRAS] = extras
    return entry


def says_number(entry: dict[str, Any], number: str) -> bool:
    """Whether reading finds this number in the entry itself, whatever entries stand before it."""
    used = next((entry[key] for key in NAMES["number"] if entry.get(key) not in (None, "")), None)
    return not isinstance(used, (dict, list, bool)) and str(used).strip() == number


def _put(entry: dict[str, Any], name: str, value: Any) -> None:
    """Under the spelling that reading finds first; an empty value empties them all."""
    used = next((key for key in NAMES[name] if entry.get(key) not in (None, "")), None)
    if value in (None, ""):
        for key in NAMES[name]:
            if key in entry:
                entry[key] = None
        return
    if used is None or not _says(entry[used], value, 2 if name == "total" else 4):
        entry[used or _WRITTEN[name]] = value


def _says(written: Any, value: Any, digits: int) -> bool:
    """Whether this spelling reads as the value, so that it may stay: "12,5" for 12.5."""
    if isinstance(value, str):
        return not isinstance(written, (dict, list, bool)) and str(written).strip() == value
    try:
        read = decimal_from_text(written) if isinstance(written, str) else Decimal(written)
        return read is not None and round_to_step(read, Decimal(1).scaleb(-digits)) == value
    except (ValueError, TypeError, ArithmeticError):
        return False


def _is_material(entry: dict[str, Any]) -> bool:
    return str(entry.get("type") or entry.get("kind") or "").strip().lower() in ("m", "material", "materiál")


def _told_total(row: StoredPosition) -> Decimal | None:
    """The stated total; where there is none the computed one, which the older system expects to find."""
    if row.stated_total is not None:
        return row.stated_total
    return row.total if row.quantity is not None and row.unit_price is not None else None


def _extras(row: StoredPosition) -> dict[str, Any]:
    """What the older shape has no name for, and where reading it would guess otherwise."""
    extras: dict[str, Any] = {}
    if row.object_name != row.object_code:
        extras["object_name"] = row.object_name
    if row.catalogue != catalogue_of(row.price_system):
        extras["catalogue"] = row.catalogue
    if row.kind not in ("work", "material"):
        extras["kind"] = row.kind
    if row.billing != "normal":
        extras["billing"] = row.billing
    if row.quantity_reason != ("" if row.quantity is not None else NO_QUANTITY):
        extras["quantity_reason"] = row.quantity_reason
    if row.vat_rate is not None:
        extras["vat_rate"] = str(row.vat_rate)
    if row.measure:
        extras["measure"] = row.measure
    if row.category:
        extras["category"] = row.category
    told = _told_total(row)
    read = None if told == 0 and row.quantity and row.unit_price else told
    wanted = row.stated_total if _is_computed(row) or row.stated_total is not None else row.total
    if read != wanted:
        extras["stated_total"] = None if wanted is None else str(wanted)
    return extras


def _is_computed(row: StoredPosition) -> bool:
    """Whether reading would compute this total from quantity and price."""
    if row.quantity is None or row.unit_price is None:
        return row.total == 0
    return row.total == round_to_step(row.quantity * row.unit_price, _CENT)


def _plain(figure: Decimal | None) -> Decimal | int | None:
    """Without zeros at its end."""
    if figure is None:
        return None
    return int(figure) if figure == figure.to_integral_value() else Decimal(f"{figure.normalize():f}")


def written_entries(entries: Iterable[Any], outer: dict[str, Any], name: str) -> Iterator[bytes]:
    """The file, an entry a line. Figures keep the digits they have: no float stands between."""
    encode = _Encoder()
    if not name:
        yield from _lines(entries, encode)
        return
    yield b"{\n"
    for place, (key, value) in enumerate(outer.items()):
        yield (",\n" if place else "").encode() + encode(key) + b": "
        if key == name:
            yield from _lines(entries, encode)
        else:
            yield encode(value)
    yield b"\n}\n"


def _lines(entries: Iterable[Any], encode: _Encoder) -> Iterator[bytes]:
    yield b"["
    for place, entry in enumerate(entries):
        yield (b",\n" if place else b"\n") + encode(entry)
    yield b"\n]"


class _Encoder:
    """JSON with Decimals as bare figures: marked while they are text, by a mark that no file can know."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(8)
        self._marked = re.compile(f'"{self._mark}([^"]*)"')

    def __call__(self, value: Any) -> bytes:
        try:
            return self._text(value, ascii_only=False).encode()
        except UnicodeEncodeError:  # half a character, which JSON can say only as an escape
            return self._text(value, ascii_only=True).encode()

    def _text(self, value: Any, *, ascii_only: bool) -> str:
        text = json.dumps(value, ensure_ascii=ascii_only, default=lambda figure: f"{self._mark}{figure}")
        return self._marked.sub(r"\1", text)
