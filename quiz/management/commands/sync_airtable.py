"""`manage.py sync_airtable [--full] [--dry-run] [--force] [--json]`: banks in Airtable, brought up to date."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.exceptions import PlumblineError
from quiz.models import Bank
from quiz.services import banks, runs, syncing

COUNTS = ("fetched", "created", "updated", "unchanged", "rejected", "retired")


class Command(BaseCommand):
    help = "Read banks of questions in Airtable. A second run writes nothing; a run that fails changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bank", metavar="NAME", help="One of the shared banks; all banks in Airtable by default.")
        parser.add_argument("--base", metavar="app…", help="With --table: its shared bank, made if need be.")
        parser.add_argument("--table", metavar="tbl…")
        parser.add_argument("--full", action="store_true", help="All records, not only what has changed.")
        parser.add_argument("--dry-run", action="store_true", help="Count what would be done, and do nothing.")
        parser.add_argument("--force", action="store_true", help="Retire however many questions have vanished.")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["base"]) != bool(options["table"]) or (options["base"] and options["bank"]):
            raise CommandError("Name a --base together with its --table, or a --bank.", returncode=2)
        if settings.SYNC_MODE == syncing.OFF:
            self._tell([], [], as_json=options["json"])
            print("Reading from Airtable is switched off (SYNC_MODE).", file=sys.stderr)
            return
        told, failed = [], []
        for bank in self._banks(options):
            try:
                run = syncing.sync_bank(
                    bank_id=bank.pk,
                    is_full=options["full"],
                    is_dry=options["dry_run"],
                    force=options["force"],
                    report=self._report,
                )
            except PlumblineError as error:
                failed.append({"bank": bank.name, "error": str(error), "code": error.code})
                print(f"{bank}: {error}", file=sys.stderr)
            else:
                told.append(runs.told(run))
        self._tell(told, failed, as_json=options["json"])
        if failed:
            raise CommandError(" ".join(f"{each['bank']}: {each['error']}" for each in failed))

    def _banks(self, options: dict[str, Any]) -> list[Bank]:
        try:
            if options["base"]:
                return [banks.bank_at(base_id=options["base"], table_id=options["table"])]
            if options["bank"]:
                return [banks.existing_bank(name=options["bank"])]
        except PlumblineError as error:
            raise CommandError(str(error)) from error
        found = list(Bank.objects.filter(kind=Bank.Kind.AIRTABLE).order_by("name", "pk"))
        if not found:
            raise CommandError("No bank is in Airtable yet: name a --base and a --table.", returncode=2)
        return found

    def _tell(self, told: list[dict[str, Any]], failed: list[dict[str, Any]], *, as_json: bool) -> None:
        totals = {name: sum(each[name] for each in told) for name in COUNTS}
        if as_json:
            print(json.dumps(totals | {"mode": settings.SYNC_MODE, "banks": told, "failed": failed}))
            return
        for each in told:
            counts = ", ".join(f"{each[name]:,} {name}" for name in COUNTS)
            print(f"{each['bank']}{' (dry run)' if each['is_dry'] else ''}: {counts} in {each['seconds']:.1f} s")
            for line in each["drift"]:
                print(f"  {line}")

    def _report(self, done: int, total: int, message: str) -> None:
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"{message:<60}", end=end, file=sys.stderr, flush=True)
