"""`manage.py schedule`: the scheduler. One is enough; two do no harm."""

from __future__ import annotations

import signal
import sys
import threading
from argparse import ArgumentParser
from typing import Any

import django.db
import structlog
from django.core.management.base import BaseCommand
from django.db import connections

from jobs.sweeper import sweep

log = structlog.get_logger(__name__)
EVERY_S = 1.0


class Command(BaseCommand):
    help = "Release due retries and scheduled jobs, ring for what nobody claimed, take back jobs of dead workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round, then leave.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            print(sweep(), file=sys.stderr)
            return
        stop = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stop.set())
        while not stop.is_set():
            try:
                sweep()
            except django.db.Error as error:
                log.warning("sweep_failed", error=str(error))
                connections.close_all()
            stop.wait(EVERY_S)
