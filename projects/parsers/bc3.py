"""FIEBDC-3 (BC3), the Spanish exchange format for budgets: a tree of concepts, from its root (##) through chapters (#).

A concept below a chapter that is none itself is a position; what stands below it makes its price and is not read. The
tree can be walked only once the whole file is known, so concepts stand in memory while positions are handed out.

The amount of a chapter is the price of its concept, a copy that programs leave behind: one that differs is a
`Difference`, for people and for rule V08, and never refuses the file; the root's is taken the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from projects.parsers.bc3_measure import measure_lines
from projects.parsers.bc3_records import (
    Catalogue,
    Child,
    Concept,
    Measured,
    Record,
    character_set,
    day_of,
    figure,
    records,
    take,
)
from projects.parsers.bill import (
    Bill,
    BillHeader,
    BillPosition,
    MeasureLine,
    ParseError,
    PositionKind,
    Rounding,
    Score,
    StatedTotal,
)
from projects.parsers.catalogues import currency_of
from projects.parsers.filehead import FileHead
from projects.parsers.numbering import Numbering

NAME = "bc3"
LABEL = "FIEBDC-3 (BC3)"

_DATABASE = "1"  # kind of information: a database of prices, not a budget
_MAX_DEPTH = 60
_MAX_CHAPTERS = 100_000  # visited: a chapter may be named by many others
_MATERIAL = "3"


def detect(head: FileHead) -> Score:
    if head.kind != "text":
        return Score(0)
    text = head.text.lstrip()
    if text.startswith("~V|") or "\n~V|" in text[:4096]:
        return Score(100, ("It begins with the record ~V of FIEBDC-3.",))
    if text.startswith(("~C|", "~K|")):
        return Score(80, ("It has records of FIEBDC-3 (~C, ~K), without the one that names the format (~V).",))
    return Score(0)


def read(head: FileHead) -> Bill:
    """Raises ParseError("too_large" | "no_positions"); the positions are read while they are asked for."""
    bill = Bill(header=BillHeader(dialect=NAME, dialect_label=LABEL), positions=iter(()))
    codec, said = character_set(head.first)
    if codec == "cp1252" and said != "ANSI":
        bill.warnings.append(
            f"The file's character set is {said[:20]!r}, which the format does not know; read as ANSI."
        )
    catalogue = Catalogue()
    for record in records(head.path, codec):
        if record.kind == "V":
            _take_version(bill, record)
        elif record.kind == "K":
            _take_decimals(bill, record)
        else:
            take(catalogue, record)
    roots = _roots(catalogue)
    if not roots:
        raise ParseError(
            "The BC3 file has no chapters that hold positions: records ~C and ~D are missing or stand alone. Export "
            "the whole budget, with its structure and measurements.",
            code="no_positions",
        )
    _describe(bill, roots[0])
    _warn(bill, catalogue)
    bill.positions = _Tree(bill, catalogue).positions(roots)
    return bill


def _take_version(bill: Bill, record: Record) -> None:
    written = record.parts(1)
    label = f"{LABEL}, {written[0]}" if written else LABEL
    bill.header = replace(bill.header, dialect_label=label, budget_on=day_of(written[1]) if len(written) > 1 else None)
    if record.field(6) == _DATABASE:
        bill.warnings.append("The file says of itself that it is a database of prices, not a budget.")


def _take_decimals(bill: Bill, record: Record) -> None:
    """~K: decimals DN\\DD\\DS\\DR\\DI\\DP\\DC\\DM\\currency, then percentages CI\\GG\\BI\\BAJA\\IVA."""
    marks = [part.strip() for part in record.field(0).split("\\")] + [""] * 9
    currencies = [currency_of(part) for part in (*marks, *record.parts(2)) if part and not part.isdecimal()]
    shares = [figure(part) for part in (record.field(1).split("\\") if record.field(1) else [])] + [None] * 5
    rounding = Rounding(
        quantity=_step(marks[2], 2), unit_price=_step(marks[6], 2), total=_step(marks[7], 2), is_stated=True
    )
    bill.header = replace(
        bill.header,
        currency=next((code for code in currencies if code), ""),
        rounding=rounding,
    )
    names = ("indirect costs", "overheads", "profit", "reduction", "VAT")
    added = [f"{share.normalize():f} % {name}" for name, share in zip(names, shares, strict=False) if share]
    if added:
        bill.warnings.append(
            f"The file puts {', '.join(added)} on top of its total; prices and sums here are without them."
        )


def _step(decimals: str, default: int) -> Decimal:
    digits = int(decimals) if decimals.isdecimal() and int(decimals) <= 8 else default
    return Decimal(1).scaleb(-digits)


def _roots(catalogue: Catalogue) -> list[Concept]:
    """The concept marked ##; where there is none, the chapters (or whatever has children) that stand in no other."""
    concepts = {id(concept): concept for concept in catalogue.concepts.values() if concept.children}.values()
    if marked := [concept for concept in concepts if concept.is_root]:
        return marked
    inner = {child.code for concept in concepts for child in concept.children}
    outer = [concept for concept in concepts if concept.code not in inner]
    return [concept for concept in outer if concept.is_chapter] or outer


