"""Which column of a table is which, where its headings do not tell: what somebody chose is kept on the source."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from jobs.models import Job

from ..exceptions import ColumnsRefused, ImportMissing, NotANoticeFile
from ..models import Import, Rejection, Source
from ..readers.headings import FIELDS
from ..readers.notice import Format
from ..readers.reading import NotReadable, format_of
from ..readers.streams import FileEndsEarly, RecordTooLarge
from ..readers.streams import Source as Stream
from ..readers.tables import Preview, preview
from .sources import change_source
from .uploads import read_upload_again

if TYPE_CHECKING:
    from accounts.models import User

SAMPLES = 3  # values of a column that are shown
LONGEST = 120  # characters of each


@dataclass(frozen=True, slots=True)
class Column:
    """`field`: what it is taken for now, "" for nothing."""

    heading: str
    samples: list[str]
    field: str


def columns_of(record: Import) -> list[Column]:
    """Each heading of the stored file once, with values below it. A choice made before counts, then what the headings
    suggest. Raises ImportMissing where no file is stored, NotANoticeFile where it is no table."""
    found = _preview(record)
    chosen = {field: heading for field, heading in record.source.mapping.items() if heading in found.headings}
    fields = {heading: field for field, heading in (chosen or found.suggested).items()}
    columns = {}
    for at, heading in enumerate(found.headings):
        if heading and heading not in columns:
            values = [row[at][:LONGEST] for row in found.rows if at < len(row) and row[at]]
            columns[heading] = Column(heading, values[:SAMPLES], fields.get(heading, ""))
    return list(columns.values())


def choose_columns(*, record: Import, actor: User, mapping: Mapping[str, str]) -> tuple[Import, Job]:
    """Keep field → heading on the source and have the file read again by it.

    Raises ColumnsRefused, OnlyReads, SourceMissing, ImportMissing, SourceBusy.
    """
    if unknown := sorted(set(mapping) - set(FIELDS)):
        raise ColumnsRefused(f"There is no field {unknown[0]!r}: choose one of those listed.")
    if "title" not in mapping and "description" not in mapping:
        raise ColumnsRefused("Say which column holds the title, or the description: without one nothing can be read.")
    if missing := sorted(set(mapping.values()) - {column.heading for column in columns_of(record)}):
        raise ColumnsRefused(f"The file has no column {missing[0]!r}.")
    change_source(source_id=record.source_id, actor=actor, values={"mapping": dict(mapping)})
    return read_upload_again(import_id=record.pk, actor=actor)


def has_columns(record: Import) -> bool:
    """Whether it is a stored table, as far as can be told without opening it."""
    if not record.file:
        return False
    return record.format == Format.TABLE or (not record.format and record.status == Import.Status.FAILED)


def as_table(rejection: Rejection) -> str:
    """A rejected row of a table below the headings of its file, as CSV that can be mended; "" for anything else."""
    record = rejection.imported_by
    if record.format != Format.TABLE or not record.file:
        return ""
    try:
        headings, row = _preview(record).headings, orjson.loads(rejection.raw)
    except (ImportMissing, NotANoticeFile, orjson.JSONDecodeError):
        return ""
    if not isinstance(row, list):
        return ""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([headings, row])
    return text.getvalue()


def mapping_told(source: Source) -> list[tuple[str, str]]:
    """Field and heading, in the order of FIELDS."""
    return [(field, source.mapping[field]) for field in FIELDS if source.mapping.get(field)]


def _preview(record: Import) -> Preview:
    try:
        with record.file.open("rb") as file:
            stream = Stream(file)
            if format_of(stream.head()) != Format.TABLE:
                raise NotANoticeFile("This file is no table: it has no columns to choose.")
            return preview(stream)
    except (ValueError, FileNotFoundError) as error:
        if isinstance(error, NotReadable):
            raise NotANoticeFile(str(error)) from error
        raise ImportMissing("The file of this import is no longer stored. Upload it again.") from error
    except (FileEndsEarly, RecordTooLarge) as error:
        raise NotANoticeFile(str(error)) from error
