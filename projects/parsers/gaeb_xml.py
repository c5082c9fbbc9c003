"""GAEB DA XML 3.0 to 3.3: text (X81), estimate (X82), tender (X83), bid (X84), contract (X86), invoice (X89), read as a
stream.

A position is known by its path of RNoPart and its own RNoPart **and** RNoIndex ("001.001.0010.A"): the part alone is
not unique. An X84 usually carries prices without quantities: `gaeb_join.join_bid` puts it onto its X83. An invoice has
what was billed (BillQty) in place of what was tendered.
Source of the rules: GAEB DA XML 3.3, Fachdokumentation (2021-05).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

from projects.parsers.bill import Bill, BillHeader, Billing, BillPosition, Rounding, Score
from projects.parsers.filehead import FileHead
from projects.parsers.gaeb_head import (
    INVOICES,
    LABEL,
    MAX_COMPONENTS,
    NAMESPACE,
    Outline,
    figure,
    lint,
    read_header,
    refuse_phase,
    state_total,
)
from projects.parsers.gaeb_text import plain_text, short_and_long
from projects.parsers.numbering import Numbering
from projects.parsers.safexml import child_text, child_texts, forget, iterate, local_name, place

__all__ = ["LABEL", "NAME", "detect", "read"]

NAME = "gaeb_xml"

_BODY_TAGS = frozenset(
    ("Item", "MarkupItem", "LblTx", "BoQCtgy", "Totals", "CONo", "Remark", "PerfDescr", "AddText", "InvoiceHeader")
)
_OPENING_TAGS = frozenset(("BoQCtgy",))
# The standard fixes two digits for totals and up to three for quantities and unit prices.
_ROUNDING = Rounding(quantity=Decimal("0.001"), unit_price=Decimal("0.001"), total=Decimal("0.01"), is_stated=True)


def detect(head: FileHead) -> Score:
    if head.xml.root != "GAEB":
        return Score(0)
    if head.xml.namespace.startswith(NAMESPACE):
        return Score(100, (f"The root element is <GAEB> of {head.xml.namespace}.",))
    return Score(70, ("The root element is <GAEB>, without the standard's namespace.",))


def read(head: FileHead) -> Bill:
    """Raises ParseError("unsupported_dialect") for other phases, ("xml_forbidden" | "damaged") also later."""
    bill = Bill(header=BillHeader(dialect=NAME, dialect_label=LABEL, rounding=_ROUNDING), positions=iter(()))
    outline = read_header(head, bill)
    refuse_phase(bill.header.phase)
    bill.positions = _BodyReader(bill, outline).positions(head)
    return bill


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
    def __init__(self, bill: Bill, outline: Outline) -> None:
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
            state_total(self._bill, element, "section" if path else "object", code, path)
        elif tag == "InvoiceHeader":
            self._note_invoice(element)
        elif tag in ("Remark", "PerfDescr", "AddText"):
            forget(element)  # texts between positions

    def _note_invoice(self, element: etree._Element) -> None:
        number, day, kind = (child_text(element, name) for name in ("InvoiceNo", "InvoiceDate", "SettlementType"))
        lint(
            self._bill,
            element,
            f"this is the invoice {number or 'without a number'}{f' of {day}' if day else ''}: its quantities are what "
            f"was billed{f' ({kind})' if kind else ''}, not what was tendered",
        )

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
            lint(self._bill, element, f"position {number or self._ordinal} has no number (RNoPart)")
        if not element.get("ID"):
            lint(self._bill, element, f"position {number or self._ordinal} has no ID")
        if not short and self._bill.header.phase != "X84":
            lint(self._bill, element, f"position {number or self._ordinal} has no text")
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
            unit_price=figure(self._bill, element, "Markup" if is_surcharge else "UP", texts),
            total=figure(self._bill, element, "IT", texts),
            vat_rate=figure(self._bill, element, "VAT", texts),
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
        is_invoice = self._bill.header.phase in INVOICES
        quantity = figure(self._bill, element, "BillQty" if is_invoice else "Qty", texts)
        if quantity is not None:
            return quantity, ""
        if is_invoice:
            return None, "nothing billed"
        if _says_yes(texts, "QtyTBD"):
            return None, "to be given by the bidder"
        if _says_yes(texts, "LumpSumItem"):
            return None, "lump sum"
        if self._bill.header.phase == "X84":
            return None, "X84 carries no quantities"
        return None, "the file has no quantity"

    def _billing(self, element: etree._Element, texts: dict[str, str], number: str) -> Billing:
        if _says_yes(texts, "NotAppl"):
            lint(self._bill, element, f"position {number} no longer applies (NotAppl); it is kept outside the totals")
            return Billing.OPTIONAL
        if texts.get("DiscountPcnt", ""):
            lint(self._bill, element, f"position {number} has a discount of its own, its total is after it")
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
        found = ((i, figure(self._bill, element, f"UPComp{i}", texts)) for i in range(1, MAX_COMPONENTS + 1))
        names = self._outline.components or tuple(f"share {i}" for i in range(1, MAX_COMPONENTS + 1))
        return tuple((names[i - 1], share) for i, share in found if share is not None)