def _describe(bill: Bill, root: Concept) -> None:
    dated = max((found for text in root.dates if (found := day_of(text))), default=None)
    bill.header = replace(bill.header, title=root.name, reference=root.code, budget_on=bill.header.budget_on or dated)


def _warn(bill: Bill, catalogue: Catalogue) -> None:
    for kind, count in sorted(catalogue.unread.items()):
        bill.warnings.append(f"{count} records ~{kind} are not read.")
    if catalogue.replaced:
        bill.warnings.append(
            f"{catalogue.replaced} characters are not of the file's character set; they are shown as \ufffd."
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the tree: chapters from outside in, their numbers, and how many times the outermost are taken."""

    path: tuple[str, ...] = ()
    number: str = ""
    times: Decimal = Decimal(1)
    codes: frozenset[str] = frozenset()


class _Tree:
    def __init__(self, bill: Bill, catalogue: Catalogue) -> None:
        self._bill, self._catalogue = bill, catalogue
        self._numbering = Numbering(bill.warnings)
        self._ordinal = self._chapters = 0

    def positions(self, roots: list[Concept]) -> Iterator[BillPosition]:
        for index, root in enumerate(roots, start=1):
            if root.is_root:
                self._state("object", root, ())
                yield from self._below(root, _Place(codes=frozenset((root.code,))))
            else:
                yield from self._chapter(root, _Place(number=str(index)), root.line)

    def _below(self, parent: Concept, place: _Place) -> Iterator[BillPosition]:
        seen: dict[str, int] = {}
        for index, child in enumerate(parent.children, start=1):
            number = f"{place.number}.{index}" if place.number else str(index)
            concept = self._catalogue.concepts.get(child.code) or Concept(child.code, line=parent.line)
            occurrence = seen[child.code] = seen.get(child.code, 0) + 1
            if concept.is_chapter or (parent.is_root and concept.children and not self._is_measured(parent, concept)):
                times = self._times(child, concept)
                inner = replace(place, number=number, times=place.times * times)
                yield from self._chapter(concept, inner, parent.line)
            else:
                yield self._position(parent, child, concept, occurrence, replace(place, number=number))

    def _is_measured(self, parent: Concept, concept: Concept) -> bool:
        return (parent.code, concept.code) in self._catalogue.measured or bool(concept.unit)

    def _chapter(self, concept: Concept, place: _Place, line: int) -> Iterator[BillPosition]:
        if concept.code in place.codes:
            self._bill.warnings.append(f"Line {line}: chapter {concept.code} contains itself; it is left out there.")
            return
        self._chapters += 1
        if len(place.path) >= _MAX_DEPTH or self._chapters > _MAX_CHAPTERS:
            raise ParseError(
                f"The BC3 file's chapters are nested deeper than {_MAX_DEPTH} or are more than {_MAX_CHAPTERS:,}; no "
                "budget is like that. Export it again.",
                code="too_large",
            )
        path = (*place.path, f"{concept.code} {concept.name}".strip())
        inner = replace(place, path=path, codes=place.codes | {concept.code})
        self._state("section", concept, path, times=place.times)
        yield from self._below(concept, inner)

    def _state(self, level: str, concept: Concept, path: tuple[str, ...], times: Decimal = Decimal(1)) -> None:
        """A chapter's price is its amount; 0 and none are what programs write that calculate it themselves."""
        amount = self._price(concept)
        if amount:
            self._bill.totals.append(
                StatedTotal(level, amount * times, section_path=path, source=f"line {concept.line}")
            )

    def _times(self, child: Child, concept: Concept) -> Decimal:
        times = _amount(child)
        if times is None or times in (0, 1):
            return Decimal(1)
        self._bill.warnings.append(
            f"Line {concept.line}: chapter {concept.code} is taken {times.normalize():f} times; the quantities of its "
            "positions are multiplied by that."
        )
        return times

    def _position(
        self, parent: Concept, child: Child, concept: Concept, occurrence: int, place: _Place
    ) -> BillPosition:
        self._ordinal += 1
        line = concept.line or parent.line
        where = f"line {line}"
        if not concept.name:
            self._warn(where, f"the concept {concept.code} has no text (~C)")
        measured = self._measured(parent, concept, occurrence)
        quantity, reason = self._quantity(child, concept, measured)
        is_share = reason == "percentage"
        if quantity is not None:
            quantity *= place.times
        return BillPosition(
            ordinal=self._ordinal,
            number=self._numbering.claim("", place.number, where.capitalize()),
            description=concept.name or concept.code,
            kind=PositionKind.MATERIAL if concept.kind == _MATERIAL else PositionKind.WORK,
            section_path=place.path,
            code=concept.code,
            long_text=concept.text if concept.text != concept.name else "",
            unit="%" if is_share else concept.unit or None,
            quantity=quantity,
            quantity_reason=reason,
            unit_price=self._price(concept, warn=True),
            measure=self._sheet(measured, place),
            source=where if measured is None else f"{where}, measured in line {measured.line}",
        )

    def _measured(self, parent: Concept, concept: Concept, occurrence: int) -> Measured | None:
        places = self._catalogue.measured.get((parent.code, concept.code)) or self._catalogue.measured.get(
            ("", concept.code), {}
        )
        return next((found for index, found in enumerate(places.values(), start=1) if index == occurrence), None)

    def _quantity(self, child: Child, concept: Concept, measured: Measured | None) -> tuple[Decimal | None, str]:
        if "%" in concept.code or concept.unit == "%":
            return None, "percentage"
        given = _amount(child)
        if measured is None or measured.total is None:
            return (given, "") if given is not None else (None, "the file has no quantity")
        if given is not None and given not in (0, 1) and given != measured.total:
            self._warn(
                f"line {measured.line}",
                f"{concept.code} is measured as {measured.total.normalize():f}, its chapter says "
                f"{given.normalize():f}; the measurement is taken",
            )
        return measured.total, ""

    def _sheet(self, measured: Measured | None, place: _Place) -> tuple[MeasureLine, ...]:
        if measured is None:
            return ()
        if place.times == 1:
            return measure_lines(measured)
        factor = MeasureLine(f"{place.times.normalize():f}*{measured.total or 0:f} 'times its chapter is taken",
                             "expression", is_quantity=True)  # fmt: skip
        return (*measure_lines(measured, is_quantity=False), factor)

    def _price(self, concept: Concept, *, warn: bool = False) -> Decimal | None:
        """The newest by date; the first where dates do not tell."""
        if not concept.prices:
            return None
        days = [day_of(text) for text in concept.dates] + [None] * len(concept.prices)
        newest = max(range(len(concept.prices)), key=lambda index: (days[index] or date.min, -index))
        written = concept.prices[newest]
        price = figure(written)
        if warn and written and price is None:
            self._warn(f"line {concept.line}", f"{written[:40]!r} is no price; it is left out")
        if warn and len(set(filter(None, concept.prices))) > 1:
            day = days[newest]
            which = f"the newest is taken ({day.isoformat()})" if day else "the first is taken"
            self._warn(f"line {concept.line}", f"{concept.code} has {len(concept.prices)} prices; {which}")
        return price

    def _warn(self, where: str, what: str) -> None:
        self._bill.warnings.append(f"{where.capitalize()}: {what}.")


def _amount(child: Child) -> Decimal | None:
    """factor × amount; a factor that is not given is 1."""
    amount = figure(child.amount)
    if amount is None:
        return None
    factor = figure(child.factor)
    return amount if factor is None else amount * factor
