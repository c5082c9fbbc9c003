"""`manage.py export_questions FILE --bank NAME [--edition E] [--format F] [--json]`: a bank's questions into a file."""

from __future__ import annotations

import io
import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.exceptions import PlumblineError
from quiz.exchange import WRITTEN
from quiz.services import banks, files

BY_SUFFIX = {".csv": "csv", ".json": "json", ".gift": "gift", ".xml": "moodle", ".zip": "qti2"}


class Command(BaseCommand):
    help = "Write a bank's live questions as CSV, JSON, GIFT, Moodle XML or QTI 2.1, and tell what the file can't say."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--bank", metavar="NAME", required=True, help="A shared bank.")
        parser.add_argument("--edition", default=None, help="That one alone; all by default.")
        parser.add_argument("--format", default="", help=f"Of {', '.join(WRITTEN)}; by the file's name otherwise.")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        format = options["format"] or BY_SUFFIX.get(path.suffix.lower(), "")
        if format not in WRITTEN:
            raise CommandError(f"Name a --format: {', '.join(WRITTEN)}.", returncode=2)
        content = io.BytesIO()
        try:
            bank = banks.existing_bank(name=options["bank"])
            count, losses = files.export_questions(bank=bank, format=format, stream=content, edition=options["edition"])
        except PlumblineError as error:
            raise CommandError(str(error)) from error
        path.write_bytes(content.getvalue())  # only now: a failed export leaves an older file as it was
        left_out = sum(loss.field == "item" for loss in losses)
        if options["json"]:
            print(json.dumps({"written": count - left_out, "losses": [asdict(loss) for loss in losses]}))
            return
        print(f"{count - left_out:,} of {count:,} questions written to {path}")
        for loss in losses:
            print(f"  {loss.external_id} {loss.field}: {loss.reason}", file=sys.stderr)
