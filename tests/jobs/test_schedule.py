"""The schedule: rows that follow the file, due times started once, runs by hand."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import User
from jobs.exceptions import TaskMissing, WrongState
from jobs.models import Job, ScheduledRun, ScheduledTask
from jobs.schedule import Task
from jobs.services import lifecycle, scheduling

pytestmark = pytest.mark.django_db

NIGHTLY = Task("nightly", "0 3 * * *", "tests.echo", "At night", params={"n": 1})
OFTEN = Task("often", "*/10 * * * *", "tests.echo", "Every ten minutes", catch_up=timedelta(hours=2))
EACH = Task("each", "0 * * * *", "tests.echo", "Each hour", each_time=True, catch_up=timedelta(hours=6))
TASKS = (NIGHTLY, OFTEN, EACH)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _listed(settings: Any) -> None:
    settings.JOBS_SCHEDULE = f"{__name__}.TASKS"


@pytest.fixture
def synced() -> None:
    scheduling.sync_schedule(now=NOON)


def at(**delta: float) -> datetime:
    return NOON + timedelta(**delta)


def due_times(name: str) -> list[datetime]:
    runs = ScheduledRun.objects.filter(task_id=name, is_by_hand=False, job__isnull=False)
    return list(runs.order_by("due_at").values_list("due_at", flat=True))


def end_all() -> None:
    Job.objects.active().update(status=Job.Status.COMPLETED)


# --- rows follow the file ---------------------------------------------------------------------------------------------


def test_rows_follow_the_file(synced: None) -> None:
    rows = {row.name: row for row in ScheduledTask.objects.all()}
    assert rows.keys() == {"nightly", "often", "each"}
    assert rows["nightly"].next_due_at == at(hours=15)
    changed = Task("nightly", "0 4 * * *", "tests.refuse", "Later at night")
    scheduling.sync_schedule(tasks=[changed], now=NOON)
    row = ScheduledTask.objects.get(pk="nightly")
    assert (row.cron, row.kind, row.description) == ("0 4 * * *", "tests.refuse", "Later at night")
    assert row.next_due_at == at(hours=16)
    gone = ScheduledTask.objects.get(pk="often")
    assert (gone.is_listed, gone.next_due_at) == (False, None)
    scheduling.sync_schedule(now=at(days=1))
    back = ScheduledTask.objects.get(pk="often")
    assert (back.is_listed, back.next_due_at) == (True, at(days=1, minutes=10))


def test_following_the_file_again_changes_nothing_that_is_due(synced: None) -> None:
    before = list(ScheduledTask.objects.values())
    scheduling.sync_schedule(now=at(days=3))
    assert list(ScheduledTask.objects.values()) == before
    started = [run.task_id for run in scheduling.start_due(now=at(hours=15))]
    assert started == ["nightly", "often", *["each"] * 7]


def test_a_paused_task_stays_paused_when_its_row_follows(synced: None) -> None:
    scheduling.pause(names=["nightly"])
    scheduling.sync_schedule(tasks=[Task("nightly", "0 5 * * *", "tests.echo", "")], now=NOON)
    row = ScheduledTask.objects.get(pk="nightly")
    assert (row.is_paused, row.next_due_at, row.cron) == (True, None, "0 5 * * *")


def test_a_task_listed_twice_is_told(settings: Any) -> None:
    settings.JOBS_SCHEDULE = f"{__name__}.TWICE"
    with pytest.raises(ValueError, match="twice"):
        scheduling.sync_schedule()


TWICE = (NIGHTLY, NIGHTLY)


# --- due times --------------------------------------------------------------------------------------------------------


def test_a_due_time_is_started_once_with_its_job(synced: None) -> None:
    assert scheduling.start_due(now=at(minutes=9, seconds=59)) == []
    (run,) = scheduling.start_due(now=at(minutes=10))
    assert (run.task_id, run.due_at, run.is_by_hand, run.note) == ("often", at(minutes=10), False, "")
    assert run.job is not None and (run.job.kind, run.job.status, run.job.about) == ("tests.echo", "queued", "often")
    assert scheduling.start_due(now=at(minutes=10, seconds=1)) == []
    assert ScheduledTask.objects.get(pk="often").next_due_at == at(minutes=20)


def test_a_due_time_is_not_started_again_when_the_row_was_put_back(synced: None) -> None:
    scheduling.start_due(now=at(minutes=10))
    end_all()
    ScheduledTask.objects.filter(pk="often").update(next_due_at=at(minutes=10))
    assert scheduling.start_due(now=at(minutes=11)) == []
    assert Job.objects.count() == 1


def test_after_downtime_the_latest_missed_time_is_started_once(synced: None) -> None:
    runs = scheduling.start_due(tasks=[OFTEN], now=at(hours=5, minutes=3))
    assert [run.due_at for run in runs] == [at(hours=5)]
    assert ScheduledTask.objects.get(pk="often").next_due_at == at(hours=5, minutes=10)


def test_what_is_missed_for_too_long_is_left_out_and_says_so(synced: None) -> None:
    late = Task("nightly", "0 3 * * *", "tests.echo", "", catch_up=timedelta(hours=2))
    (run,) = scheduling.start_due(tasks=[late], now=at(hours=20))
    assert (run.due_at, run.job) == (at(hours=15), None)
    assert "5 hours late" in run.note
    assert Job.objects.count() == 0
    assert ScheduledTask.objects.get(pk="nightly").next_due_at == at(hours=39)


def test_each_time_makes_up_for_every_missed_time_within_its_window(synced: None) -> None:
    scheduling.start_due(tasks=[EACH], now=at(hours=10, minutes=30))
    assert due_times("each") == [at(hours=hour) for hour in (5, 6, 7, 8, 9, 10)]
    scheduling.start_due(tasks=[EACH], now=at(hours=11))
    assert due_times("each")[-1] == at(hours=11) and Job.objects.active().count() == 7


def test_more_missed_times_than_fit_one_round_follow_in_the_next(synced: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "MOST_AT_ONCE", 4)
    for expected in (4, 6, 6):
        scheduling.start_due(tasks=[EACH], now=at(hours=6))
        assert due_times("each") == [at(hours=hour) for hour in range(1, expected + 1)]


def test_a_slow_run_does_not_pile_up(synced: None) -> None:
    (first,) = scheduling.start_due(tasks=[OFTEN], now=at(minutes=10))
    (second,) = scheduling.start_due(tasks=[OFTEN], now=at(minutes=20))
    assert second.job is None and str(first.job_id)[:8] in second.note
    assert Job.objects.count() == 1
    end_all()
    (third,) = scheduling.start_due(tasks=[OFTEN], now=at(minutes=30))
    assert third.job is not None and third.job_id != first.job_id


def test_paused_times_pass_unused(synced: None) -> None:
    assert scheduling.pause(names=["often"]) == 1
    assert scheduling.pause(names=["often"]) == 0
    assert scheduling.start_due(tasks=[OFTEN], now=at(hours=1)) == []
    assert scheduling.resume(names=["often"]) == 1
    row = ScheduledTask.objects.get(pk="often")
    assert row.next_due_at is not None and row.next_due_at > scheduling.database_now() - timedelta(seconds=1)
    assert scheduling.start_due(tasks=[OFTEN], now=at(hours=1)) == []


def test_a_task_that_can_not_be_started_holds_up_no_other(synced: None) -> None:
    broken = Task("nightly", "0 3 * * *", "tests.nobody_registered_this", "")
    runs = scheduling.start_due(tasks=[broken, OFTEN], now=at(hours=15))
    assert [(run.task_id, run.job is None) for run in runs] == [("nightly", True), ("often", False)]
    assert "Not started" in runs[0].note and "nobody_registered_this" in runs[0].note
    assert ScheduledTask.objects.get(pk="nightly").next_due_at == at(hours=39)  # once a night, not once a second


def test_a_task_of_a_newer_release_is_left_to_its_scheduler(synced: None) -> None:
    assert scheduling.start_due(tasks=[NIGHTLY], now=at(minutes=10)) == []
    assert len(scheduling.start_due(tasks=TASKS, now=at(minutes=10))) == 1


def test_a_job_that_is_run_again_by_a_person_counts_as_its_run(synced: None) -> None:
    (run,) = scheduling.start_due(tasks=[OFTEN], now=at(minutes=10))
    claimed = lifecycle.claim_one(job_id=run.job_id)
    assert claimed is not None
    (skipped,) = scheduling.start_due(tasks=[OFTEN], now=at(minutes=20))
    assert skipped.job is None and "running" in skipped.note


@pytest.mark.django_db(transaction=True)
def test_schedulers_at_the_same_moment_start_a_due_time_once() -> None:
    scheduling.sync_schedule(now=NOON)
    ready, started, errors = threading.Barrier(4), [], []

    def schedule() -> None:
        try:
            for minute in range(10, 60, 10):
                ready.wait(30)
                started.extend(scheduling.start_due(tasks=[OFTEN, EACH], now=at(minutes=minute)))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=schedule) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(run.due_at for run in started) == [at(minutes=minute) for minute in range(10, 60, 10)]
    assert Job.objects.count() == 1  # the later ones found it still waiting


@pytest.mark.django_db(transaction=True)
def test_rows_follow_the_file_from_two_schedulers_at_once() -> None:
    ready, errors = threading.Barrier(4), []

    def follow() -> None:
        try:
            ready.wait(30)
            scheduling.sync_schedule()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and ScheduledTask.objects.count() == 3


def test_one_round_of_the_command_follows_the_file_and_starts_what_is_due(synced: None) -> None:
    ScheduledTask.objects.filter(pk="often").update(next_due_at=at(minutes=10))
    call_command("schedule", "--once")
    assert ScheduledRun.objects.get(task="often").job is not None


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_run_by_hand_is_beside_the_times_and_says_who(synced: None, staff: User) -> None:
    run = scheduling.run_now(name="nightly", actor=staff)
    assert (run.is_by_hand, run.started_by, run.job and run.job.actor) == (True, staff, staff)
    assert ScheduledTask.objects.get(pk="nightly").next_due_at == at(hours=15)


def test_a_run_by_hand_is_refused_while_one_is_active(synced: None, staff: User) -> None:
    first = scheduling.run_now(name="nightly", actor=staff)
    with pytest.raises(WrongState, match=str(first.job_id)[:8]):
        scheduling.run_now(name="nightly", actor=staff)
    assert ScheduledRun.objects.count() == 1 == Job.objects.count()
    end_all()
    scheduling.run_now(name="nightly", actor=staff)


def test_a_paused_task_can_be_run_by_hand(synced: None, staff: User) -> None:
    scheduling.pause(names=["nightly"])
    assert scheduling.run_now(name="nightly", actor=staff).job is not None


def test_a_task_that_is_not_listed_can_not_be_run(synced: None, staff: User) -> None:
    with pytest.raises(TaskMissing):
        scheduling.run_now(name="unknown", actor=staff)


def test_a_task_can_be_run_before_any_scheduler_ran(staff: User) -> None:
    assert scheduling.run_now(name="nightly", actor=staff).task_id == "nightly"
    assert ScheduledTask.objects.count() == 3


@pytest.fixture
def nothing_due() -> None:
    scheduling.sync_schedule()


def test_a_call_from_outside_that_comes_twice_starts_one_job(nothing_due: None) -> None:
    first = scheduling.trigger(name="nightly")
    end_all()
    assert scheduling.trigger(name="nightly").pk == first.pk
    ScheduledRun.objects.update(created_at=scheduling.database_now() - timedelta(minutes=2))
    assert scheduling.trigger(name="nightly").pk != first.pk


def test_a_call_from_outside_while_a_run_is_active_gives_its_job(nothing_due: None) -> None:
    first = scheduling.trigger(name="nightly")
    ScheduledRun.objects.update(created_at=at(hours=-1))
    assert scheduling.trigger(name="nightly").pk == first.pk


def test_a_call_from_outside_at_a_due_time_is_the_clocks_run(synced: None) -> None:
    job = scheduling.trigger(name="often", now=at(minutes=10, seconds=1))
    run = ScheduledRun.objects.get(job=job)
    assert (run.is_by_hand, run.due_at) == (False, at(minutes=10))
    end_all()
    assert scheduling.start_due(tasks=[OFTEN], now=at(minutes=10, seconds=2)) == []
    assert scheduling.trigger(name="often", now=at(minutes=10, seconds=3)).pk == job.pk


def test_a_call_from_outside_does_not_start_what_staff_have_paused(nothing_due: None) -> None:
    scheduling.pause(names=["nightly"])
    with pytest.raises(WrongState, match="paused"):
        scheduling.trigger(name="nightly")
    assert Job.objects.count() == 0
