"""`manage.py schedule`: the scheduler. One is enough; two do no harm."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.schedule.loop import Scheduler


class Command(BaseCommand):
    help = "Start what the schedule says, release due retries, ring for what nobody claimed, take back lost jobs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round, then leave.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if not once:
            Scheduler().run()
        elif not Scheduler().round():
            raise CommandError("Some steps failed: see the log.")
