"""`manage.py work high default low`: a worker."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from jobs.models import Job
from jobs.worker import work


class Command(BaseCommand):
    help = "Run background jobs. SIGTERM lets the job at hand finish."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = Job.Queue.values
        parser.add_argument("queues", nargs="*", choices=[*names, []], default=names, help="Most urgent first.")
        parser.add_argument("--burst", action="store_true", help="Leave when the queues are empty.")

    def handle(self, *args: Any, queues: list[str], burst: bool, **options: Any) -> None:
        count = work(queues or list(Job.Queue.values), burst=burst)
        if burst:
            print(f"{count} jobs run", file=sys.stderr)
