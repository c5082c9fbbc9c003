"""The scheduler's loop: once a second start what is due and put right what faults left behind (the sweeper)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import django.db
import structlog
from django.db import close_old_connections, connections

from ..models import Process
from ..services import processes, scheduling
from ..sweeper import sweep

log = structlog.get_logger(__name__)

EVERY_S = 1.0
# Rows that follow the file are looked at again this often: an older release, started late, may have put them back.
SYNC_EVERY_S = 60.0
# After SIGTERM. What a round does is transactions: one that hangs on a dead connection may be left.
LEAVE_WITHIN_S = 5.0


class Scheduler:
    """One is enough; several do no harm, and one that was killed is not missed."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._presence = processes.Presence(kind=Process.Kind.SCHEDULER)
        self._synced_at: float | None = None

    def run(self) -> None:
        """Round after round, until SIGTERM or SIGINT. No error ends it."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._asked_to_stop)
        log.info("scheduler_started")
        while not self._stop.is_set():
            close_old_connections()
            self._tried("beat", self._presence.beat)
            self.round()
            self._stop.wait(EVERY_S)
        self._tried("leave", self._presence.leave)
        log.info("scheduler_stopped")

    def round(self) -> bool:
        """Each step by itself: that one fails keeps no other from its turn. Whether all went well."""
        synced = self._tried("sync", self._sync)
        started = self._tried("start_due", scheduling.start_due)
        swept = self._tried("sweep", sweep)
        return synced and started and swept

    def _sync(self) -> None:
        now = time.monotonic()
        if self._synced_at is None or now - self._synced_at >= SYNC_EVERY_S:
            scheduling.sync_schedule()
            self._synced_at = now

    def _tried(self, name: str, step: Callable[[], object]) -> bool:
        try:
            step()
        except django.db.Error as error:
            log.warning("scheduler_without_database", step=name, error=str(error))
            connections.close_all()
            return False
        except Exception as error:
            log.error("scheduler_step_failed", step=name, exc_info=error)
            return False
        return True

    def _asked_to_stop(self, signum: int, frame: Any) -> None:
        self._stop.set()
        hurry = threading.Timer(LEAVE_WITHIN_S, os._exit, [0])
        hurry.daemon = True
        hurry.start()
