"""`manage.py import_questions FILE [--bank NAME] [--edition E] [--replace-edits] [--json]`: a file into a bank."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.exceptions import PlumblineError
from quiz.exchange import Format
from quiz.services import banks, files


class Command(BaseCommand):
    help = "Read CSV, JSON, GIFT, Aiken, Moodle XML, QTI or OpenTrivia questions. A second run writes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--bank", metavar="NAME", help="A shared bank, made if there is none; else the file's name."
        )
        parser.add_argument("--edition", default="", help="Of the pool, such as 2026-2030.")
        parser.add_argument("--format", default="", help=f"Of {', '.join(Format)}; told from the content otherwise.")
        parser.add_argument("--replace-edits", action="store_true", help="Also where questions were edited here.")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        if not path.is_file():
            raise CommandError(f"There is no file {path}.", returncode=2)
        if options["format"] and options["format"] not in set(Format):
            raise CommandError(f"No format is called {options['format']}: {', '.join(Format)}.", returncode=2)
        try:
            bank = banks.bank_named(name=options["bank"] or path.stem)
            with path.open("rb") as stream:
                run = files.import_file(
                    bank=bank,
                    stream=stream,
                    filename=path.name,
                    edition=options["edition"],
                    format=options["format"],
                    replaces_edits=options["replace_edits"],
                )
        except PlumblineError as error:
            raise CommandError(str(error)) from error
        counts = {name: getattr(run, name) for name in ("created", "updated", "unchanged", "rejected")}
        told = {"read": run.fetched, **counts, "unsupported": run.unsupported}
        if options["json"]:
            print(json.dumps(told | {"format": run.format, "bank": bank.name, "remarks": run.remarks}))
        else:
            print(f"{path.name} ({run.format}): {run.fetched:,} read, ", end="")
            print(", ".join(f"{count:,} {name}" for name, count in counts.items()))
            for kind, count in run.unsupported.items():
                print(f"  {count:,} of {run.fetched:,} items: {kind} not supported", file=sys.stderr)
            for remark in run.remarks:
                print(f"  {remark}", file=sys.stderr)
