"""Which dialect a file is in, and the bill read from it. The one door to all readers.

A dialect is a module with `NAME`, `LABEL`, `detect(head) -> Score` and `read(head) -> Bill`. Detection goes by content;
the file's name is used in messages only, because real tenders carry xlsx files named .XLS and Word files named .xlsx.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from projects.parsers import (
    aspe_xlsx,
    bc3,
    gaeb_xml,
    kros_list,
    kros_xlsx,
    legacy_json,
    pdf_table,
    rts_xlsx,
    table,
    unixml,
)
from projects.parsers.bill import Bill, BillPosition, ParseError, Score
from projects.parsers.filehead import FileHead
from projects.parsers.gaeb_join import join_bid
from projects.parsers.table_mapping import Mapping
from projects.parsers.unsupported import refuse_unreadable

MAX_POSITIONS = 500_000


class Dialect(Protocol):
    """What a dialect's module offers."""

    NAME: str
    LABEL: str

    def detect(self, head: FileHead) -> Score: ...

    def read(self, head: FileHead) -> Bill: ...


_DIALECTS: tuple[Dialect, ...] = (
    kros_xlsx, kros_list, rts_xlsx, aspe_xlsx, unixml, gaeb_xml, bc3, legacy_json, pdf_table, table,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dialect that a file may be in; `score` 1 … 100."""

    dialect: str
    label: str
    score: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """The best candidate, and all of them, best first. `dialect` can be handed to `open_bill`."""

    dialect: str
    label: str
    score: int
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]


def dialects() -> list[tuple[str, str]]:
    """(name, label for people) of each, as detection tries them."""
    return [(dialect.NAME, dialect.LABEL) for dialect in _DIALECTS]


def dialect_label(name: str) -> str:
    """The dialect's name for people; the name itself where it is not known."""
    return next((dialect.LABEL for dialect in _DIALECTS if name == dialect.NAME), name)


def detect(path: Path, filename: str = "") -> Detection:
    """Raises ParseError: "empty_file", "unsupported_dialect" (known, but without a reader yet), "not_a_workbook",
    "encrypted", "archive_bomb", "too_large", "xml_forbidden", "damaged", "unknown_dialect"."""
    head = FileHead(path, filename)
    try:
        return _detect(head)
    finally:
        head.close()


def open_bill(
    path: Path,
    *,
    dialect: str | None = None,
    mapping: Mapping | None = None,
    tender: Path | None = None,
    filename: str = "",
) -> Bill:
    """Opens a file as a bill; its positions are read as they are asked for, and the file is closed with the last one.

    `dialect` skips detection. `mapping` (confirmed by a person) reads the file as a plain table. `tender` is the X83
    that an X84 without quantities belongs to. Raises ParseError here and while the positions are read, and nothing else
    for whatever a file may hold.
    """
    head = FileHead(path, filename)
    try:
        bill = _open(head, dialect, mapping)
        if tender is not None:
            bill = join_bid(open_bill(tender), bill)
    except BaseException as error:
        head.close()
        if isinstance(error, _DATA_ERRORS):
            raise _damaged(error) from error
        raise
    bill.positions = _guarded(bill.positions, head)
    return bill


# What a file's content can provoke in a reader; anything else is a fault of the program and stays one.
_DATA_ERRORS = (ValueError, ArithmeticError, LookupError, RecursionError)


def _open(head: FileHead, dialect: str | None, mapping: Mapping | None) -> Bill:
    if mapping is not None:
        refuse_unreadable(head)
        return table.read_mapped(head, mapping)
    if dialect is None:
        dialect = _detect(head).dialect
    else:
        refuse_unreadable(head)
    reader = next((known for known in _DIALECTS if dialect == known.NAME), None)
    if reader is None:
        names = ", ".join(known.NAME for known in _DIALECTS)
        raise ParseError(f"There is no dialect '{dialect}'. Known are: {names}.", code="unknown_dialect")
    return reader.read(head)


def _detect(head: FileHead) -> Detection:
    refuse_unreadable(head)
    found: list[tuple[Dialect, Score]] = []
    for dialect in _DIALECTS:
        score = dialect.detect(head)
        if score.value > 0:
            found.append((dialect, score))
        if score.value == 100:  # certain: the others need not open the file's sheets
            break
    if not found:
        raise ParseError(
            f"'{head.filename}' is not a bill of quantities in any known format. Upload KROS, RTS or Aspe xlsx, "
            "uniXML, GAEB DA XML, BC3, a table (xlsx, ods, xls, csv) or positions.json.",
            code="unknown_dialect",
        )
    found.sort(key=lambda pair: -pair[1].value)
    candidates = tuple(Candidate(dialect.NAME, dialect.LABEL, score.value, score.reasons) for dialect, score in found)
    best = candidates[0]
    return Detection(best.dialect, best.label, best.score, best.reasons, candidates)


def _guarded(positions: Iterator[BillPosition], head: FileHead) -> Iterator[BillPosition]:
    """The positions, at most `MAX_POSITIONS`; what a file's content provokes in a reader becomes a ParseError."""
    count = 0
    try:
        for position in positions:
            count += 1
            if count > MAX_POSITIONS:
                raise ParseError(
                    f"The bill has more than {MAX_POSITIONS:,} positions. Split it by building object.",
                    code="too_large",
                )
            yield position
    except _DATA_ERRORS as error:
        raise _damaged(error, after=count) from error
    finally:
        head.close()


def _damaged(error: BaseException, after: int = 0) -> ParseError:
    where = f" after position {after}" if after else ""
    detail = " ".join(str(error).split())[:160] or type(error).__name__
    return ParseError(
        f"The file can't be read{where}: {detail}. It is damaged, or not what it looks like; export the bill again.",
        code="damaged",
    )
