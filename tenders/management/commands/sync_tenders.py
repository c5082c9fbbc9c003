"""`manage.py sync_tenders FILE|FOLDER`: read published notices into a source."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.exceptions import PlumblineError
from tenders.models import Import
from tenders.services import sources

COUNTS = ("fetched", "created", "updated", "unchanged", "rejected")


class Command(BaseCommand):
    help = "Read OCDS, eForms, CSV or xlsx notices into tenders. A second run writes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", metavar="FILE", help="A file, or a folder of them.")
        parser.add_argument("--source", metavar="NAME", help="Where it comes from; the file's name unless told.")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")

    def handle(self, *args: Any, path: str, source: str | None, **options: Any) -> None:
        place = Path(path)
        if not place.exists():
            raise CommandError(f"There is no file or folder {path}.", returncode=2)
        began = time.monotonic()
        files = list(sources.files_of(place))
        if not files:
            raise CommandError(f"{path} holds no file of notices (json, jsonl, xml, csv, xlsx, gz).")
        where = sources.source_named(name=source or place.stem, kind="path")
        records, refused = [], []
        for file in files:
            try:
                with file.open("rb") as stream:
                    records.append(
                        sources.import_file(source=where, stream=stream, filename=file.name, report=self._report)
                    )
            except PlumblineError as error:
                refused.append(f"{file.name}: {error}")
        self._tell(records, refused, time.monotonic() - began, as_json=options["json"])

    def _report(self, done: int, total: int, message: str) -> None:
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"{message:<60}", end=end, file=sys.stderr, flush=True)

    def _tell(self, records: list[Import], refused: list[str], seconds: float, *, as_json: bool) -> None:
        totals = {name: sum(getattr(record, name) for record in records) for name in COUNTS}
        for line in [*refused, *(f"{record.filename}: {record.error}" for record in records if record.error)]:
            print(line, file=sys.stderr)
        if as_json:
            print(json.dumps(totals | {"seconds": round(seconds, 2)}))
        else:
            print(", ".join(f"{count:,} {name}" for name, count in totals.items()) + f" in {seconds:.1f} s")
        if refused and not records:
            raise CommandError("No file could be read.")
