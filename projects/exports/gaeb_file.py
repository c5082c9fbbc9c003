"""A version as GAEB DA XML 3.3: a bid (X84: prices, no texts, no quantities) or a contract (X86: all of it).

Order of elements after GAEB DA XML 3.3, Fachdokumentation (2021-05). Quantities have three fractional digits at most,
unit prices three, totals two, units four characters; what had to be rounded or cut is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, TextIO
from xml.sax.saxutils import escape, quoteattr

from projects.exports import gaeb_numbers
from projects.exports.gaeb_numbers import Shape, Skeleton
from projects.exports.proof import Content, Proof, clean, digest, figure
from projects.exports.section_tree import Node, SectionTree
from projects.exports.source import ExportBill, ExportError
from projects.parsers.bill import Billing, BillPosition
from projects.parsers.registry import open_bill

_NAMESPACE = "http://www.gaeb.de/GAEB_DA_XML/DA{}/3.3"
_UNIT_LENGTH = 4
_MILLI, _CENT = Decimal("0.001"), Decimal("0.01")
_ITEM = "\x00ITEM\x00"  # where an item's own number goes, once its category's items are counted


@dataclass(slots=True)
class _Notes:
    rounded: int = 0
    units: dict[str, str] = field(default_factory=dict)
    alternatives: int = 0
    unpriced: int = 0
    nameless: int = 0


def write_gaeb(path: Path, bill: ExportBill, *, phase: str, tender: Path | None = None) -> dict[str, Any]:
    """`phase` "84" or "86". `tender`: the X83 that a bid answers; its ids are taken over, and what is read back is the
    bid joined with it. What was written, verified by reading it. Raises ExportError."""
    shape = gaeb_numbers.shape_of(bill)
    skeleton = gaeb_numbers.skeleton_of(tender) if tender is not None and shape.is_native else Skeleton()
    with SectionTree() as tree:
        writer = _Writer(bill, phase, shape, skeleton, tree)
        for position in bill.told("Writing"):
            writer.take(position)
        if not tree.root.children and not tree.root.count:
            raise ExportError("This version has no positions.", code="no_positions")
        writer.refuse_gaps()
        with path.open("w", encoding="utf-8", newline="\n") as out:
            writer.write(out)
    bill.report(bill.count, bill.count, "Reading the file again")
    joined = tender if tender is not None and shape.is_native else None
    read = writer.prove(path, joined)
    notes = writer.notes
    return {
        "positions": read, "read_back": read, "total": str(tree.root.total), "rounded": notes.rounded,
        "units": notes.units, "alternatives": notes.alternatives, "unpriced": notes.unpriced,
        "numbered_anew": not shape.is_native, "joined": joined is not None,
    }  # fmt: skip


class _Writer:
    def __init__(self, bill: ExportBill, phase: str, shape: Shape, skeleton: Skeleton, tree: SectionTree) -> None:
        self.bill, self.phase, self.shape, self.skeleton, self.tree = bill, phase, shape, skeleton, tree
        self.proof, self.notes = Proof(), _Notes()
        # By category: what is to be read, what it adds, its own number (of a native one).
        self._contents: dict[tuple[str, ...], list[tuple[bytes, Decimal | None, tuple[str, ...]]]] = {}
        self._names: dict[str, str] = {}
        self._missing = set(skeleton.items)
        self._is_bid = phase == "84"

    def take(self, position: BillPosition) -> None:
        path = gaeb_numbers.path_of(position, self.shape)
        if self.shape.has_objects:
            self._names.setdefault(position.object_code, position.object_name)
        total = self._total(position)
        counted = total if position.billing.counts else None
        self.tree.put(path, self._item(position, path, total), counted or Decimal(0))
        own = gaeb_numbers.own_part(position) if self.shape.is_native else None
        numbers = tuple(part for part in own or () if part)
        self._contents.setdefault(path, []).append((digest(self._expected(position, total)), counted, numbers))
        self.notes.unpriced += total is None
        self.notes.alternatives += position.billing == Billing.ALTERNATIVE

    def _total(self, position: BillPosition) -> Decimal | None:
        total = self.bill.total_of(position)
        return None if total is None else total.quantize(_CENT, ROUND_HALF_UP)

    def _price(self, position: BillPosition) -> str:
        return self._milli(position.unit_price)

    def _milli(self, value: Decimal | None) -> str:
        if value is None:
            return ""
        written = value.quantize(_MILLI, ROUND_HALF_UP)
        self.notes.rounded += written != value
        return f"{written:f}"

    def _unit(self, position: BillPosition) -> str:
        unit = clean(position.unit)
        if len(unit) > _UNIT_LENGTH:
            self.notes.units[unit] = unit[:_UNIT_LENGTH].strip()
        return unit[:_UNIT_LENGTH].strip()

    def _item(self, position: BillPosition, path: tuple[str, ...], total: Decimal | None) -> str:
        """Its opening tag gets its number when the category's items are counted; a native one has it."""
        own = gaeb_numbers.own_part(position) if self.shape.is_native else None
        is_surcharge = position.billing == Billing.SURCHARGE
        tag = "MarkupItem" if is_surcharge else "Item"
        key = (*(label.split(" ", 1)[0] if i or not self.shape.has_objects else label for i, label in enumerate(path)),
               *(own or ()))  # fmt: skip
        self._missing.discard(key if len(key) > len(path) + 1 else (*key, ""))
        identity = self.skeleton.items.get(key, "") or f"I{position.ordinal}"
        number = _ITEM
        if own is not None:
            number = f" RNoPart={quoteattr(own[0])}" + (f" RNoIndex={quoteattr(own[1])}" if own[1] else "")
        inner = "" if self._is_bid else _billing(position)
        due = self._is_bid and key in self.skeleton.quantities_due
        if (due or not self._is_bid) and not is_surcharge:
            if position.quantity is not None:
                inner += f"<Qty>{self._milli(position.quantity)}</Qty>"
            if not self._is_bid:
                inner += f"<QU>{escape(self._unit(position))}</QU>"
        if is_surcharge:
            inner += self._markup(position, total)
        elif price := self._price(position):
            inner += f"<UP>{price}</UP>"
        if total is not None:
            inner += f"<IT>{total:f}</IT>"
        if not self._is_bid:
            inner += _vat(position) + _texts(position)
        return f"<{tag} ID={quoteattr(identity)}{number}>{inner}</{tag}>\n"

    def _markup(self, position: BillPosition, total: Decimal | None) -> str:
        rate = position.unit_price
        if not rate or total is None:
            return f"<Markup>{rate:f}</Markup>" if rate else ""
        base = (total * 100 / rate).quantize(_CENT, ROUND_HALF_UP)
        return f"<ITMarkup>{base:f}</ITMarkup><Markup>{rate.normalize():f}</Markup>"

    def _expected(self, position: BillPosition, total: Decimal | None) -> Content:
        price = position.unit_price
        if position.billing != Billing.SURCHARGE and price is not None:
            price = price.quantize(_MILLI, ROUND_HALF_UP)
        money = (figure(price), figure(total))
        if self._is_bid:
            return money
        quantity = position.quantity.quantize(_MILLI, ROUND_HALF_UP) if position.quantity is not None else None
        unit = "%" if position.billing == Billing.SURCHARGE else clean(position.unit)[:_UNIT_LENGTH].strip()
        is_surcharge = position.billing == Billing.SURCHARGE
        return (*money, "" if is_surcharge else figure(quantity), unit, _words(position.description),
                position.billing.counts)  # fmt: skip

    def refuse_gaps(self) -> None:
        """A bid answers every position of its tender."""
        if self._missing:
            numbers = sorted(".".join(part for part in key if part) for key in self._missing)
            raise ExportError(
                f"The tender has {len(numbers):,} positions that this version lacks: {', '.join(numbers[:5])}"
                f"{', …' if len(numbers) > 5 else ''}. Restore them, or export a contract (X86).",
                code="incomplete_bid",
            )

    def write(self, out: TextIO) -> None:
        _, digits = gaeb_numbers.number_parts(self.tree.root, self.shape)
        self._write_head(out, digits)
        out.write("<BoQBody>\n")
        self._write_body(out, self.tree.root, (), (), digits)
        out.write("</BoQBody></BoQ></Award></GAEB>\n")

    def _write_head(self, out: TextIO, digits: int) -> None:
        bill = self.bill
        title = clean(bill.title) or "LV"
        out.write(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<GAEB xmlns="{_NAMESPACE.format(self.phase)}"><GAEBInfo>'
            f"<Version>3.3</Version><VersDate>2021-05</VersDate><Date>{bill.made_on.isoformat()}</Date>"
            f"<ProgSystem>Plumbline</ProgSystem></GAEBInfo><PrjInfo><NamePrj>{escape(title[:60])}</NamePrj>"
            f"<LblPrj>{escape(title)}</LblPrj></PrjInfo><Award><DP>{self.phase}</DP><AwardInfo>"
            f"<Cur>{escape(bill.currency or 'EUR')}</Cur></AwardInfo>"
        )
        name = self.skeleton.name or title[:60]
        identity = self.skeleton.boq or "B1"
        out.write(f"<BoQ ID={quoteattr(identity)}><BoQInfo><Name>{escape(name)}</Name>")
        for kind, length, is_number in self.skeleton.breakdown or self._breakdown(digits):
            out.write(f"<BoQBkdn><Type>{escape(kind)}</Type>")
            out.write(f"<Length>{length}</Length>" if length else "")
            out.write(f"<Num>{is_number}</Num>" if is_number else "")
            out.write("</BoQBkdn>")
        out.write(f"<Totals><Total>{self._sum(self.tree.root)}</Total></Totals></BoQInfo>")

    def _breakdown(self, digits: int) -> list[tuple[str, str, str]]:
        levels: list[tuple[str, str, str]] = []
        node, at = self.tree.root, 0
        while node.children:
            parts = [child.part for child in node.children.values()]
            is_lot = at == 0 and self.shape.is_native and self.shape.has_objects
            is_number = "Yes" if all(part.isdigit() for part in parts) else "No"
            levels.append(("Lot" if is_lot else "BoQLevel", str(max(map(len, parts))), is_number))
            node, at = max(node.children.values(), key=lambda child: len(child.children)), at + 1
        own = [("Item", str(digits or 4), "Yes" if digits else "No")]
        return [*levels, *own, *([("Index", "1", "No")] if self.shape.is_native else [])]

    def _sum(self, node: Node) -> str:
        return f"{node.total.quantize(_CENT, ROUND_HALF_UP):f}"

    def _write_body(
        self, out: TextIO, node: Node, labels: tuple[str, ...], parts: tuple[str, ...], digits: int
    ) -> None:
        if node.count:
            out.write("<Itemlist>\n")
            for index, text in enumerate(self.tree.texts(node)):
                own = f"{(index + 1) * 10:0{digits}d}" if digits else ""
                out.write(text.replace(_ITEM, f' RNoPart="{own}"', 1) if digits else text)
                self._expect(labels, parts, index, own)
            out.write("</Itemlist>")
        for label, child in node.children.items():
            below = (*parts, child.part)
            identity = self.skeleton.categories.get(below, "") or f"C{'.'.join(below)}"
            out.write(f"<BoQCtgy ID={quoteattr(identity)} RNoPart={quoteattr(child.part)}>")
            if not self._is_bid:
                out.write(f"<LblTx><p><span>{escape(self._label(label, labels))}</span></p></LblTx>")
            out.write("<BoQBody>\n")
            self._write_body(out, child, (*labels, label), below, digits)
            out.write(f"</BoQBody><Totals><Total>{self._sum(child)}</Total></Totals></BoQCtgy>\n")

    def _label(self, label: str, above: tuple[str, ...]) -> str:
        """Of a native category its words without its number; of an object its name too."""
        if self.shape.has_objects and not above:
            name = clean(self._names.get(label, ""))
            return name if self.shape.is_native else " ".join(dict.fromkeys(part for part in (label, name) if part))
        return clean(label.partition(" ")[2]) if self.shape.is_native else clean(label)

    def _expect(self, labels: tuple[str, ...], parts: tuple[str, ...], index: int, own: str) -> None:
        content_digest, total, numbers = self._contents[labels][index]
        has_lots = self.shape.is_native and self.shape.has_objects
        lot, sections = (parts[0], parts[1:]) if has_lots else ("", parts)
        self.proof.expect_digest((lot, ".".join((*sections, *(numbers or (own,))))), content_digest, total)

    def prove(self, path: Path, tender: Path | None) -> int:
        again = open_bill(path, dialect="gaeb_xml", tender=tender)
        read = self._read_bid if self._is_bid else _read
        return self.proof.check(again, read)

    def _read_bid(self, position: BillPosition) -> Content:
        return figure(position.unit_price), figure(position.total)


