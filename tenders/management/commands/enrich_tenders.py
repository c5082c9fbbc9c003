"""`manage.py enrich_tenders`: have unread tenders read, by workers or here and now."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.exceptions import Refused
from accounts.models import Organisation
from tenders.services import reading_here, runs


class Command(BaseCommand):
    help = "Read and grade tenders that are new or have changed, for each organisation with a profile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", metavar="ID|NAME", help="This one only; it needs no profile then.")
        parser.add_argument("--limit", type=int, help=f"At most so many tenders, shared evenly; {runs.MOST} a firm.")
        parser.add_argument("--fell-back", action="store_true", help="Also what the rules read as the model failed.")
        parser.add_argument(
            "--mode", choices=["single", "batch"], default="single", help="batch: half the price, slow."
        )
        parser.add_argument("--here", action="store_true", help="By the rules in this process, without workers.")
        parser.add_argument("--dry-run", action="store_true", help="Say how many there are and what they would cost.")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")

    def handle(self, *args: Any, organisation: str | None, limit: int | None, **options: Any) -> None:
        if limit is not None and limit < 1:
            raise CommandError("--limit is at least 1.", returncode=2)
        organisation_id = _organisation(organisation).pk if organisation else None
        if options["dry_run"]:
            told = reading_here.estimate(organisation_id=organisation_id, limit=limit, fell_back=options["fell_back"])
        elif options["here"]:
            told = reading_here.read_here(organisation_id=organisation_id, limit=limit, report=_report)
        else:
            started = self._start(
                organisation_id=organisation_id, limit=limit, fell_back=options["fell_back"], mode=options["mode"]
            )
            told = {
                "total_tenders": sum(each["total_tenders"] for each in started),
                "total_jobs": sum(len(each["job_ids"]) for each in started),
                "batch_ids": [str(each["batch_id"]) for each in started if each["batch_id"]],
            }
        if options["json"]:
            print(json.dumps(told))
        else:
            print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in told.items()))

    def _start(self, **options: Any) -> list[runs.RunSummary]:
        try:
            return runs.start_for_all(**options)
        except Refused as error:
            raise CommandError(str(error)) from error


def _organisation(text: str) -> Organisation:
    try:
        found = Organisation.objects.filter(pk=UUID(text))
    except ValueError:
        found = Organisation.objects.filter(name=text)
    if len(found) != 1:
        raise CommandError(f"{'No' if not found else 'More than one'} organisation is {text!r}.", returncode=2)
    return found[0]


def _report(done: int, total: int, message: str) -> None:
    print(f"{message:<60}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
