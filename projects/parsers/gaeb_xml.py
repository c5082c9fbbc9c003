"""GAEB DA XML 3.0 to 3.3: tender (X83), bid (X84), contract (X86), read as a stream.

A position is known by its path of RNoPart and its own RNoPart **and** RNoIndex ("001.001.0010.A"): the part alone is
not unique. An X84 usually carries prices without quantities: `gaeb_join.join_bid` puts it onto its X83.
Source of the rules: GAEB DA XML 3.3, Fachdokumentation (2021-05).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from lxml import etree

from projects.parsers.bill import Bill, BillHeader, Billing, BillPosition, ParseError, Rounding, Score, StatedTotal
from projects.parsers.catalogues import currency_of
from projects.parsers.decimals import decimal_from_xml
from projects.parsers.filehead import FileHead
from projects.parsers.gaeb_text import plain_text, short_and_long
from projects.parsers.numbering import Numbering
from projects.parsers.safexml import child, child_text, child_texts, forget, iterate, local_name, place

NAME = "gaeb_xml"
LABEL = "GAEB DA XML"

SUPPORTED = ("X81", "X82", "X83", "X84", "X86")
_NAMESPACE = "http://www.gaeb.de/GAEB_DA_XML"
_HEADER_TAGS = frozenset(("GAEBInfo", "PrjInfo", "AwardInfo", "OWN", "DP", "BoQInfo"))
_BODY_TAGS = frozenset(("Item", "MarkupItem", "LblTx", "BoQCtgy", "Totals", "CONo", "Remark", "PerfDescr", "AddText"))
_OPENING_TAGS = frozenset(("BoQCtgy",))
# The standard fixes two digits for totals and up to three for quantities and unit prices.
_ROUNDING = Rounding(quantity=Decimal("0.001"), unit_price=Decimal("0.001"), total=Decimal("0.01"), is_stated=True)
_MAX_COMPONENTS = 6


def detect(head: FileHead) -> Score:
    if head.xml.root != "GAEB":
        return Score(0)
    if head.xml.namespace.startswith(_NAMESPACE):
        return Score(100, (f"The root element is <GAEB> of {head.xml.namespace}.",))
    return Score(70, ("The root element is <GAEB>, without the standard's namespace.",))


def read(head: FileHead) -> Bill:
    """Raises ParseError("unsupported_dialect") for other phases, ("xml_forbidden" | "damaged") also later."""
    bill = Bill(header=BillHeader(dialect=NAME, dialect_label=LABEL, rounding=_ROUNDING), positions=iter(()))
    outline = _read_header(head, bill)
    _refuse_phase(bill.header.phase)
    bill.positions = _BodyReader(bill, outline).positions(head)
    return bill


def _refuse_phase(phase: str) -> None:
    if phase in SUPPORTED:
        return
    known = {
        "X85": "an alternative bid",
        "X87": "a request for delivery",
        "X89": "an invoice",
        "X31": "a quantity survey",
    }
    name = f"{phase or 'without a phase'}{f' ({known[phase]})' if phase in known else ''}"
    raise ParseError(
        f"This is a GAEB DA XML file {name}, which is not supported yet. Upload the tender (X83), the bid (X84) or the "
        "contract (X86).",
        code="unsupported_dialect",
    )


@dataclass(frozen=True, slots=True)
class _Outline:
    """How the bill is divided and what the shares of its unit prices are called."""

    has_lots: bool = False
    components: tuple[str, ...] = ()


def _read_header(head: FileHead, bill: Bill) -> _Outline:
    """Everything before the bill's body, into `bill.header` and `bill.totals`."""
    namespace = head.xml.namespace
    outline = _Outline()
    phase = f"X{namespace[len(_NAMESPACE) :].partition('DA')[2][:2]}" if "/DA" in namespace else ""
    header = replace(bill.header, phase=phase)
    for event, element in iterate(head.path, _HEADER_TAGS, frozenset(("BoQBody",))):
        if event == "start":
            break
        tag = local_name(element)
        if tag == "DP":
            header = replace(header, phase=f"X{(element.text or '').strip()}")
        elif tag == "GAEBInfo":
            header = replace(header, dialect_label=f"{LABEL} {child_text(element, 'Version')}".strip(),
                             budget_on=_date(child_text(element, "Date")))  # fmt: skip
        elif tag == "PrjInfo":
            name = child_text(element, "NamePrj")
            header = replace(header, title=child_text(element, "LblPrj") or name, reference=name,
                             currency=currency_of(child_text(element, "Cur")))  # fmt: skip
            if not name:
                _lint(bill, element, "the project has no name (NamePrj)")
        elif tag == "AwardInfo":
            header = replace(header, currency=currency_of(child_text(element, "Cur")) or header.currency)
        elif tag == "OWN":
            address = child(element, "Address")
            header = replace(header, client=child_text(address, "Name1") if address is not None else "")
        elif tag == "BoQInfo":
            outline = _read_outline(bill, element)
            label = child_text(element, "LblBoQ") or child_text(element, "Name")
            header = replace(header, title=header.title or label)
    bill.header = replace(header, dialect_label=f"{header.dialect_label} {header.phase}".strip())
    return outline


