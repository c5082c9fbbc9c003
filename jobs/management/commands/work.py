"""`manage.py work high default low`: a worker."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.models import Job
from jobs.worker import work


class Command(BaseCommand):
    help = "Run background jobs. SIGTERM: the job at hand ends, or goes back to the queue at its next report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queues", nargs="*", metavar="QUEUE", help="Most urgent first; all unless told.")
        parser.add_argument("--burst", action="store_true", help="Leave when the queues are empty.")

    def handle(self, *args: Any, queues: list[str], burst: bool, **options: Any) -> None:
        known = list(Job.Queue.values)
        if unknown := sorted(set(queues) - set(known)):
            raise CommandError(f"There is no queue {unknown[0]!r}. Queues: {', '.join(known)}.", returncode=2)
        count = work(queues or known, burst=burst)
        if burst:
            print(f"{count} jobs run", file=sys.stderr)
