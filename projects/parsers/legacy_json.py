"""`positions.json` of the older system: a list of positions, or {"positions": [...]}.

Field names changed over its life, so each is looked up under all the names it had. Figures are numbers or text with a
decimal comma. The older system filled empty fields with 0.0; a total is checked, not trusted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeAlias

from projects.parsers.bill import Bill, BillHeader, BillPosition, ParseError, PositionKind, Score, StatedTotal
from projects.parsers.catalogues import catalogue_of, currency_of
from projects.parsers.decimals import LARGEST, bounded, decimal_from_text
from projects.parsers.filehead import FileHead
from projects.parsers.numbering import Numbering

NAME = "legacy_json"
LABEL = "positions.json of the older system"

MAX_BYTES = 256 << 20
LISTS = ("positions", "items", "polozky")
NAMES = {
    "number": ("number", "position_number", "position", "poradi", "id", "position_id"),
    "code": ("code", "kod", "item_code", "otskp_code", "kros_code", "urs_code"),
    "description": ("description", "name", "popis", "nazev", "text", "title"),
    "unit": ("unit", "mj", "jednotka", "measure_unit"),
    "quantity": ("quantity", "qty", "mnozstvi", "amount"),
    "unit_price": ("unit_price", "price", "jednotkova_cena", "price_per_unit"),
    "total": ("total_price", "total", "cena_celkem", "total_cost"),
    "section": ("section", "section_name", "category", "oddil", "kapitola"),
    "object": ("object", "object_code", "stavebni_objekt", "sheet"),
    "price_system": ("price_system", "cenova_soustava", "catalogue", "catalog", "source_catalog"),
    "note": ("note", "notes", "poznamka", "long_text"),
}
_MOST_SHAPES = 1000  # remembered; a file in which each entry has names of its own must not fill the memory
_Shape: TypeAlias = tuple[str | tuple[str, ...], ...]
_FIRST_KEYS = re.compile(r'"(description|name|popis|unit|quantity|unit_price|code|positions|polozky|mj)"\s*:')


def detect(head: FileHead) -> Score:
    if head.kind != "text" or not head.text.lstrip().startswith(("{", "[")):
        return Score(0)
    keys = set(_FIRST_KEYS.findall(head.text))
    if "positions" in keys or {"description", "unit", "quantity"} <= keys or {"name", "unit", "quantity"} <= keys:
        return Score(90, (f"JSON with {', '.join(sorted(keys))}.",))
    if keys & {"description", "name", "popis"} and len(keys) >= 2:
        return Score(60, (f"JSON with {', '.join(sorted(keys))}.",))
    return Score(10, ("JSON, without the usual names of positions.",)) if keys else Score(0)


def read(head: FileHead) -> Bill:
    """The file is read whole: these files hold at most a few thousand positions. Raises ParseError("damaged" | …)."""
    if head.size > MAX_BYTES:
        raise ParseError(f"The JSON file is larger than {MAX_BYTES >> 20} MB.", code="too_large")
    data = _load(head)
    found = _positions_of(data)
    if found is None:
        raise ParseError(
            'This JSON file has no list of positions: expected is a list, or {"positions": [...]}.', code="no_positions"
        )
    return bill_of(found, data if isinstance(data, dict) else {})


def bill_of(found: Iterable[Any], outer: dict[str, Any]) -> Bill:
    """The bill that these entries are; `outer` is what stands around the list, complete once they are exhausted.
    Figures are `int`, `Decimal` or text."""
    bill = Bill(header=_header(outer), positions=iter(()), stated_count=_count(outer))
    bill.positions = _read_positions(bill, found, outer)
    return bill


def _header(outer: dict[str, Any]) -> BillHeader:
    return BillHeader(
        dialect=NAME,
        dialect_label=LABEL,
        title=_text(outer.get("project_name") or outer.get("name")),
        reference=_text(outer.get("project_id") or outer.get("id")),
        currency=currency_of(_text(outer.get("currency"))),
    )


def _count(outer: dict[str, Any]) -> int | None:
    count = outer.get("total_positions", outer.get("positions_count"))
    return count if type(count) is int else None


def _load(head: FileHead) -> Any:
    try:
        return json.loads(
            head.path.read_text(encoding=head.encoding), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError, UnicodeError) as error:
        raise ParseError(f"The JSON file is damaged: {str(error)[:160]}. Export it again.", code="damaged") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a figure")


def _positions_of(data: Any) -> list[Any] | None:
    if isinstance(data, list):
        return data
    if isinstance(data, dict):
        return next((data[name] for name in LISTS if isinstance(data.get(name), list)), None)
    return None


def _read_positions(bill: Bill, found: Iterable[Any], outer: dict[str, Any]) -> Iterator[BillPosition]:
    numbering = Numbering(bill.warnings)
    shapes: dict[tuple[str, ...], _Shape] = {}
    for index, entry in enumerate(found):
        if not isinstance(entry, dict):
            bill.warnings.append(f"positions[{index}] is not an object; it is left out.")
            continue
        names = tuple(entry)
        shape = shapes.get(names)
        if shape is None:
            shape = _shape(names)
            if len(shapes) < _MOST_SHAPES:
                shapes[names] = shape
        yield _position(bill, entry, shape, index, numbering)
    bill.header, bill.stated_count = _header(outer), _count(outer)
    total = _figure(bill, outer.get("total_cost", outer.get("total_price")), "the file's total", "")
    if total:  # the older system wrote 0.0 for "not computed"
        bill.totals.append(StatedTotal("bill", total, source="total_cost"))


def _shape(names: tuple[str, ...]) -> _Shape:
    """Of each field in the order of NAMES, what it is called in entries with these names: mostly one name, or () for
    none."""
    called = (tuple(key for key in keys if key in names) for keys in NAMES.values())
    return tuple(keys[0] if len(keys) == 1 else keys for keys in called)


def _position(bill: Bill, entry: dict[str, Any], shape: _Shape, index: int, numbering: Numbering) -> BillPosition:
    number, code, description, unit, quantity, price, total, section, obj, system, note = [
        entry[keys] if isinstance(keys, str) else _first(entry, keys) for keys in shape
    ]
    place = f"positions[{index}]"
    quantity = _figure(bill, quantity, place, "quantity")
    total = _figure(bill, total, place, "total")
    price = _figure(bill, price, place, "unit_price")
    if total is not None and not total and quantity and price:  # filled in, not stated
        total = None
    section, obj, system = _text(section), _text(obj), _text(system)
    kind = _text(entry.get("type") or entry.get("kind")).lower()
    return BillPosition(
        ordinal=index + 1,
        number=numbering.claim(obj, _text(number), place),
        description=_text(description),
        kind=PositionKind.MATERIAL if kind in ("m", "material", "materiál") else PositionKind.WORK,
        object_code=obj,
        object_name=obj,
        section_path=(section,) if section else (),
        code=_text(code),
        catalogue=catalogue_of(system) if system else "",
        price_system=system,
        long_text=_text(note),
        unit=_text(unit) or None,
        quantity=quantity,
        quantity_reason="" if quantity is not None else "the file has no quantity",
        unit_price=price,
        total=total,
        source=place,
    )


def _first(entry: dict[str, Any], keys: tuple[str, ...]) -> Any:
    """That says anything."""
    for key in keys:
        value = entry[key]
        if value is not None and value != "":
            return value
    return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return "" if value is None or isinstance(value, (dict, list, bool)) else str(value).strip()


def _figure(bill: Bill, value: Any, place: str, name: str) -> Decimal | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            return None
        result = decimal_from_text(value) if isinstance(value, str) else Decimal(value)
        if result is not None and abs(result) > LARGEST:
            raise ValueError("too large")
        return result if result is None else bounded(result)
    except (ValueError, TypeError, ArithmeticError):
        where = f"{place}.{name}" if name else place
        bill.warnings.append(f"{where}: {str(value)[:40]!r} is not a figure; it is left out.")
        return None