def _read_outline(bill: Bill, element: etree._Element) -> _Outline:
    levels = [child_text(node, "Type") for node in element if local_name(node) == "BoQBkdn"]
    if not levels:
        _lint(bill, element, "the bill does not say how its numbers are divided (BoQBkdn)")
    if not child_text(element, "Name"):
        _lint(bill, element, "the bill has no name (BoQInfo/Name)")
    totals = child(element, "Totals")
    if totals is not None:
        _state_total(bill, totals, "bill", "", ())
    names = tuple(child_text(element, f"LblUPComp{i}") or f"share {i}" for i in range(1, _MAX_COMPONENTS + 1))
    return _Outline(has_lots="Lot" in levels, components=names)


def _state_total(bill: Bill, totals: etree._Element, level: str, code: str, path: tuple[str, ...]) -> None:
    """Total is before the discount of this level, TotAfterDisc what enters the sums above."""
    amount = _figure(bill, totals, "Total")
    if amount is None:
        return
    after = _figure(bill, totals, "TotAfterDisc")
    discount = amount - after if after is not None else Decimal(0)
    bill.totals.append(StatedTotal(level, amount, code, path, place(totals), discount))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _figure(bill: Bill, element: etree._Element, name: str, texts: dict[str, str] | None = None) -> Decimal | None:
    text = child_text(element, name) if texts is None else texts.get(name, "")
    try:
        return decimal_from_xml(text)
    except ValueError:
        _lint(bill, element, f"{text[:40]!r} in <{name}> is not a figure; it is left out")
        return None


def _lint(bill: Bill, element: etree._Element, what: str) -> None:
    bill.warnings.append(f"Line {element.sourceline}: {what}.")


def _says_yes(texts: dict[str, str], name: str) -> bool:
    return texts.get(name, "").lower() in ("yes", "true", "1", "ja")


@dataclass(slots=True)
class _Category:
    part: str
    label: str = ""
    is_change: bool = False

    @property
    def name(self) -> str:
        return f"{self.part} {self.label}".strip()


