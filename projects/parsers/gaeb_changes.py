"""What a bid (GAEB X84) says otherwise than the tender (X83) it answers, where it may only add prices: for rule V13.

Joined positions show the tender's texts and quantities, so the bid's own file is looked through. It need not repeat
texts, units and quantities; only what it does repeat can differ. What a bidder fills into a text (TextComplement)
stands in the detailed text, which is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from projects.parsers.bill import BillPosition
from projects.parsers.decimals import decimal_from_xml
from projects.parsers.filehead import FileHead
from projects.parsers.gaeb_text import plain_text
from projects.parsers.gaeb_xml import read
from projects.parsers.safexml import child_text, forget, iterate, line_of, local_name

MOST_CHANGES = 500
_TAGS, _OPENING = frozenset(("Item", "BoQCtgy")), frozenset(("BoQCtgy",))

Change = tuple[int, str, str, str]  # line of the bid, number with its lot, what changed, message


class _Offer(NamedTuple):
    line: int
    description: str
    unit: str
    quantity: str


def changes_of(*, tender: Path, bid: Path) -> tuple[list[Change], bool]:
    """(changes in the order of the tender, whether these are all). Raises ParseError if one of them is damaged."""
    offers = dict(_offers(bid))
    changes: list[Change] = []
    for position in read(FileHead(tender)).positions:
        number = f"{position.object_code}.{position.number}" if position.object_code else position.number
        offer = offers.get(number)
        if offer is not None and len(changes) <= MOST_CHANGES:
            changes += _changes(number, position, offer)
    return changes[:MOST_CHANGES], len(changes) <= MOST_CHANGES


def _offers(bid: Path) -> Iterator[tuple[str, _Offer]]:
    path: list[str] = []
    for event, element in iterate(bid, _TAGS, _OPENING):
        if event == "start":
            path.append(element.get("RNoPart", "").strip())
        elif local_name(element) == "BoQCtgy":
            path.pop()
            forget(element)
        else:
            own = (element.get("RNoPart", "").strip(), element.get("RNoIndex", "").strip())
            number = ".".join(part for part in (*path, *own) if part)
            yield number, _offer(element)
            forget(element)


def _offer(element: etree._Element) -> _Offer:
    outline = next(element.iterfind(".//{*}OutlineText"), None)
    unit, quantity = child_text(element, "QU"), child_text(element, "Qty")
    return _Offer(line_of(element), " ".join(plain_text(outline).split()), unit, quantity)


def _changes(number: str, asked: BillPosition, offer: _Offer) -> list[Change]:
    pairs = [
        ("description", asked.description, offer.description),
        ("unit", (asked.unit or "").lower(), offer.unit.lower()),
    ]
    found = [(name, before, after) for name, before, after in pairs if before and after and before != after]
    quantity = _figure(offer.quantity)
    if quantity is not None and asked.quantity is not None and quantity != asked.quantity:
        found.append(("quantity", f"{asked.quantity.normalize():f}", f"{quantity.normalize():f}"))
    return [
        (offer.line, number, name, f'{name} "{after[:80]}" in place of "{before[:80]}"')
        for name, before, after in found
    ]


def _figure(text: str) -> Decimal | None:
    """None where there is none, or no figure: of that the reader of the bid has warned already."""
    try:
        return decimal_from_xml(text)
    except ValueError:
        return None
