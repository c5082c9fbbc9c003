"""What stands before the body of a GAEB DA XML bill: phase, project, currency, division, stated sums.

The figures and warnings of all GAEB readers are made here too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from lxml import etree

from projects.parsers.bill import Bill, ParseError, StatedTotal
from projects.parsers.catalogues import currency_of
from projects.parsers.decimals import decimal_from_xml
from projects.parsers.filehead import FileHead
from projects.parsers.safexml import child, child_text, iterate, local_name, place

LABEL = "GAEB DA XML"
NAMESPACE = "http://www.gaeb.de/GAEB_DA_XML"
INVOICES = ("X89", "X89B")
SUPPORTED = ("X81", "X82", "X83", "X84", "X86", *INVOICES)
MAX_COMPONENTS = 6
_HEADER_TAGS = frozenset(("GAEBInfo", "PrjInfo", "AwardInfo", "OWN", "DP", "BoQInfo"))


def refuse_phase(phase: str) -> None:
    """Raises ParseError("unsupported_dialect") unless the phase carries a bill that we read."""
    if phase in SUPPORTED:
        return
    known = {"X85": "an alternative bid", "X87": "a request for delivery", "X31": "a quantity survey"}
    name = f"{phase or 'without a phase'}{f' ({known[phase]})' if phase in known else ''}"
    raise ParseError(
        f"This is a GAEB DA XML file {name}, which is not supported yet. Upload the tender (X83), the bid (X84), the "
        "contract (X86) or the invoice (X89).",
        code="unsupported_dialect",
    )


@dataclass(frozen=True, slots=True)
class Outline:
    """How the bill is divided and what the shares of its unit prices are called."""

    has_lots: bool = False
    components: tuple[str, ...] = ()


def read_header(head: FileHead, bill: Bill) -> Outline:
    """Everything before the bill's body, into `bill.header` and `bill.totals`."""
    namespace = head.xml.namespace
    outline = Outline()
    phase = f"X{namespace[len(NAMESPACE) :].partition('DA')[2][:2]}" if "/DA" in namespace else ""
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
                lint(bill, element, "the project has no name (NamePrj)")
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


def _read_outline(bill: Bill, element: etree._Element) -> Outline:
    levels = [child_text(node, "Type") for node in element if local_name(node) == "BoQBkdn"]
    if not levels:
        lint(bill, element, "the bill does not say how its numbers are divided (BoQBkdn)")
    if not child_text(element, "Name"):
        lint(bill, element, "the bill has no name (BoQInfo/Name)")
    totals = child(element, "Totals")
    if totals is not None:
        state_total(bill, totals, "bill", "", ())
    names = tuple(child_text(element, f"LblUPComp{i}") or f"share {i}" for i in range(1, MAX_COMPONENTS + 1))
    return Outline(has_lots="Lot" in levels, components=names)


def state_total(bill: Bill, totals: etree._Element, level: str, code: str, path: tuple[str, ...]) -> None:
    """Total is before the discount of this level, TotAfterDisc what enters the sums above."""
    amount = figure(bill, totals, "Total")
    if amount is None:
        return
    after = figure(bill, totals, "TotAfterDisc")
    discount = amount - after if after is not None else Decimal(0)
    bill.totals.append(StatedTotal(level, amount, code, path, place(totals), discount))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def figure(bill: Bill, element: etree._Element, name: str, texts: dict[str, str] | None = None) -> Decimal | None:
    text = child_text(element, name) if texts is None else texts.get(name, "")
    try:
        return decimal_from_xml(text)
    except ValueError:
        lint(bill, element, f"{text[:40]!r} in <{name}> is not a figure; it is left out")
        return None


def lint(bill: Bill, element: etree._Element, what: str) -> None:
    bill.warnings.append(f"Line {element.sourceline}: {what}.")
