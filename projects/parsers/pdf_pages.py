"""Pages of a PDF as lines of words and as ruled tables, one page at a time: bounded in size, pages and time.

Broad `except` is deliberate here: what a damaged PDF makes its reader raise is anything at all, and all of it means the
same to a person.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from projects.parsers.bill import ParseError

MAX_BYTES = 100 << 20
MAX_PAGES = 600
MAX_SECONDS = 300.0
MAX_CHARACTERS = 60_000  # of one page; a full page of small print has 8,000
SCAN_PAGES = 5  # without a word on any of them it is a scan
_LINE_TOLERANCE = 3.0  # points
_GROUPED_GAP = 0.45  # of the line's height: what stands between the thousands of a figure


class Word(NamedTuple):
    text: str
    left: float
    right: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """`top`: points from the page's upper edge."""

    page: int
    words: tuple[Word, ...]
    top: float = 0.0

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class Cell(NamedTuple):
    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Box:
    """A row of a ruled table, where it stands; cells that others have grown over are left out."""

    top: float
    bottom: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    lines: tuple[Line, ...]
    tables: tuple[tuple[tuple[str, ...], ...], ...]  # rows of cells
    boxes: tuple[Box, ...] = ()  # the same rows, from top to bottom


def pages(path: Path, filename: str, limit: int = MAX_PAGES) -> Iterator[Page]:
    """The first `limit` pages. Raises ParseError("too_large" | "encrypted" | "damaged")."""
    # Its messages on odd fonts are many and of no use to anybody.
    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    import pdfplumber

    if path.stat().st_size > MAX_BYTES:
        raise ParseError(
            f"The PDF is larger than {MAX_BYTES >> 20} MB. Upload only the bill's pages.", code="too_large"
        )
    began = time.monotonic()
    with path.open("rb") as file:  # ours to close: closing a damaged document reads it once more
        try:
            document = pdfplumber.open(file)
        except Exception as error:
            raise _unreadable(error, filename, 0) from error
        for number, page in enumerate(_pages(document, filename), start=1):
            if number > limit:
                return
            if time.monotonic() - began > MAX_SECONDS:
                raise ParseError(
                    f"Reading the PDF takes too long: {number - 1} pages in {MAX_SECONDS:.0f} seconds. Upload only the "
                    "bill's pages, or the bill as xlsx, uniXML or GAEB DA XML.",
                    code="too_large",
                )
            yield _read(page, number, filename)


def _pages(document: Any, filename: str) -> Iterator[Any]:
    try:
        found = document.pages
    except Exception as error:
        raise _unreadable(error, filename, 0) from error
    if len(found) > MAX_PAGES:
        raise ParseError(
            f"The PDF has {len(found):,} pages; at most {MAX_PAGES} are read. Upload only the bill's.", code="too_large"
        )
    yield from found


def _read(page: Any, number: int, filename: str) -> Page:
    try:
        if len(page.chars) > MAX_CHARACTERS:
            raise ParseError(
                f"Page {number} of the PDF has {len(page.chars):,} characters: no print of a bill. Upload it as xlsx.",
                code="too_large",
            )
        words = page.extract_words(keep_blank_chars=False, extra_attrs=[])
        found = [(table, _cells(table.extract())) for table in page.find_tables()] if len(page.edges) > 8 else []
        boxes = sorted((box for table, cells in found for box in _boxes(table, cells)), key=lambda box: box.top)
        return Page(number, tuple(_lines(words, number)), tuple(cells for _, cells in found), tuple(boxes))
    except ParseError:
        raise
    except Exception as error:
        raise _unreadable(error, filename, number) from error
    finally:
        page.close()  # or every page's characters stay in memory


def _lines(words: list[dict[str, Any]], page: int) -> Iterator[Line]:
    """Words at about the same height, from left to right; the thousands of one figure become one word."""
    rows: list[tuple[float, list[Word]]] = []
    for word in sorted(words, key=lambda found: (found["top"], found["x0"])):
        made = Word(word["text"], word["x0"], word["x1"], word["bottom"] - word["top"])
        if rows and abs(rows[-1][0] - word["top"]) <= _LINE_TOLERANCE:
            rows[-1][1].append(made)
        else:
            rows.append((word["top"], [made]))
    for top, row in rows:
        yield Line(page, tuple(_grouped(sorted(row, key=lambda word: word.left))), top)


def _grouped(row: list[Word]) -> Iterator[Word]:
    pending: Word | None = None
    for word in row:
        if pending is not None:
            if _is_group(pending) and _continues(word) and word.left - pending.right < _GROUPED_GAP * word.height:
                pending = Word(f"{pending.text} {word.text}", pending.left, word.right, word.height)
                continue
            yield pending
        pending = word
    if pending is not None:
        yield pending


def _is_group(word: Word) -> bool:
    """1 to 3 digits, or groups of three that have been put together."""
    first, *others = word.text.lstrip("-").split(" ")
    return first.isdecimal() and len(first) <= 3 and all(part.isdecimal() for part in others)


def _continues(word: Word) -> bool:
    whole = word.text.replace(".", ",").partition(",")
    return len(whole[0]) == 3 and whole[0].isdecimal() and (not whole[1] or whole[2].isdecimal())


def _cells(table: list[list[str | None]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(" ".join((cell or "").split()) for cell in row) for row in table)


def _boxes(table: Any, texts: tuple[tuple[str, ...], ...]) -> Iterator[Box]:
    for row, cells in zip(table.rows, texts, strict=True):
        _, top, _, bottom = row.bbox
        places = zip(cells, row.cells, strict=True)
        yield Box(top, bottom, tuple(Cell(text, place[0], place[2]) for text, place in places if place))


def refuse_scan(found: list[Page], filename: str) -> None:
    """Raises ParseError("unsupported_dialect") where not one of the first pages has a text."""
    if not any(page.lines for page in found):
        raise ParseError(
            f"'{filename}' is a scanned PDF: its pages are pictures without any text, from which no figure can be read "
            "for certain. Ask for the bill as xlsx, uniXML or GAEB DA XML, or for the PDF that its program printed.",
            code="unsupported_dialect",
        )


def _unreadable(error: Exception, filename: str, page: int) -> ParseError:
    names = {type(found).__name__ for found in (error, *error.args, error.__cause__, error.__context__) if found}
    if names & {"PDFPasswordIncorrect", "PDFEncryptionError"}:
        return ParseError(
            "The PDF is protected by a password. Save it without one and upload it again.", code="encrypted"
        )
    where = f" on page {page}" if page else ""
    detail = " ".join(str(error).split())[:120] or type(error).__name__
    return ParseError(
        f"The PDF '{filename}' can't be read{where}: {detail}. It is damaged; print it again from its program.",
        code="damaged",
    )
