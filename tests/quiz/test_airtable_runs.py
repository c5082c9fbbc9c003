"""The sync as people, the clock and bad luck run it: by command, by job, killed half-way, all faults at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pyairtable import Api

from accounts.models import User
from jobs.models import Job
from jobs.runner import run_here
from quiz.models import Bank, Question, SyncRejection, SyncRun
from quiz.services import banks
from tests.factories.people import make_user
from tests.standins import airtable_questions as office
from tests.standins.airtable import serving
from tests.standins.airtable_base import Airtable, Bucket, Table

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
FASTER = {"AIRTABLE_REQUESTS_PER_S": "45", "AIRTABLE_LOCKOUT_S": "0.5", "AIRTABLE_BACKOFF_S": "0.02"}


@pytest.fixture
def airtable(settings: Any) -> Iterator[Airtable]:
    standin = office.welding_base(300)
    standin.bucket = Bucket(per_s=50.0, lockout_s=0.5)
    standin.slow_s = 3.0
    for name, value in FASTER.items():
        setattr(settings, name, float(value))
    with serving(standin):
        settings.AIRTABLE_URL, settings.AIRTABLE_TOKEN, settings.AIRTABLE_TIMEOUT_S = standin.url, standin.token, 1.0
        yield standin


@pytest.fixture
def table(airtable: Airtable) -> Table:
    return airtable.tables[office.TABLE]


@pytest.fixture
def bank(airtable: Airtable) -> Bank:
    return Bank.objects.create(
        name="Office", kind="airtable", base_id=airtable.base_id, table_id=office.TABLE, is_scheduled=True
    )


@pytest.fixture
def staff(db: None) -> User:
    user = make_user("keeper", is_staff=True)
    user.is_superuser = True
    user.save()
    return user


def command(capsys: Any, *arguments: str) -> dict[str, Any]:
    call_command("sync_airtable", "--json", *arguments)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_two_thousand_records_on_the_worst_of_days(airtable: Airtable, bank: Bank, capsys: Any) -> None:
    """Lock-outs, a lost iterator, 502, slow, cut and reset answers, bad rows; then vanished rows, fields renamed and
    retyped. Each time: fetched = created + updated + unchanged + rejected."""
    table = office.welding_table(2000)
    airtable.tables[table.id] = table
    for number in range(100, 130):
        airtable.put(table, office.record_id(number), **{office.CORRECT: None})
    airtable.faults.extend(["429", "", "502", "slow", "", "reset", "expire", "429", "", "cut", "no_json"])
    first = command(capsys, "--full")
    assert not airtable.faults
    assert {name: first[name] for name in ("fetched", "created", "rejected")} == {
        "fetched": 2000, "created": 1970, "rejected": 30
    }  # fmt: skip
    assert Question.objects.live().count() == 1970
    second = command(capsys, "--full")
    assert (second["unchanged"], second["rejected"], second["created"] + second["updated"]) == (1970, 30, 0)

    airtable.change_field(table, office.STEM, name="Frage")
    airtable.change_field(table, office.TAGS, type="singleLineText")
    for number in range(1, 41):
        airtable.put(table, office.record_id(number), **{office.TAGS: "preheat, plates"})
    airtable.remove(table, *map(office.record_id, range(1900, 2001)))
    airtable.faults.extend(["reset", "429"])
    third = command(capsys, "--full")
    assert {name: third[name] for name in ("fetched", "updated", "unchanged", "rejected", "retired")} == {
        "fetched": 1899, "updated": 40, "unchanged": 1829, "rejected": 30, "retired": 101
    }  # fmt: skip
    assert len(third["banks"][0]["drift"]) == 2
    for run in SyncRun.objects.all():
        assert run.fetched == run.created + run.updated + run.unchanged + run.rejected


def test_a_sync_killed_in_the_middle_changes_nothing_that_readers_see(
    airtable: Airtable, table: Table, bank: Bank, capsys: Any
) -> None:
    command(capsys, "--full")
    for number in range(1, 301):
        airtable.put(table, office.record_id(number), **{office.EXPLANATION: "Said anew"})
    airtable.slow_s = 600.0
    airtable.faults.extend(["", "slow"])
    environment = os.environ | FASTER | {"AIRTABLE_URL": airtable.url, "AIRTABLE_TOKEN": airtable.token}
    process = subprocess.Popen([sys.executable, "manage.py", "sync_airtable", "--full"], cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 120
        while airtable.faults and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    finally:
        process.kill()
    assert not Question.objects.filter(current__explanation="Said anew").exists()
    assert SyncRun.objects.filter(status="running").count() == 1
    deadline = time.monotonic() + 60
    while not _is_free(bank) and time.monotonic() < deadline:  # the server notices that its session has gone
        time.sleep(0.1)
    assert command(capsys, "--full")["updated"] == 300
    assert not SyncRun.objects.filter(status="running").exists()


def _is_free(bank: Bank) -> bool:
    from quiz.exceptions import BankBusy
    from quiz.services.runs import _alone

    try:
        with _alone(bank.pk):
            return True
    except BankBusy:
        return False


def test_the_command_makes_a_bank_and_says_what_it_would_do(airtable: Airtable, capsys: Any) -> None:
    told = command(capsys, "--base", airtable.base_id, "--table", office.TABLE, "--dry-run")
    assert (told["created"], Question.objects.count()) == (300, 0)
    told = command(capsys, "--base", airtable.base_id, "--table", office.TABLE)
    assert told["created"] == Question.objects.count() == 300
    call_command("sync_airtable", "--bank", Bank.objects.get().name)
    assert "300 unchanged" not in capsys.readouterr().out, "only what has changed is read: nothing"


def test_the_command_ends_with_the_reason(
    airtable: Airtable, table: Table, bank: Bank, settings: Any, capsys: Any
) -> None:
    with pytest.raises(CommandError, match="together") as usage:
        call_command("sync_airtable", "--base", "appX")
    assert usage.value.returncode == 2
    with pytest.raises(CommandError, match="no bank named"):
        call_command("sync_airtable", "--bank", "Nowhere")
    command(capsys)
    airtable.remove(table, *map(office.record_id, range(1, 101)))
    with pytest.raises(CommandError, match="--force") as failed:
        call_command("sync_airtable", "--full")
    assert failed.value.returncode == 1
    capsys.readouterr()
    assert command(capsys, "--full", "--force")["retired"] == 100
    settings.SYNC_MODE = "off"
    assert command(capsys) == {
        "fetched": 0, "created": 0, "updated": 0, "unchanged": 0, "rejected": 0, "retired": 0, "mode": "off",
        "banks": [], "failed": [],
    }  # fmt: skip


def test_a_job_reads_the_bank_with_progress_and_its_run_names_it(bank: Bank, staff: User) -> None:
    job = banks.start_sync(bank_id=bank.pk, actor=staff)
    assert banks.start_sync(bank_id=bank.pk, actor=staff).pk == job.pk, "one at a time"
    run_here(job_id=job.pk)
    job.refresh_from_db()
    assert job.status == Job.Status.COMPLETED, job.error
    assert job.result is not None
    assert job.result["created"] == 300
    assert (job.done, job.total) == (300, 300)
    run = SyncRun.objects.get()
    assert (run.job_id, run.started_by_id, run.status) == (job.pk, staff.pk, "completed")


def test_a_job_that_airtable_does_not_answer_is_tried_again_later(
    airtable: Airtable, bank: Bank, staff: User, settings: Any
) -> None:
    settings.AIRTABLE_URL = "http://127.0.0.1:9"  # nobody listens
    job = banks.start_sync(bank_id=bank.pk, actor=staff)
    run_here(job_id=job.pk)
    job.refresh_from_db()
    assert job.status == Job.Status.RETRYING
    assert SyncRun.objects.get().status == "failed"


def test_the_clock_reads_scheduled_banks_and_those_with_a_webhook_between(
    airtable: Airtable, bank: Bank, settings: Any
) -> None:
    Bank.objects.create(name="Not scheduled", kind="airtable", base_id="appX", table_id="tblX")
    assert banks.start_due(is_full=False) == [], "no webhook yet"
    [job_id] = banks.start_due(is_full=True)
    run_here(job_id=job_id)
    [job_id] = banks.start_due(is_full=False)
    run_here(job_id=job_id)
    assert list(SyncRun.objects.order_by("started_at").values_list("kind", flat=True)) == ["full", "delta"]
    settings.SYNC_MODE = "off"
    assert banks.start_due(is_full=True) == []


def test_rejections_are_retried_by_a_job(airtable: Airtable, table: Table, bank: Bank, staff: User) -> None:
    for number in (5, 6):
        airtable.put(table, office.record_id(number), **{office.CORRECT: "Z"})
    run_here(job_id=banks.start_sync(bank_id=bank.pk, actor=staff).pk)
    airtable.put(table, office.record_id(5), **{office.CORRECT: "A"})
    rejections = list(SyncRejection.objects.unresolved().values_list("pk", flat=True))
    [job] = banks.start_retry(rejection_ids=rejections, actor=staff)
    run_here(job_id=job.pk)
    assert SyncRejection.objects.unresolved().get().record_id == office.record_id(6)


def test_the_stand_in_answers_airtables_own_client(airtable: Airtable, table: Table) -> None:
    """Another client than ours finds in it what it expects of Airtable."""
    api = Api(airtable.token, endpoint_url=airtable.url)
    records = api.table(airtable.base_id, office.TABLE).all(page_size=100, use_field_ids=True)
    assert [record["id"] for record in records] == list(table.records)
    assert records[0]["fields"] == table.records[office.record_id(1)]
    named = api.table(airtable.base_id, "Questions").first()
    assert named is not None
    assert named["fields"]["Question"] == "Plate 1 needs preheat."
    schema = api.base(airtable.base_id).schema()
    assert [field.name for field in schema.tables[0].fields][:2] == ["Question", "Type"]
