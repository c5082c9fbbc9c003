"""Workers killed in the middle of an import and of an audit: what is left is nothing or everything.

Where a worker dies is not left to chance: the test holds a lock that it needs there, and kills it while it waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from accounts.models import User
from jobs.models import Job
from jobs.sweeper import sweep
from projects.models import AuditRun, BudgetVersion, Document, Finding, Position, Project, Verdict
from projects.services.documents import upload_document
from tests.factories.bills import GivenPosition, write_unixml
from tests.factories.imports import given_bill
from tests.factories.projects import make_project
from tests.jobs.processes import command, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

COUNT = 2000
WORK = ("Odkopávky", "Zásyp", "Lože", "Obetonování", "Bednění")
# The last table that each writes before its job is completed in the same transaction; what an audit asks at its start.
END_OF_IMPORT = "LOCK TABLE projects_budgetversion IN ACCESS EXCLUSIVE MODE"
END_OF_AUDIT = "LOCK TABLE projects_auditrun IN ACCESS EXCLUSIVE MODE"
START_OF_AUDIT = "LOCK TABLE projects_findingoverride IN ACCESS EXCLUSIVE MODE"
NEXT_REPORT = "SELECT FROM jobs_job WHERE kind = 'projects.audit' FOR UPDATE"


@pytest.fixture
def project(owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """With a bill that waits to be read."""
    monkeypatch.setenv("MEDIA_ROOT", str(settings.MEDIA_ROOT))  # else each process of the tests has one of its own
    project = make_project(owner, "Velká stavba")
    positions = [
        GivenPosition(
            str(n), f"{WORK[n % 5]} v úseku {n}", "m3", Decimal(n % 90 + 1), Decimal(n % 700 + 9), str(121150000 + n)
        )
        for n in range(1, COUNT + 1)
    ]
    write_unixml(tmp_path / "bill.xml", given_bill(*positions))
    content = ContentFile((tmp_path / "bill.xml").read_bytes())
    upload_document(project_id=project.pk, actor=owner, file=content, filename="bill.xml")
    return project


@contextmanager
def held(lock: str) -> Iterator[None]:
    """A lock of a connection of its own."""
    other = connection.get_new_connection(connection.get_connection_params())
    try:
        other.autocommit = False
        other.execute(lock)
        yield
    finally:
        other.close()


def somebody_waits() -> bool:
    return len(backends("wait_event_type = 'Lock'")) > 0


def backends(condition: str = "true") -> set[int]:
    """Other connections to this database; tests before this one may have left some behind."""
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pid FROM pg_stat_activity WHERE {others} AND {condition}")
        return {int(pid) for (pid,) in cursor.fetchall()}


def kill_at(lock: str) -> None:
    """Work, and be killed where this lock is needed."""
    before = backends()
    with held(lock), command("work", "default", "--burst") as worker:
        wait_until(somebody_waits, "the worker comes to the lock")
        worker.kill()
        worker.wait()
    wait_until(lambda: backends() <= before, "the dead worker's connections are gone")


def kill_between(first: str, second: str) -> None:
    """The same at the second lock, which can be had only when the worker has come to the first."""
    before = backends()
    with command("work", "default", "--burst") as worker:
        with held(first):
            wait_until(somebody_waits, "the worker comes to the first lock")
            later = held(second)
            later.__enter__()
        wait_until(somebody_waits, "the worker comes to the second lock")
        worker.kill()
        worker.wait()
        later.__exit__(None, None, None)
    wait_until(lambda: backends() <= before, "the dead worker's connections are gone")


def hand_over(job: Job) -> None:
    """What the scheduler does: it takes the job back, and later lets it be tried again."""
    assert Job.objects.get(pk=job.pk).status == "running"
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert sweep().taken_back == 1
        job.refresh_from_db()
    assert job.next_retry_at is not None
    with time_machine.travel(job.next_retry_at + timedelta(seconds=1)):
        assert sweep().retries_released == 1


def work_off() -> None:
    with command("work", "default", "--burst") as worker:
        assert worker.wait(60) == 0


def assert_imported_once(project: Project) -> None:
    project.refresh_from_db()
    assert BudgetVersion.objects.get().number == project.version_number == 1
    assert Position.objects.count() == project.total_positions == COUNT
    assert Position.objects.values("number").distinct().count() == COUNT
    assert Document.objects.get().parse_status == "completed"


def test_an_import_whose_worker_is_killed_is_made_once_by_another(project: Project) -> None:
    reading = Job.objects.get(kind="projects.parse_document")
    kill_at(END_OF_IMPORT)
    project.refresh_from_db()
    assert (project.version_number, project.total_positions, project.status) == (0, 0, "parsing")
    assert not Position.objects.exists() and not BudgetVersion.objects.exists()
    assert Document.objects.get().parse_status == "parsing"
    assert Job.objects.count() == 1  # no audit was asked for
    hand_over(reading)

    work_off()

    assert_imported_once(project)
    reading.refresh_from_db()
    assert (reading.status, reading.attempt, project.status) == ("completed", 2, "completed")
    assert Job.objects.get(kind="projects.audit").status == "completed"


def test_an_audit_whose_worker_is_killed_is_made_once_by_another(project: Project) -> None:
    kill_at(END_OF_AUDIT)
    assert_imported_once(project)
    audit = Job.objects.get(kind="projects.audit")
    assert_not_audited(project)
    hand_over(audit)
    kill_between(START_OF_AUDIT, NEXT_REPORT)
    assert_not_audited(project)
    hand_over(audit)

    work_off()

    assert_imported_once(project)
    audit.refresh_from_db()
    assert (audit.status, audit.attempt, project.status) == ("completed", 3, "completed")
    assert AuditRun.objects.get().positions == Verdict.objects.count() == COUNT
    counts = (project.count_green, project.count_amber, project.count_red, project.count_not_checked)
    assert project.is_audited and sum(counts) == COUNT


def assert_not_audited(project: Project) -> None:
    project.refresh_from_db()
    assert (project.status, project.audited_version, project.count_not_checked) == ("auditing", None, COUNT)
    assert not AuditRun.objects.exists() and not Verdict.objects.exists() and not Finding.objects.exists()
