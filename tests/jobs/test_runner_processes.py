"""Rows of living processes: written, kept, removed, and found again."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from jobs.models import Process
from jobs.services import processes
from jobs.sweeper import sweep

pytestmark = pytest.mark.django_db(transaction=True)


def test_process_is_alive_from_its_arrival_until_it_leaves() -> None:
    worker = processes.arrive(kind="worker", queues=["high", "low"])
    assert [(row.pk, row.queues) for row in processes.alive("worker")] == [(worker.id, ["high", "low"])]
    assert not processes.alive("scheduler").exists()
    worker.leave()
    worker.beat(at_once=True)
    assert not Process.objects.exists(), "who has left does not come back"


def test_process_that_falls_silent_is_dead_and_later_forgotten() -> None:
    worker = processes.arrive(kind="worker")
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert not processes.alive("worker").exists()
        assert sweep().processes_forgotten == 0, "operators are to see it"
        worker.beat(at_once=True, jobs_run=7)
        assert [row.jobs_run for row in processes.alive("worker")] == [7]
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert sweep().processes_forgotten == 1
        worker.beat(at_once=True)
        assert processes.alive("worker").exists(), "it was only asleep: its row is written again"


def test_beats_in_between_write_nothing(django_assert_num_queries) -> None:
    worker = processes.arrive(kind="worker")
    with django_assert_num_queries(0):
        worker.beat(jobs_run=1)
