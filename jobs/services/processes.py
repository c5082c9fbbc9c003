"""Which workers and schedulers are alive: each keeps a row, and whoever was not seen lately is taken to be gone."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from .. import tuning
from ..models import Process

# Six beats: a process that is paused for a moment, or waits for the database, is not dead.
ALIVE_WITHIN = timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(hours=1)


class Presence:
    """This process's row in the table. `beat` may be called from any thread, as often as one likes."""

    def __init__(self, *, kind: str, queues: Sequence[str] = ()) -> None:
        self._row = Process(
            kind=kind,
            host=socket.gethostname()[:200],
            pid=os.getpid(),
            queues=list(queues),
            release=str(getattr(settings, "RELEASE", ""))[:80],
        )
        self._lock = threading.Lock()
        self._beaten_at = float("-inf")
        self._has_left = False

    @property
    def id(self) -> UUID:
        return self._row.pk

    def beat(
        self,
        *,
        jobs_run: int | None = None,
        busy_with: Sequence[UUID] = (),
        is_stopping: bool = False,
        at_once: bool = False,
    ) -> None:
        """Say that this process lives, at most every five seconds unless `at_once`; the rest is left alone until then.

        `jobs_run`: since its start; None: as before. A row that somebody removed meanwhile is written again.
        """
        with self._lock:
            now = time.monotonic()
            if self._has_left or (not at_once and now - self._beaten_at < tuning.PRESENCE_EVERY_S):
                return
            self._beaten_at = now
            row = self._row
            row.seen_at, row.is_stopping = timezone.now(), is_stopping
            row.jobs_run = row.jobs_run if jobs_run is None else jobs_run
            row.busy_with = [str(job_id) for job_id in busy_with]
            values = {"seen_at", "is_stopping", "jobs_run", "busy_with"}
            if not Process.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in values}):
                row.save(force_insert=True)

    def leave(self) -> None:
        """Remove the row: this process ends in good order. Later beats do nothing."""
        with self._lock:
            self._has_left = True
            Process.objects.filter(pk=self._row.pk).delete()


def arrive(*, kind: str, queues: Sequence[str] = ()) -> Presence:
    """Write the row of this process, a worker or scheduler (`Process.Kind`); it is to call `beat` every few seconds
    and `leave` at its end."""
    presence = Presence(kind=kind, queues=queues)
    presence.beat(at_once=True)
    return presence


def alive(kind: str, *, now: datetime | None = None) -> QuerySet[Process]:
    """Processes of this kind that were seen within half a minute."""
    return Process.objects.filter(kind=kind, seen_at__gte=(now or timezone.now()) - ALIVE_WITHIN)


def forget_dead(*, now: datetime) -> int:
    """Remove rows of processes that were killed; how many. An hour they stay, for operators to see them."""
    return Process.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()[0]
