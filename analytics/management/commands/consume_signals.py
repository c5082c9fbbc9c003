"""`manage.py consume_signals`: counts what was asked for. Any number of them, on any hosts."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.services.consuming import BATCH, Consumer
from jobs.connections import RedisError

MOST = BATCH


class Command(BaseCommand):
    help = "Count demand signals and start requested refreshes. SIGTERM: the batch at hand is counted, then it leaves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--consumer", default="", metavar="NAME", help="Host and process id unless told.")
        parser.add_argument(
            "--batch", type=int, default=BATCH, metavar="N", help=f"Signals at most at a time; {BATCH}."
        )
        parser.add_argument("--claim-after", type=float, default=30.0, metavar="S", help="Silence of another; 30.")
        parser.add_argument("--once", action="store_true", help="Leave when nothing is left to count.")
        parser.add_argument("--json", action="store_true", help="With --once: one object on stdout.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if not 1 <= options["batch"] <= MOST:
            raise CommandError(f"--batch is 1 to {MOST}.", returncode=2)
        if options["claim_after"] <= 0:
            raise CommandError("--claim-after is more than 0.", returncode=2)
        claim_idle_ms = int(options["claim_after"] * 1000)
        consumer = Consumer(name=options["consumer"][:120], batch=options["batch"], claim_idle_ms=claim_idle_ms)
        try:
            tally = consumer.run(once=once)
        except RedisError as error:
            raise CommandError(f"Redis can't be reached: {error}") from error
        if options["json"]:
            print(json.dumps(asdict(tally)))
        else:
            print(f"{tally.applied} counted, {tally.already} known, {tally.dead} dead", file=sys.stderr)
