"""Writes a tender and a bid as GAEB DA XML 3.3 (X83, X84): one lot, sections of one level, items.

An X84 carries prices and totals, but no quantities and no texts: these stay with the tender.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from xml.sax.saxutils import escape

_CENT = Decimal("0.01")
_DATE = "2026-04-02"


@dataclass(frozen=True, slots=True)
class HallItem:
    part: str
    text: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    long_text: str = ""
    is_lump_sum: bool = False
    is_optional: bool = False
    alternative_to: str = ""  # number of the group of alternatives; an alternative counts in no total
    stated_total: Decimal | None = None  # replaces quantity × unit price: a fault on purpose

    @property
    def total(self) -> Decimal:
        if self.stated_total is not None:
            return self.stated_total
        return (self.quantity * self.unit_price).quantize(_CENT, ROUND_HALF_UP)

    @property
    def counts(self) -> bool:
        return not (self.is_optional or self.alternative_to)


@dataclass(frozen=True, slots=True)
class HallSection:
    part: str
    label: str
    items: tuple[HallItem, ...]

    @property
    def total(self) -> Decimal:
        return sum((item.total for item in self.items if item.counts), Decimal(0))


@dataclass(frozen=True, slots=True)
class HallBill:
    name: str
    label: str
    client: str
    bidder: str
    sections: tuple[HallSection, ...]

    @property
    def total(self) -> Decimal:
        return sum((section.total for section in self.sections), Decimal(0))


def tender_xml(bill: HallBill) -> bytes:
    """The X83: numbers, texts, units and quantities, without prices."""
    return _document(bill, "83", _address("OWN", bill.client))


def bid_xml(bill: HallBill) -> bytes:
    """The X84 on the same numbers: unit prices and totals."""
    return _document(bill, "84", _address("CTR", bill.bidder))


def _document(bill: HallBill, phase: str, address: str) -> bytes:
    is_bid = phase == "84"
    total = f"<Totals><Total>{bill.total}</Total></Totals>" if is_bid else ""
    body = "".join(_section(section, is_bid) for section in bill.sections)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<GAEB xmlns="http://www.gaeb.de/GAEB_DA_XML/DA{phase}/3.3">'
        f"<GAEBInfo><Version>3.3</Version><VersDate>2021-05</VersDate><Date>{_DATE}</Date></GAEBInfo>"
        f"<PrjInfo><NamePrj>{escape(bill.name)}</NamePrj><LblPrj>{escape(bill.label)}</LblPrj></PrjInfo>"
        f"<Award><DP>{phase}</DP><AwardInfo><Cur>EUR</Cur></AwardInfo>{address}"
        f'<BoQ ID="BOQ1"><BoQInfo><Name>{escape(bill.name)}</Name><LblBoQ>{escape(bill.label)}</LblBoQ>'
        "<BoQBkdn><Type>BoQLevel</Type><Length>2</Length><Num>Yes</Num></BoQBkdn>"
        f"<BoQBkdn><Type>Item</Type><Length>4</Length><Num>Yes</Num></BoQBkdn>{total}</BoQInfo>"
        f"<BoQBody>{body}</BoQBody></BoQ></Award></GAEB>\n"
    ).encode()


def _address(role: str, name: str) -> str:
    return f"<{role}><Address><Name1>{escape(name)}</Name1></Address></{role}>"


def _section(section: HallSection, is_bid: bool) -> str:
    label = "" if is_bid else f"<LblTx><p><span>{escape(section.label)}</span></p></LblTx>"
    items = "".join(_item(section, item, is_bid) for item in section.items)
    total = f"<Totals><Total>{section.total}</Total></Totals>" if is_bid else ""
    return (
        f'<BoQCtgy ID="C{section.part}" RNoPart="{section.part}">{label}'
        f"<BoQBody><Itemlist>{items}</Itemlist></BoQBody>{total}</BoQCtgy>"
    )


def _item(section: HallSection, item: HallItem, is_bid: bool) -> str:
    content = _prices(item) if is_bid else "".join(_wanted(item))
    return f'<Item ID="I{section.part}{item.part}" RNoPart="{item.part}">{content}</Item>'


def _prices(item: HallItem) -> str:
    total = item.total if item.counts else Decimal("0.00")  # the X84 does not say again what counts
    return f"<UP>{item.unit_price}</UP><IT>{total}</IT>"


def _wanted(item: HallItem) -> Iterator[str]:
    if item.alternative_to:
        yield f"<ALNGroupNo>{item.alternative_to}</ALNGroupNo><ALNSerNo>1</ALNSerNo>"
    if item.is_optional:
        yield "<Provis>WithoutTotal</Provis>"
    if item.is_lump_sum:
        yield "<LumpSumItem>Yes</LumpSumItem>"
    yield f"<Qty>{item.quantity}</Qty><QU>{item.unit}</QU>"
    text = escape(item.long_text or item.text)
    yield (
        f"<Description><CompleteText><DetailTxt><Text><p><span>{text}</span></p></Text></DetailTxt>"
        f"<OutlineText><OutlTxt><TextOutlTxt><p><span>{escape(item.text)}</span></p></TextOutlTxt></OutlTxt></OutlineText>"
        "</CompleteText></Description>"
    )
