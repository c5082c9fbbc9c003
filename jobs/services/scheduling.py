"""Every write of the schedule: rows that follow the file, runs that are due, runs by hand.

A start locks the task's row, so of two schedulers (or a scheduler and a person) one starts it and the other finds it
started; run and job are written in that transaction, without Redis. The unique constraint on (task, due_at) holds even
if the row's `next_due_at` is put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import structlog
from django.db import connections, router, transaction
from django.utils import timezone

from accounts.exceptions import PlumblineError

from ..exceptions import TaskMissing, WrongState
from ..models import Job, ScheduledRun, ScheduledTask
from ..querysets import ScheduledTaskQuerySet
from ..schedule import Task, listed
from ..schedule import cron as crons
from .enqueueing import enqueue

if TYPE_CHECKING:
    from accounts.models import User

log = structlog.get_logger(__name__)

# Missed due times started in one transaction, for tasks that make up for each of them; the rest follows in the next.
MOST_AT_ONCE = 100
# A call of the endpoint that comes so soon after a start is the same call again, or means the same due time.
SAME_CALL = timedelta(minutes=1)
SYNC_LOCK = 0x504C5343  # of pg_advisory_xact_lock: "PLSC"


@transaction.atomic
def sync_schedule(*, tasks: Sequence[Task] | None = None, now: datetime | None = None) -> None:
    """Make the rows what the file says; a task that has left it keeps its row and history, unlisted.

    Idempotent, and one at a time (advisory lock). New and changed tasks are due at their next time from now on; what is
    overdue already stays so.
    """
    tasks = listed() if tasks is None else tasks
    now = now or database_now()
    with connections[router.db_for_write(ScheduledTask)].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SYNC_LOCK])
    rows = {row.name: row for row in ScheduledTask.objects.select_for_update()}
    for task in tasks:
        row = rows.get(task.name) or ScheduledTask(name=task.name, is_listed=False)
        _follow(row, task, now)
    ScheduledTask.objects.exclude(name__in=[task.name for task in tasks]).filter(is_listed=True).update(
        is_listed=False, next_due_at=None
    )


def _follow(row: ScheduledTask, task: Task, now: datetime) -> None:
    before = (row.cron, row.kind, row.description, row.is_listed)
    is_overdue = row.next_due_at is not None and row.next_due_at <= now
    if row.is_paused:
        row.next_due_at = None
    elif not is_overdue and (row.next_due_at is None or row.cron != task.cron):
        row.next_due_at = crons.next_after(task.cron, now)
    row.cron, row.kind, row.description, row.is_listed = task.cron, task.kind, task.description, True
    if row._state.adding or before != (row.cron, row.kind, row.description, row.is_listed):
        row.save()


def start_due(*, tasks: Sequence[Task] | None = None, now: datetime | None = None) -> list[ScheduledRun]:
    """Start what is due; the new runs, those skipped included. Time is the database's: schedulers on hosts whose clocks
    differ agree on it.

    One task that can't be started does not hold up the others: it is logged, and tried again in the next round.
    """
    now = now or database_now()
    names = set(_due(now).values_list("name", flat=True))
    runs: list[ScheduledRun] = []
    for task in tasks if tasks is not None else listed():
        if task.name in names:
            try:
                runs += start_due_of(task=task, now=now)
            except Exception as error:
                log.error("scheduled_task_not_started", task=task.name, exc_info=error)
    return runs


@transaction.atomic
def start_due_of(*, task: Task, now: datetime) -> list[ScheduledRun]:
    """Start this task if it is due; none if somebody else has, or does so at this moment (its row is locked)."""
    row = _due(now).select_for_update(skip_locked=True).filter(pk=task.name).first()
    return [] if row is None else _start_due(row, task, now)


def _start_due(row: ScheduledTask, task: Task, now: datetime) -> list[ScheduledRun]:
    """On a locked row that is due. Times go by the row's expression: the latest that any scheduler brought."""
    assert row.next_due_at is not None
    latest = crons.last_until(row.cron, now)
    oldest = now - task.catch_up
    if latest < oldest:
        times, late = [], [latest] if latest >= row.next_due_at else []
    elif task.each_time:
        first = max(row.next_due_at, oldest)
        times, late = list(islice(crons.between(row.cron, first, latest), MOST_AT_ONCE)), []
    else:
        times, late = [latest] if latest >= row.next_due_at else [], []
    row.next_due_at = crons.next_after(row.cron, times[-1] if task.each_time and times else now)
    row.save(update_fields=["next_due_at"])
    runs = [_start_at(row, task, due_at) for due_at in times]
    for due_at in late:
        hours = round((now - due_at).total_seconds() / 3600)
        runs.append(_skip(row, due_at, f"Left out: noticed {hours} hours late, when it no longer made sense."))
    return [run for run in runs if run is not None]


