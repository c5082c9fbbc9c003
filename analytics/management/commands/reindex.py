"""Rebuild the search index here and now."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.exceptions import SourceMissing
from analytics.services.reindexing import reindex


class Command(BaseCommand):
    help = "Reads everything that is to be found anew, of one source or of all. What has not changed is left untouched."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", help='Of this one alone: "quiz.clause".')
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = reindex(source=options["source"], report=self._report)
        except SourceMissing as error:
            raise CommandError(str(error)) from error
        self.stderr.write("")
        self.stdout.write(json.dumps(asdict(counts)) if options["json"] else str(counts))

    def _report(self, done: int, total: int, message: str) -> None:
        self.stderr.write(f"\r{message}", ending="")
