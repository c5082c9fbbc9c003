"""`positions.json`, read as a stream; and what the older shape has no name for, under `plumbline`."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from projects.filestore.places import StoreError
from projects.filestore.scanning import Scanner, damaged, refuse_constant
from projects.parsers.bill import Bill, Billing, BillPosition, MeasureLine, ParseError, PositionKind
from projects.parsers.decimals import LARGEST, bounded
from projects.parsers.legacy_json import LISTS, bill_of

EXTRAS = "plumbline"
_CATEGORY = 60


@dataclass(slots=True)
class OlderBill:
    """`categories` (place: category) is complete once the positions are exhausted."""

    bill: Bill
    categories: dict[str, str] = field(default_factory=dict)


def read_positions(file: IO[bytes]) -> OlderBill:
    """Read once, from its beginning, in constant memory; what stands behind the list is known once the positions are
    exhausted. Raises StoreError("damaged" | "no_positions"), also while the positions are read."""
    scanner, outer = Scanner(file), dict[str, Any]()
    if scanner.next() == "[":
        entries = _entries(scanner, iter(()), outer, "")
    else:
        if scanner.next() != "{":
            scanner.value()
            scanner.end()
            raise _no_list()
        members, name = scanner.members(), LISTS[0]
        if not _begins(scanner, members, outer, name):
            scanner.end()
            name = _list_name(outer)  # of the others, whichever comes first in LISTS: only now is it known
            file.seek(0)
            scanner, outer = Scanner(file), {}
            members = scanner.members()
            _begins(scanner, members, outer, name)
        entries = _entries(scanner, members, outer, name)
    extras: dict[int, Any] = {}
    bill = bill_of(_set_aside(entries, extras), outer)
    older = OlderBill(bill)
    bill.positions = _completed(older, bill.positions, extras)
    return older


def _begins(scanner: Scanner, members: Iterator[str], outer: dict[str, Any], wanted: str) -> bool:
    """Go on to the list of that name; False if there is none up to the object's end. What is passed goes to `outer`:
    scalars, and lists that may be the one, emptied."""
    for name in members:
        if scanner.next() != "[":
            value = scanner.value()
            outer[name] = None if isinstance(value, dict) else value
        elif name == wanted:
            return True
        else:
            deque(scanner.items(), maxlen=0)
            outer[name] = [] if name in LISTS else None
    return False


def _entries(scanner: Scanner, members: Iterator[str], outer: dict[str, Any], name: str) -> Iterator[Any]:
    """The list's, and then what comes after it."""
    yield from scanner.items()
    behind: dict[str, Any] = {}
    if _begins(scanner, members, behind, name) or name in behind:
        raise damaged(f"It has {name!r} twice; keep the one that counts")
    scanner.end()
    outer |= behind


def read_entries(path: Path) -> tuple[list[Any], dict[str, Any], str]:
    """Every entry as it stands there, what is around the list, and the list's name ("" where nothing is around)."""
    value = _load(path)
    if isinstance(value, list):
        return value, {}, ""
    name = _list_name(value)
    return value[name], value, name


def _load(path: Path) -> Any:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        value = json.loads(text, parse_float=Decimal, parse_constant=refuse_constant)
    except (ValueError, RecursionError, MemoryError, ArithmeticError) as error:
        raise damaged(error) from error
    if not isinstance(value, list | dict):
        raise _no_list()
    return value


def _list_name(outer: dict[str, Any]) -> str:
    for name in LISTS:
        if isinstance(outer.get(name), list):
            return name
    raise _no_list()


def _no_list() -> StoreError:
    message = 'positions.json has no list of positions: expected is a list, or {"positions": [...]}.'
    return StoreError(message, code="no_positions")


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
