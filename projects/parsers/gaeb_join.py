"""A bid (X84) put onto its tender (X83): quantities, texts and billing of the tender, prices of the bid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from projects.parsers.bill import Bill, BillPosition, ParseError, StatedTotal

_TENDERS = ("X81", "X83")
_Key = tuple[str, str]


def join_bid(tender: Bill, bid: Bill) -> Bill:
    """Matches by lot and number (path of RNoPart, RNoIndex). A position of one side only is kept, with a warning.

    The bid stands in memory, the tender is streamed. Raises ParseError("not_a_pair") where the phases are others or not
    one position matches; the latter once the positions have been read.
    """
    if tender.header.phase not in _TENDERS or bid.header.phase != "X84":
        raise ParseError(
            f"A bid (X84) is joined to its tender (X83); these are {bid.header.phase or bid.header.dialect_label} and "
            f"{tender.header.phase or tender.header.dialect_label}.",
            code="not_a_pair",
        )
    header = replace(
        bid.header,
        title=tender.header.title or bid.header.title,
        reference=tender.header.reference or bid.header.reference,
        client=tender.header.client or bid.header.client,
        currency=bid.header.currency or tender.header.currency,
    )
    joined = Bill(header=header, positions=iter(()), warnings=bid.warnings)
    joined.positions = _join(tender, bid, joined)
    return joined


def _join(tender: Bill, bid: Bill, joined: Bill) -> Iterator[BillPosition]:
    priced: dict[_Key, BillPosition] = {(p.object_code, p.number): p for p in bid.positions}
    paths: dict[_Key, tuple[str, ...]] = {}  # (lot, number of a section) → its path in the tender
    if tender.header.currency and bid.header.currency and tender.header.currency != bid.header.currency:
        joined.warnings.append(f"The tender is in {tender.header.currency}, the bid in {bid.header.currency}.")
    matched, ordinal, missing = 0, 0, []
    for position in tender.positions:
        ordinal = position.ordinal
        _note_paths(paths, position)
        offer = priced.pop((position.object_code, position.number), None)
        if offer is None:
            missing.append(position.number)
            yield position
        else:
            matched += 1
            yield _with_prices(position, offer)
    joined.warnings.extend(tender.warnings)
    joined.warnings.extend(f"Position {number} of the tender has no price in the bid." for number in missing)
    if not matched:
        raise ParseError(
            f"Not one of the bid's {len(priced):,} positions has a number of the tender's {ordinal:,}: the two "
            "files do not belong together. Upload the X83 that this X84 answers.",
            code="not_a_pair",
        )
    for extra in priced.values():
        ordinal += 1
        joined.warnings.append(f"Position {extra.number} of the bid is not in the tender.")
        yield replace(extra, ordinal=ordinal)
    joined.totals.extend(_rename(total, paths) for total in bid.totals)


def _with_prices(position: BillPosition, offer: BillPosition) -> BillPosition:
    quantity, reason = position.quantity, position.quantity_reason
    if quantity is None and offer.quantity is not None:  # left to the bidder
        quantity, reason = offer.quantity, ""
    elif quantity is None and offer.quantity_reason.startswith("surcharge"):
        reason = offer.quantity_reason
    return replace(
        position,
        quantity=quantity,
        quantity_reason=reason,
        unit_price=offer.unit_price,
        total=offer.total,
        vat_rate=offer.vat_rate if offer.vat_rate is not None else position.vat_rate,
        price_components=offer.price_components,
        source=f"{position.source} of the tender, {offer.source} of the bid",
    )


def _note_paths(paths: dict[_Key, tuple[str, ...]], position: BillPosition) -> None:
    number = ""
    for depth, name in enumerate(position.section_path, start=1):
        number = f"{number}.{name.split(' ', 1)[0]}"
        paths.setdefault((position.object_code, number), position.section_path[:depth])


def _rename(total: StatedTotal, paths: dict[_Key, tuple[str, ...]]) -> StatedTotal:
    """The bid's sections have numbers only; the joined bill calls them as the tender does."""
    if total.level != "section":
        return total
    number = "".join(f".{name.split(' ', 1)[0]}" for name in total.section_path)
    return replace(total, section_path=paths.get((total.object_code, number), total.section_path))
