"""`manage.py replay_signals --from … --to …`: counts a slice of the stream again; what was counted stays as it is."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.services.replaying import replay
from jobs.connections import RedisError

_ID = re.compile(r"[0-9]{1,19}(-[0-9]{1,19})?\Z")


class Command(BaseCommand):
    help = "Count a slice of the stream of questions again. The ledger recognises what was counted before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="start", default="-", metavar="WHEN", help="Entry id or ISO time.")
        parser.add_argument("--to", dest="end", default="+", metavar="WHEN", help="Entry id or ISO time.")
        parser.add_argument("--json", action="store_true", help="One object on stdout.")

    def handle(self, *args: Any, start: str, end: str, **options: Any) -> None:
        try:
            tally = replay(start=_bound(start), end=_bound(end))
        except RedisError as error:
            raise CommandError(f"Redis can't be reached: {error}") from error
        if options["json"]:
            print(json.dumps(asdict(tally)))
        else:
            print(f"{tally.applied} counted now, {tally.already} before, {tally.dead} dead", file=sys.stderr)


def _bound(text: str) -> str:
    if text in ("-", "+") or _ID.match(text):
        return text
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is neither an entry's id nor a time in ISO 8601.", returncode=2) from None
    return str(int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() * 1000))