class _BodyReader:
    def __init__(self, bill: Bill, outline: _Outline) -> None:
        self._bill, self._outline = bill, outline
        self._categories: list[_Category] = []
        self._numbering = Numbering(bill.warnings)
        self._ordinal = 0

    def positions(self, head: FileHead) -> Iterator[BillPosition]:
        for event, element in iterate(head.path, _BODY_TAGS, _OPENING_TAGS):
            tag = local_name(element)
            if event == "start":
                self._categories.append(_Category(element.get("RNoPart", "").strip()))
            elif tag in ("Item", "MarkupItem"):
                yield self._position(element, is_surcharge=tag == "MarkupItem")
                forget(element)
            else:
                self._take(tag, element)

    def _take(self, tag: str, element: etree._Element) -> None:
        parent = element.getparent()
        in_category = parent is not None and local_name(parent) == "BoQCtgy" and bool(self._categories)
        if tag == "BoQCtgy":
            self._categories.pop()
            forget(element)
        elif tag == "LblTx" and in_category:
            self._categories[-1].label = " ".join(plain_text(element).split())
        elif tag == "CONo" and in_category:
            self._categories[-1].is_change = True
        elif tag == "Totals" and in_category:
            code, path = self._place()
            _state_total(self._bill, element, "section" if path else "object", code, path)
        elif tag in ("Remark", "PerfDescr", "AddText"):
            forget(element)  # texts between positions

    def _place(self) -> tuple[str, tuple[str, ...]]:
        """(lot, section path) of the open categories."""
        inner = self._categories[1:] if self._outline.has_lots else self._categories
        lot = self._categories[0].part if self._outline.has_lots and self._categories else ""
        return lot, tuple(category.name for category in inner)

    def _position(self, element: etree._Element, *, is_surcharge: bool) -> BillPosition:
        self._ordinal += 1
        lot, path = self._place()
        number = self._number(element)
        short, long_text = short_and_long(element)
        if not element.get("RNoPart"):
            _lint(self._bill, element, f"position {number or self._ordinal} has no number (RNoPart)")
        if not element.get("ID"):
            _lint(self._bill, element, f"position {number or self._ordinal} has no ID")
        if not short and self._bill.header.phase != "X84":
            _lint(self._bill, element, f"position {number or self._ordinal} has no text")
        texts = child_texts(element)
        quantity, reason = self._quantity(element, texts, is_surcharge)
        return BillPosition(
            ordinal=self._ordinal,
            number=self._numbering.claim(lot, number, f"Line {element.sourceline}"),
            description=short,
            billing=Billing.SURCHARGE if is_surcharge else self._billing(element, texts, number),
            object_code=lot,
            object_name=self._categories[0].label if lot else "",
            section_path=path,
            catalogue="GAEB",
            long_text=long_text if long_text != short else "",
            unit="%" if is_surcharge else texts.get("QU") or None,
            quantity=quantity,
            quantity_reason=reason,
            unit_price=_figure(self._bill, element, "Markup" if is_surcharge else "UP", texts),
            total=_figure(self._bill, element, "IT", texts),
            vat_rate=_figure(self._bill, element, "VAT", texts),
            price_components=self._components(element, texts),
            source=place(element),
        )

    def _number(self, element: etree._Element) -> str:
        skip = 1 if self._outline.has_lots else 0
        parts = [category.part for category in self._categories[skip:]]
        own = (element.get("RNoPart", "").strip(), element.get("RNoIndex", "").strip())
        return ".".join(part for part in (*parts, *own) if part) if any(own) else ""

    def _quantity(
        self, element: etree._Element, texts: dict[str, str], is_surcharge: bool
    ) -> tuple[Decimal | None, str]:
        if is_surcharge:
            base = texts.get("ITMarkup", "")
            return None, f"surcharge on {base}" if base else "surcharge on other positions"
        quantity = _figure(self._bill, element, "Qty", texts)
        if quantity is not None:
            return quantity, ""
        if _says_yes(texts, "QtyTBD"):
            return None, "to be given by the bidder"
        if _says_yes(texts, "LumpSumItem"):
            return None, "lump sum"
        if self._bill.header.phase == "X84":
            return None, "X84 carries no quantities"
        return None, "the file has no quantity"

    def _billing(self, element: etree._Element, texts: dict[str, str], number: str) -> Billing:
        if _says_yes(texts, "NotAppl"):
            _lint(self._bill, element, f"position {number} no longer applies (NotAppl); it is kept outside the totals")
            return Billing.OPTIONAL
        if texts.get("DiscountPcnt", ""):
            _lint(self._bill, element, f"position {number} has a discount of its own, its total is after it")
        if texts.get("ALNGroupNo", "") and texts.get("ALNSerNo", "").lstrip("0"):
            return Billing.ALTERNATIVE
        provis = texts.get("Provis", "")
        if provis:
            counted = provis == "WithTotal" or _says_yes(texts, "ProvisAccpt")
            return Billing.OPTIONAL_COUNTED if counted else Billing.OPTIONAL
        if texts.get("CONo", "") or any(category.is_change for category in self._categories):
            return Billing.CHANGE
        return Billing.LUMP_SUM if _says_yes(texts, "LumpSumItem") else Billing.NORMAL

    def _components(self, element: etree._Element, texts: dict[str, str]) -> tuple[tuple[str, Decimal], ...]:
        if not any(name.startswith("UPComp") for name in texts):
            return ()
        found = ((i, _figure(self._bill, element, f"UPComp{i}", texts)) for i in range(1, _MAX_COMPONENTS + 1))
        names = self._outline.components or tuple(f"share {i}" for i in range(1, _MAX_COMPONENTS + 1))
        return tuple((names[i - 1], share) for i, share in found if share is not None)
