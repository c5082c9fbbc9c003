"""`manage.py import_clauses FILE --standard CODE --edition NAME [--current] [--json]`: an edition's clauses."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.exceptions import PlumblineError
from quiz.services import clauses


class Command(BaseCommand):
    help = "Read the clauses of a standard's edition from a tree (JSON) or a table (CSV: number, title, text)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--standard", metavar="CODE", required=True, help="As it is cited: AWS D1.1.")
        parser.add_argument("--edition", metavar="NAME", required=True, help="Such as 2025.")
        parser.add_argument("--published", metavar="DATE", type=date.fromisoformat, help="2025-03-01")
        parser.add_argument("--current", action="store_true", help="Questions are to cite this edition from now on.")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        if not path.is_file():
            raise CommandError(f"There is no file {path}.", returncode=2)
        try:
            with path.open("rb") as stream:
                edition, counts = clauses.import_clauses(
                    stream=stream,
                    standard_code=options["standard"],
                    edition_name=options["edition"],
                    is_current=options["current"],
                    published_on=options["published"],
                )
        except PlumblineError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            print(json.dumps(asdict(counts) | {"edition": str(edition), "is_current": edition.is_current}))
        else:
            print(f"{edition}: " + ", ".join(f"{count:,} {name}" for name, count in asdict(counts).items()))
