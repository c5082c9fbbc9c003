"""`manage.py find_duplicates`: mark tenders that are published more than once, here and now. Imports have it done."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenders.models import Source
from tenders.services.duplicates import find_duplicates


class Command(BaseCommand):
    help = "Find tenders that say the same as others published earlier. What has been compared is left out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", metavar="NAME", help="Of this source only, compared with all.")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")

    def handle(self, *args: Any, source: str | None, **options: Any) -> None:
        wanted = Source.objects.filter(name=source) if source else Source.objects.all()
        ids = list(wanted.order_by("pk").values_list("pk", flat=True))
        if source and not ids:
            raise CommandError(f"There is no source named {source!r}.", returncode=2)
        found = find_duplicates(source_ids=ids, report=_report)
        if options["json"]:
            print(json.dumps({"compared": found.tenders, "pairs": found.pairs}))
        else:
            print(f"{found.tenders:,} tenders compared, {found.pairs:,} pairs found")


def _report(done: int, total: int, message: str) -> None:
    print(f"{message:<60}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
