"""`positions.json` of the older system: a list of positions, or {"positions": [...]}.

Field names changed over its life, so each is looked up under all the names it had. Figures are numbers or text with a
decimal comma. The older system filled empty fields with 0.0; a total is checked, not trusted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

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
    """The bill that these entries are; `outer` is what stands around the list. Figures are `int`, `Decimal` or text."""
    bill = Bill(
        header=BillHeader(
            dialect=NAME,
            dialect_label=LABEL,
            title=_text(outer.get("project_name") or outer.get("name")),
            reference=_text(outer.get("project_id") or outer.get("id")),
            currency=currency_of(_text(outer.get("currency"))),
        ),
        positions=iter(()),
    )
    count = outer.get("total_positions", outer.get("positions_count"))
    bill.stated_count = count if type(count) is int else None
    bill.positions = _read_positions(bill, found, outer)
    return bill


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
    for index, entry in enumerate(found):
        if not isinstance(entry, dict):
            bill.warnings.append(f"positions[{index}] is not an object; it is left out.")
            continue
        yield _position(bill, entry, index, numbering)
    total = _figure(bill, outer.get("total_cost", outer.get("total_price")), "the file's total")
    if total:  # the older system wrote 0.0 for "not computed"
        bill.totals.append(StatedTotal("bill", total, source="total_cost"))


def _position(bill: Bill, entry: dict[str, Any], index: int, numbering: Numbering) -> BillPosition:
    place = f"positions[{index}]"
    quantity = _figure(bill, _get(entry, "quantity"), f"{place}.quantity")
    total = _figure(bill, _get(entry, "total"), f"{place}.total")
    price = _figure(bill, _get(entry, "unit_price"), f"{place}.unit_price")
    if total == 0 and quantity and price:  # filled in, not stated
        total = None
    section, obj = _text(_get(entry, "section")), _text(_get(entry, "object"))
    kind = _text(entry.get("type") or entry.get("kind")).lower()
    system = _text(_get(entry, "price_system"))
    return BillPosition(
        ordinal=index + 1,
        number=numbering.claim(obj, _text(_get(entry, "number")), place),
        description=_text(_get(entry, "description")),
        kind=PositionKind.MATERIAL if kind in ("m", "material", "materiál") else PositionKind.WORK,
        object_code=obj,
        object_name=obj,
        section_path=(section,) if section else (),
        code=_text(_get(entry, "code")),
        catalogue=catalogue_of(system),
        price_system=system,
        long_text=_text(_get(entry, "note")),
        unit=_text(_get(entry, "unit")) or None,
        quantity=quantity,
        quantity_reason="" if quantity is not None else "the file has no quantity",
        unit_price=price,
        total=total,
        source=place,
    )


def _get(entry: dict[str, Any], name: str) -> Any:
    # A plain loop: eleven of these a position, and a generator takes three times as long.
    for key in NAMES[name]:
        value = entry.get(key)
        if value is not None and value != "":
            return value
    return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return "" if value is None or isinstance(value, (dict, list, bool)) else str(value).strip()


def _figure(bill: Bill, value: Any, place: str) -> Decimal | None:
    try:
        if isinstance(value, bool) or value is None:
            return None
        result = decimal_from_text(value) if isinstance(value, str) else Decimal(value)
        if result is not None and abs(result) > LARGEST:
            raise ValueError("too large")
        return result if result is None else bounded(result)
    except (ValueError, TypeError, ArithmeticError):
        bill.warnings.append(f"{place}: {str(value)[:40]!r} is not a figure; it is left out.")
        return None
