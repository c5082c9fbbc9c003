"""Bills printed into a PDF, read by the words on its pages: numbers, figures and sums as a person would find them.

A print says less than a file: what is read is to be confirmed, and says so: in the document's warnings, and in the
place that each position names. The sums on the pages are compared with the positions, so that a misread figure shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from projects.parsers.bill import Bill, BillHeader, Billing, BillPosition, ParseError, Score, StatedTotal
from projects.parsers.catalogues import currency_of
from projects.parsers.filehead import FileHead
from projects.parsers.numbering import Numbering, left_out
from projects.parsers.pdf_kros import TO_CONFIRM, KrosPrint, is_kros
from projects.parsers.pdf_lines import FOOT, NUMBER, Columns, Tail, columns_of, decimal_mark, figure_of, tail_of
from projects.parsers.pdf_pages import MAX_PAGES, SCAN_PAGES, Line, Page, pages, refuse_scan
from projects.parsers.pdf_rows import RowColumns, heading_of, row_columns, row_tail, unread_row
from projects.parsers.table_words import normalise

NAME = "pdf_table"
LABEL = "Printed bill (PDF)"

_FIRST_PAGES = 12
_CARRIED = ("ubertrag", "prenos", "prevod", "carried forward", "brought forward")
_SECTION_SUM = (
    "gruppensumme",
    "titelsumme",
    "zwischensumme",
    "abschnittssumme",
    "summe",
    "celkem za",
    "celkem",
    "subtotal",
)
_WHOLE = ("projektsumme", "angebotssumme", "gesamtsumme", "auftragssumme", "nettosumme", "summe lv", "celkem bez dph",
          "cena celkem bez dph", "celkem za stavbu", "grand total", "total excl")  # fmt: skip
_TAXED = re.compile(r"brutto|mwst|mehrwertsteuer|ust|s dph|incl|vat")
_MARKS = (
    ("alternativ", Billing.ALTERNATIVE), ("wahlposition", Billing.ALTERNATIVE),
    ("bedarfsposition mit", Billing.OPTIONAL_COUNTED),
    ("eventualposition mit", Billing.OPTIONAL_COUNTED), ("bedarfsposition", Billing.OPTIONAL),
    ("eventualposition", Billing.OPTIONAL), ("zuschlag", Billing.SURCHARGE),
)  # fmt: skip


def detect(head: FileHead) -> Score:
    """Raises ParseError for a PDF that is a scan, protected or damaged."""
    if head.kind != "pdf":
        return Score(0)
    seen: list[Page] = []
    for page in pages(head.path, head.filename, _FIRST_PAGES):
        seen.append(page)
        heading = _heading(page)
        if heading:
            return Score(60, (f"A PDF with text; page {page.number} is headed: {heading[:120]}.",))
    refuse_scan(seen, head.filename)
    return Score(10, ("A PDF with text, but without the titles of a bill's columns on its first pages.",))


def _heading(page: Page) -> str:
    found = next((columns.title for line in page.lines if (columns := columns_of(line))), "")
    return found or next((" ".join(row) for table in page.tables for row in table if row_columns(row)), "")


def read(head: FileHead) -> Bill:
    """Raises ParseError("unsupported_dialect" | "encrypted" | "damaged" | "too_large"), also later."""
    seen = list(pages(head.path, head.filename, SCAN_PAGES))
    refuse_scan(seen, head.filename)
    texts = [line.text for page in seen for line in page.lines]
    header = BillHeader(dialect=NAME, dialect_label=LABEL, currency=_currency(texts))
    bill = Bill(header=header, positions=iter(()))
    bill.positions = _PrintReader(bill, decimal_mark(texts)).positions(head)
    return bill


def _currency(texts: list[str]) -> str:
    """The one currency that stands beside the figures."""
    found = {
        code for text in texts for word in text.split()[-3:] if word.upper().strip(".:") in ("EUR", "€", "CZK", "KČ")
        and (code := currency_of(word.strip(".:")))
    }  # fmt: skip
    return found.pop() if len(found) == 1 else ""


@dataclass(slots=True)
class _Open:
    """A position whose text goes on in the lines below."""

    number: str
    tail: Tail
    page: int
    section: tuple[str, ...]
    billing: Billing = Billing.NORMAL
    text: list[str] = field(default_factory=list)


class _PrintReader:
    def __init__(self, bill: Bill, mark: str) -> None:
        self._bill, self._mark = bill, mark
        self._columns: Columns | None = None
        self._rows: RowColumns | None = None
        self._numbering = Numbering(bill.warnings)
        self._kros, self._is_kros = KrosPrint(bill, self._numbering, mark), False
        self._sections: dict[str, str] = {}  # number → name, of those opened so far
        self._path: tuple[str, ...] = ()  # numbers of the open sections
        self._open: _Open | None = None
        self._depth = 0  # parts of a position's number
        self._ordinal = 0
        self._last = 0  # page
        self._numbers: list[str] = []  # of the positions, as printed

    def positions(self, head: FileHead) -> Iterator[BillPosition]:
        for position in self._read(head):
            self._numbers.append(position.number.partition("/")[0])
            yield position
        self._tell()
        if not self._numbers:
            raise ParseError(
                "The PDF has text, but no line that reads as a position (number, quantity, unit, prices under their "
                "titles). Ask for the bill as xlsx, uniXML or GAEB DA XML.",
                code="no_positions",
            )

    def _read(self, head: FileHead) -> Iterator[BillPosition]:
        for page in pages(head.path, head.filename, MAX_PAGES):
            self._last = last = page.number
            if not page.lines:
                self._bill.warnings.append(f"Page {last} has no text; what stands on it as a picture is not read.")
            if columns := self._of_kros(page):
                yield from self._kros.page(page, columns)
            elif any(row_columns(row) for table in page.tables for row in table) or (self._rows and page.tables):
                yield from self._tables(page)
            else:
                yield from self._lines(page)
        yield from self._close()
        yield from self._kros.close()

    def _tell(self) -> None:
        if missing := left_out(self._numbers):
            self._bill.warnings.insert(
                0,
                f"The numbers of the positions leave out {', '.join(missing[:20])}"
                f"{' and others' if len(missing) > 20 else ''}: look whether the print has them.",
            )
        if not any(total.level == "bill" for total in self._bill.totals):
            self._bill.warnings.insert(0, "The print states no total: nothing proves that every position was read.")
        self._bill.warnings.insert(
            0,
            f"Read from the {self._last} pages of a print (PDF): every position is {TO_CONFIRM}. Compare numbers, "
            "quantities and prices with the original before you rely on them.",
        )

    def _of_kros(self, page: Page) -> Columns | None:
        """The columns, where the page is one of a bill that KROS printed."""
        if self._columns is None:
            self._kros.look_at_cover(page)
        found = next((columns for line in page.lines if (columns := columns_of(line))), None)
        if found is not None and is_kros(found) and page.boxes:
            self._columns, self._is_kros = found, True
        return self._columns if self._is_kros else None

    # Lines of words

    def _lines(self, page: Page) -> Iterator[BillPosition]:
        heading = next((i for i, line in enumerate(page.lines) if columns_of(line)), None)
        if heading is not None:
            self._columns = columns_of(page.lines[heading])
        for line in page.lines[0 if heading is None else heading + 1 :]:
            yield from self._line(line)

    def _line(self, line: Line) -> Iterator[BillPosition]:
        word = normalise(line.text)
        if not word or word.startswith(_CARRIED) or FOOT.search(line.text):
            return
        if self._take_sum(line, word):
            yield from self._close()
            return
        if self._columns is None:
            return
        first = line.words[0]
        if NUMBER.fullmatch(first.text) and self._columns.is_number_place(first):
            yield from self._numbered(line, self._columns)
        elif self._open is not None:
            self._continue(line.text)

    def _numbered(self, line: Line, columns: Columns) -> Iterator[BillPosition]:
        number = line.words[0].text.rstrip(".")
        tail = tail_of(line.words[1:], columns, self._mark)
        parts = re.split(r"[.\-/]", number)
        if tail is None and self._depth and len(parts) >= max(self._depth, 2):
            self._bill.warnings.append(
                f"Page {line.page}: the figures of position {number} can't be read ({line.text[:80]!r}); it is kept "
                "without them."
            )
            tail = Tail(text=" ".join(word.text for word in line.words[1:]))
        if tail is None:
            if len(line.words) > 1 and number not in self._sections:
                yield from self._close()
                self._enter(number, " ".join(word.text for word in line.words[1:]))
            return
        yield from self._close()
        self._depth = self._depth or len(parts)
        self._open = _Open(number, tail, line.page, self._section_path(number))

    def _enter(self, number: str, name: str) -> None:
        """A section; it stands inside the open ones whose numbers its own begins with."""
        outer = tuple(open_number for open_number in self._path if number.startswith(f"{open_number}."))
        self._sections[number] = name
        self._path = (*outer, number)

    def _section_path(self, number: str) -> tuple[str, ...]:
        numbers = tuple(section for section in self._path if number.startswith(f"{section}.")) or self._path
        return self._named(numbers)

    def _named(self, numbers: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{number.rsplit('.', 1)[-1]} {self._sections[number]}".strip() for number in numbers)

    def _continue(self, text: str) -> None:
        assert self._open is not None
        word = normalise(text)
        if text.lstrip().startswith("***"):
            self._open.billing = next((billing for mark, billing in _MARKS if mark in word), self._open.billing)
        elif len(self._open.text) < 400:
            self._open.text.append(" ".join(text.split()))

    def _take_sum(self, line: Line, word: str) -> bool:
        """A line that sums up; the sum of a section or of the whole is kept."""
        is_whole = word.startswith(_WHOLE)
        if not is_whole and not word.startswith(_SECTION_SUM):
            return False
        figures = [value for part in line.words if (value := figure_of(part.text, self._mark)) is not None
                   and ("," in part.text or "." in part.text)]  # fmt: skip
        if not figures:
            return False
        where = f"page {line.page}"
        if is_whole:
            if not _TAXED.search(word.replace("bez dph", "")):
                self._bill.totals[:] = [total for total in self._bill.totals if total.level != "bill"]
                self._bill.totals.append(StatedTotal("bill", figures[-1], source=where))
            return True
        number = next((part.text for part in line.words[1:] if part.text in self._sections), "")
        if number:
            path = tuple(s for s in self._sections if number == s or number.startswith(f"{s}."))
            self._bill.totals.append(StatedTotal("section", figures[-1], section_path=self._named(path), source=where))
        return True

    # Ruled tables

    def _tables(self, page: Page) -> Iterator[BillPosition]:
        for table in page.tables:
            for row in table:
                if found := row_columns(row):
                    self._rows = found
                elif self._rows is not None:
                    yield from self._row(page, row, self._rows)
        yield from self._close()

    def _row(self, page: Page, row: tuple[str, ...], columns: RowColumns) -> Iterator[BillPosition]:
        word = normalise(" ".join(row))
        number, tail = row_tail(row, columns, self._mark)
        if tail is None and (unread := unread_row(row, columns)):
            number, tail = unread
            self._bill.warnings.append(
                f"Page {page.number}: the figures of position {number} can't be read ({' '.join(row)[:80]!r}); it is "
                "kept without them."
            )
        if tail is None:
            text = heading_of(row, self._mark)
            if text and not word.startswith((*_CARRIED, *_SECTION_SUM, *_WHOLE)):
                self._path, self._sections[text] = (text,), ""
            elif word.startswith(_WHOLE) and not _TAXED.search(word.replace("bez dph", "")):
                amount = next((v for cell in reversed(row) if (v := figure_of(cell, self._mark)) is not None), None)
                if amount is not None:
                    self._bill.totals[:] = [StatedTotal("bill", amount, source=f"page {page.number}")]
            return
        self._open = _Open(number, tail, page.number, self._path)
        yield from self._close()

    # Positions

    def _close(self) -> Iterator[BillPosition]:
        if self._open is None:
            return
        found, self._open = self._open, None
        self._ordinal += 1
        tail, place = found.tail, f"page {found.page} of the print, {TO_CONFIRM}"
        lines = [tail.text, *found.text] if tail.text else found.text
        description = " ".join(lines)[:500] if tail.text else (lines[0] if lines else "")
        billing = self._billing(found)
        if not description:
            self._bill.warnings.append(f"Page {found.page}: position {found.number} has no text.")
        yield BillPosition(
            ordinal=self._ordinal,
            number=self._numbering.claim("", found.number, f"Page {found.page}"),
            description=description,
            billing=billing,
            section_path=found.section,
            code=tail.code,
            long_text="\n".join(lines) if len(lines) > 1 else "",
            unit=tail.unit or None,
            quantity=tail.quantity,
            quantity_reason=_reason(tail),
            unit_price=tail.unit_price,
            total=Decimal(0) if tail.is_price_only and tail.total is None else tail.total,
            source=place,
        )

    def _billing(self, found: _Open) -> Billing:
        if found.tail.is_surcharge:
            return Billing.SURCHARGE
        if found.tail.is_price_only and found.billing.counts:
            return Billing.OPTIONAL
        return found.billing


def _reason(tail: Tail) -> str:
    if tail.quantity is not None:
        return ""
    if tail.is_surcharge:
        return f"surcharge on {tail.base}" if tail.base else "surcharge on other positions"
    return "no quantity can be read in the print"
