"""What was seen in a file besides its positions, for the rules on files: taken when the file is read, kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from projects.parsers.bill import ParseError
from projects.parsers.compound import SIGNATURE
from projects.parsers.gaeb_changes import changes_of
from projects.parsers.gaeb_facts import gaeb_facts
from projects.parsers.sheet_facts import facts_of

GAEB = frozenset({"gaeb_xml"})
# Dialects of workbooks; "table" may also be csv, of which there is nothing to see
SHEET = frozenset({"kros_xlsx", "kros_list", "rts_xlsx", "aspe_xlsx", "table"})


class Remark(NamedTuple):
    """One fault of a file's form. `line` of the position it is about, 0: of the file."""

    line: int
    number: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Of one file. `problem`: why there are none, which is never the same as "nothing was found"."""

    document: str  # its name, for people
    dialect: str
    version: str = ""  # GAEB: the declared version
    hidden_sheets: tuple[str, ...] = ()
    hidden_rows: tuple[str, ...] = ()  # "Sheet!12"
    errors: tuple[tuple[str, str], ...] = ()  # (cell, error)
    constants: tuple[str, ...] = ()  # cells with a constant where their neighbours have formulas
    remarks: tuple[Remark, ...] = ()
    changes: tuple[Remark, ...] = ()  # GAEB: where a bid differs from the tender it was joined to
    is_complete: bool = True  # False: there was more than is listed
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        lists = {name: [list(remark) for remark in getattr(self, name)] for name in ("remarks", "changes")}
        return asdict(self) | lists

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FileFacts:
        """Raises TypeError, KeyError or ValueError for what `as_json` did not write."""
        values = dict(data)
        for name in ("hidden_sheets", "hidden_rows", "constants"):
            values[name] = tuple(str(one) for one in values.get(name, ()))
        values["errors"] = tuple((str(cell), str(error)) for cell, error in values.get("errors", ()))
        for name in ("remarks", "changes"):
            values[name] = tuple(Remark(int(r[0]), str(r[1]), str(r[2]), str(r[3])) for r in values.get(name, ()))
        return cls(**values)


def facts_of_file(path: Path, *, dialect: str, document: str, tender: Path | None = None) -> FileFacts:
    """Look through a file for what the rules V14, N05 and V13 ask about; `tender`: that it was joined to.

    Never raises for a bad file: says so instead."""
    try:
        if dialect in GAEB:
            return _of_gaeb(path, dialect, document, tender)
        if dialect in SHEET and _is_workbook(path):
            return _of_workbook(path, dialect, document)
    except (ParseError, OSError) as error:
        return FileFacts(document, dialect, problem=str(error))
    return FileFacts(document, dialect)


def _of_gaeb(path: Path, dialect: str, document: str, tender: Path | None) -> FileFacts:
    version, remarks, is_complete = gaeb_facts(path)
    changes, are_all = changes_of(tender=tender, bid=path) if tender else ([], True)
    return FileFacts(
        document,
        dialect,
        version=version,
        remarks=tuple(Remark(*remark) for remark in remarks),
        changes=tuple(Remark(*change) for change in changes),
        is_complete=is_complete and are_all,
    )


def _of_workbook(path: Path, dialect: str, document: str) -> FileFacts:
    facts = facts_of(path)
    return FileFacts(
        document,
        dialect,
        hidden_sheets=tuple(facts.hidden_sheets),
        hidden_rows=tuple(facts.hidden_rows),
        errors=tuple(facts.errors),
        constants=tuple(facts.constants_among_formulas),
        is_complete=facts.is_complete,
    )


def _is_workbook(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8).startswith((b"PK", SIGNATURE))