def _read(position: BillPosition) -> Content:
    return (figure(position.unit_price), figure(position.total), figure(position.quantity), position.unit or "",
            _words(position.description), position.billing.counts)  # fmt: skip


def _words(text: str) -> str:
    """An outline text is one line of words."""
    return " ".join(clean(text).split())


def _billing(position: BillPosition) -> str:
    """How it counts. What group an alternative is of, and which change order, the budget does not know: each is one of
    its own."""
    if position.billing == Billing.ALTERNATIVE:
        return f"<ALNGroupNo>{position.ordinal % 10000}</ALNGroupNo><ALNSerNo>1</ALNSerNo>"
    if position.billing == Billing.OPTIONAL:
        return "<Provis>WithoutTotal</Provis>"
    if position.billing == Billing.OPTIONAL_COUNTED:
        return "<Provis>WithTotal</Provis>"
    if position.billing == Billing.LUMP_SUM:
        return "<LumpSumItem>Yes</LumpSumItem>"
    return "<CONo>1</CONo>" if position.billing == Billing.CHANGE else ""


def _vat(position: BillPosition) -> str:
    return "" if position.vat_rate is None else f"<VAT>{figure(position.vat_rate)}</VAT>"


def _texts(position: BillPosition) -> str:
    short = escape(_words(position.description))
    detail = ""
    if position.long_text:
        lines = "".join(f"<p><span>{escape(line)}</span></p>" for line in clean(position.long_text).split("\n"))
        detail = f"<DetailTxt><Text>{lines}</Text></DetailTxt>"
    return (
        f"<Description><CompleteText>{detail}<OutlineText><OutlTxt><TextOutlTxt><p><span>{short}</span></p>"
        "</TextOutlTxt></OutlTxt></OutlineText></CompleteText></Description>"
    )