def _start_at(row: ScheduledTask, task: Task, due_at: datetime) -> ScheduledRun | None:
    run, is_new = ScheduledRun.objects.get_or_create(task=row, due_at=due_at, is_by_hand=False)
    if not is_new:
        return None
    try:
        busy = _give_job(run, task)
    except PlumblineError as error:  # such as a kind that nobody registered: trying each second would not help
        run.note = f"Not started: {error}"[:300]
        log.error("scheduled_task_not_started", task=task.name, due_at=due_at.isoformat(), exc_info=error)
    else:
        if busy is not None:
            run.note = f"Skipped: the run before was not done yet (job {str(busy.pk)[:8]}, {busy.status})."
            log.warning("scheduled_task_skipped", task=task.name, due_at=due_at.isoformat(), job=str(busy.pk))
    run.save(update_fields=["job", "note"])
    return run


def _skip(row: ScheduledTask, due_at: datetime, note: str) -> ScheduledRun | None:
    log.warning("scheduled_task_left_out", task=row.name, due_at=due_at.isoformat())
    run, is_new = ScheduledRun.objects.get_or_create(task=row, due_at=due_at, is_by_hand=False, defaults={"note": note})
    return run if is_new else None


def _give_job(run: ScheduledRun, task: Task, actor: User | None = None) -> Job | None:
    """A job for the run; not given, but returned, is the job of an earlier run that is still active."""
    job = enqueue(
        kind=task.kind, params=task.params, actor=actor, queue=task.queue, about=task.name, dedupe_key=task.dedupe_key
    )
    if ScheduledRun.objects.filter(job=job).exists():
        return job
    run.job = job
    return None


@transaction.atomic
def run_now(*, name: str, actor: User | None) -> ScheduledRun:
    """Start a task beside its times, paused or not. Raises TaskMissing, WrongState (a run is active), UnknownKind."""
    row, task = _locked(name)
    run = ScheduledRun(task=row, is_by_hand=True, started_by=actor, due_at=database_now())
    busy = _give_job(run, task, actor)
    if busy is not None:
        state = busy.get_status_display().lower()
        raise WrongState(
            f"{name} has a run that is not done yet (job {str(busy.pk)[:8]}, {state}). Wait, or cancel it."
        )
    run.save(force_insert=True)
    log.info("scheduled_task_run_by_hand", task=name, job=str(run.job_id), by=str(actor.pk) if actor else "endpoint")
    return run


@transaction.atomic
def trigger(*, name: str, now: datetime | None = None) -> Job:
    """For a clock outside: the job of a run that is active, was started within the last minute, or is started now.

    So a caller that repeats itself, or that runs beside our own scheduler, starts nothing twice: what is due counts as
    the clock's run, and else the latest run answers for a minute. Raises TaskMissing, WrongState (the task is paused),
    UnknownKind.
    """
    row, task = _locked(name)
    if row.is_paused:
        raise WrongState(f"{name} is paused. Resume it first, or run it by hand in the admin.", code="task_paused")
    now = now or database_now()
    if row.next_due_at is not None and row.next_due_at <= now:
        _start_due(row, task, now)
    recent = ScheduledRun.objects.filter(task=row, job__isnull=False).select_related("job").order_by("-created_at")
    latest = recent.first()
    if latest is not None and latest.job is not None:
        is_blocking = latest.job.is_active and not task.each_time
        if is_blocking or latest.created_at > now - SAME_CALL:
            return latest.job
    run = ScheduledRun(task=row, is_by_hand=True, due_at=now)
    busy = _give_job(run, task)
    if busy is not None:  # an earlier run that somebody retried
        return busy
    run.save(force_insert=True)
    assert run.job is not None
    return run.job


def pause(*, names: Iterable[str]) -> int:
    """Their due times pass unused until resumed; how many were not paused already."""
    return ScheduledTask.objects.filter(name__in=list(names), is_paused=False).update(is_paused=True, next_due_at=None)


@transaction.atomic
def resume(*, names: Iterable[str]) -> int:
    """Due again from now on: what passed meanwhile is not made up for. How many were paused."""
    now = database_now()
    rows = list(ScheduledTask.objects.select_for_update().filter(name__in=list(names), is_paused=True))
    for row in rows:
        row.is_paused = False
        row.next_due_at = crons.next_after(row.cron, now) if row.is_listed else None
        row.save(update_fields=["is_paused", "next_due_at"])
    return len(rows)


def _locked(name: str) -> tuple[ScheduledTask, Task]:
    task = next((task for task in listed() if task.name == name), None)
    if task is None:
        raise TaskMissing(f"The schedule has no task {name!r}.")
    if not ScheduledTask.objects.filter(pk=name).exists():  # no scheduler has run since it was added
        sync_schedule()
    return ScheduledTask.objects.select_for_update().get(pk=name), task


def _due(now: datetime) -> ScheduledTaskQuerySet:
    return ScheduledTask.objects.filter(is_listed=True, is_paused=False, next_due_at__lte=now)


def database_now() -> datetime:
    with connections[router.db_for_write(ScheduledTask)].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    moment: datetime = now.astimezone(timezone.get_default_timezone())
    return moment
