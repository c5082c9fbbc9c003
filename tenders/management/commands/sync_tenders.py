"""`manage.py sync_tenders [FILE|FOLDER|URL] [--source NAME]`: read published notices into a source."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.exceptions import PlumblineError
from tenders.models import Source
from tenders.services import duplicates, fetching, sources

COUNTS = fetching.COUNTS
SCHEMES = ("https://", "http://")


class Command(BaseCommand):
    help = "Read OCDS, eForms, CSV or xlsx notices into tenders. A second run writes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "place", nargs="?", metavar="FILE", help="A file, a folder of them, or an https address; or else --source."
        )
        parser.add_argument(
            "--source",
            metavar="NAME",
            help="Where it comes from; the file's name unless told. Alone: a shared source, read from where it is.",
        )
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")

    def handle(self, *args: Any, place: str | None, source: str | None, **options: Any) -> None:
        if not place and not source:
            raise CommandError("Name a file, a folder, an https address, or a --source.", returncode=2)
        self._totals: dict[str, int] = dict.fromkeys(COUNTS, 0)
        began = time.monotonic()
        try:
            self._sync(place, source)
        except PlumblineError as error:
            raise CommandError(str(error)) from error
        seconds = time.monotonic() - began
        if options["json"]:
            print(json.dumps(self._totals | {"seconds": round(seconds, 2)}))
        else:
            print(", ".join(f"{count:,} {name}" for name, count in self._totals.items()) + f" in {seconds:.1f} s")

    def _sync(self, place: str | None, name: str | None) -> None:
        if place and not place.startswith(SCHEMES):
            path = Path(place)
            if not path.exists():
                raise CommandError(f"There is no file or folder {place}.", returncode=2)
            self._read(path, sources.source_named(name=name or path.stem, kind=Source.Kind.PATH))
        elif place:
            self._fetch(sources.source_at(url=place, name=name or place))
        else:
            self._of(sources.existing_source(name=str(name)))

    def _of(self, source: Source) -> None:
        if source.kind == Source.Kind.URL:
            self._fetch(source)
        elif source.kind == Source.Kind.PATH and source.location:
            path = Path(source.location)
            if not path.exists():
                raise CommandError(f"{source}: there is no file or folder {source.location}.")
            self._read(path, source)
        else:
            raise CommandError(f"{source} has no address and no path to read from: name a file.", returncode=2)

    def _fetch(self, source: Source) -> None:
        told = fetching.sync_source(source_id=source.pk, report=self._report)
        if told["is_unchanged"]:
            print("Nothing has changed since the last time.", file=sys.stderr)
        self._count(told)
        self._compare(source)

    def _read(self, path: Path, source: Source) -> None:
        files = list(sources.files_of(path))
        if not files:
            raise CommandError(f"{path} holds no file of notices (json, jsonl, xml, csv, xlsx, gz).")
        has_read = False
        for file in files:
            try:
                with file.open("rb") as stream:
                    record = sources.import_file(source=source, stream=stream, filename=file.name, report=self._report)
            except PlumblineError as error:
                print(f"{file.name}: {error}", file=sys.stderr)
                continue
            has_read = True
            self._count({name: getattr(record, name) for name in COUNTS})
            if record.error:
                print(f"{file.name}: {record.error}", file=sys.stderr)
        if not has_read:
            raise CommandError("No file could be read.")
        self._compare(source)

    def _compare(self, source: Source) -> None:
        """By a worker: whether what came is published elsewhere, too."""
        if self._totals["created"] or self._totals["updated"]:
            duplicates.queue_finding(source)

    def _count(self, counts: dict[str, Any]) -> None:
        for name in COUNTS:
            self._totals[name] += counts[name]

    def _report(self, done: int, total: int, message: str) -> None:
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"{message:<60}", end=end, file=sys.stderr, flush=True)
