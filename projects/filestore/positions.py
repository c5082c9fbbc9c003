"""`positions.json`, read as a stream where it is large; and what the older shape has no name for, under `plumbline`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from projects.filestore.places import StoreError
from projects.parsers.bill import Bill, Billing, BillPosition, MeasureLine, ParseError, PositionKind
from projects.parsers.decimals import LARGEST, bounded
from projects.parsers.legacy_json import LISTS, bill_of

EXTRAS = "plumbline"
WHOLE_BYTES = 32 << 20  # up to here json.loads, three times as fast; beyond, entry by entry in constant memory
_CATEGORY = 60


@dataclass(slots=True)
class OlderBill:
    """`categories` (place: category) is complete once the positions are exhausted."""

    bill: Bill
    categories: dict[str, str] = field(default_factory=dict)


def read_positions(path: Path) -> OlderBill:
    """Raises StoreError("damaged" | "no_positions"), also while the positions are read."""
    entries, outer = _stream(path) if path.stat().st_size > WHOLE_BYTES else _whole(path)
    extras: dict[int, Any] = {}
    bill = bill_of(_set_aside(entries, extras), outer)
    older = OlderBill(bill)
    bill.positions = _completed(older, bill.positions, extras)
    return older


def read_entries(path: Path) -> tuple[list[Any], dict[str, Any], str]:
    """Every entry as it stands there, what is around the list, and the list's name ("" where nothing is around)."""
    value = _load(path)
    if isinstance(value, list):
        return value, {}, ""
    name = _list_name(value)
    return value[name], value, name


def _whole(path: Path) -> tuple[Iterable[Any], dict[str, Any]]:
    entries, outer, _ = read_entries(path)
    return entries, outer


def _load(path: Path) -> Any:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        value = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, MemoryError, ArithmeticError) as error:
        raise _damaged(error) from error
    if not isinstance(value, list | dict):
        raise _no_list()
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a figure")


def _list_name(outer: dict[str, Any]) -> str:
    for name in LISTS:
        if isinstance(outer.get(name), list):
            return name
    raise _no_list()


def _no_list() -> StoreError:
    message = 'positions.json has no list of positions: expected is a list, or {"positions": [...]}.'
    return StoreError(message, code="no_positions")


def _damaged(error: Exception) -> StoreError:
    return StoreError(f"positions.json is damaged: {' '.join(str(error).split())[:160]}.", code="damaged")


def _stream(path: Path) -> tuple[Iterator[Any], dict[str, Any]]:
    """Read twice: what stands around the list first (the count and the total may come after it), then the entries."""
    import ijson  # type: ignore[import-untyped]

    with path.open("rb") as file:
        is_list = file.read(3).lstrip(b"\xef\xbb\xbf").startswith(b"[")
        file.seek(0)
        outer = {} if is_list else _around(file)
    return _entries(path, "item" if is_list else f"{_list_name(outer)}.item", ijson), outer


def _around(file: BinaryIO) -> dict[str, Any]:
    """The outer object with its scalars; lists that may be the one are empty in it."""
    import ijson

    outer: dict[str, Any] = {}
    try:
        for prefix, event, value in ijson.parse(file):
            if prefix and "." not in prefix and event in ("string", "number", "boolean"):
                outer[prefix] = value
            elif event == "start_array" and prefix in LISTS:
                outer[prefix] = []
    except (ijson.JSONError, ValueError, ArithmeticError) as error:
        raise _damaged(error) from error
    return outer


def _entries(path: Path, prefix: str, ijson: Any) -> Iterator[Any]:
    try:
        with path.open("rb") as file:
            yield from ijson.items(file, prefix)
    except (ijson.JSONError, ValueError, ArithmeticError) as error:
        raise _damaged(error) from error


def _set_aside(entries: Iterable[Any], extras: dict[int, Any]) -> Iterator[Any]:
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and EXTRAS in entry:
            extras[index] = entry[EXTRAS]
        yield entry


def _completed(older: OlderBill, positions: Iterator[BillPosition], extras: dict[int, Any]) -> Iterator[BillPosition]:
    """With what the extras say: none of it is trusted further than a column's own rules."""
    try:
        for position in positions:
            more = extras.pop(position.ordinal - 1, None) if extras else None
            if more is None:
                yield position
                continue
            try:
                yield _with(position, more, older.categories)
            except (ValueError, TypeError, ArithmeticError, KeyError, AttributeError):
                older.bill.warnings.append(f"{position.source}.{EXTRAS} is not understood; it is left out.")
                yield position
    except ParseError as error:
        raise StoreError(str(error), code=error.code) from error


def _with(position: BillPosition, more: dict[str, Any], categories: dict[str, str]) -> BillPosition:
    changes: dict[str, Any] = {
        name: str(more[name]) for name in ("object_name", "catalogue", "quantity_reason") if name in more
    }
    if "kind" in more:
        changes["kind"] = PositionKind(more["kind"])
    if "billing" in more:
        changes["billing"] = Billing(more["billing"])
    if "vat_rate" in more:
        changes["vat_rate"] = _figure(more["vat_rate"])
    if "stated_total" in more:
        changes["total"] = _figure(more["stated_total"])
    if "measure" in more:
        changes["measure"] = tuple(
            MeasureLine(str(text), str(kind), _figure(value), str(figure), bool(is_quantity))
            for text, kind, value, figure, is_quantity in more["measure"]
        )
    changed = replace(position, **changes)
    if more.get("category"):
        categories[position.source] = str(more["category"])[:_CATEGORY].replace("\x00", "")
    return changed


def _figure(value: Any) -> Decimal | None:
    if value is None:
        return None
    figure = bounded(Decimal(str(value)))
    if not figure.is_finite() or abs(figure) > LARGEST:
        raise ValueError(f"{value!r} is not a figure")
    return figure
