"""Old rows go, in pieces; what is active, shown or reckoned with stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import Organisation, User
from accounts.services import tokens_for
from jobs.models import (
    BATCH_KIND,
    Job,
    ReceivedWebhook,
    ScheduledRun,
    ScheduledTask,
    WebhookDelivery,
    WebhookEndpoint,
)
from jobs.services import enqueue, estimate_seconds, trimming
from jobs.services.history import LATEST

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _kept(settings: Any) -> None:
    settings.JOBS_KEPT_DAYS, settings.WEBHOOKS_KEPT_DAYS, settings.SCHEDULED_RUNS_KEPT_DAYS = 30, 20, 60


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def job(status: str = "failed", days: float = 31, **fields: Any) -> Job:
    ended = ago(days) if status in Job.ENDED else None
    values = {"kind": "tests.echo", "created_at": ago(days), "started_at": ago(days), "finished_at": ended}
    return Job.objects.create(status=status, **(values | fields))


def trim() -> dict[str, int]:
    told: list[tuple[int, int, str]] = []
    removed = trimming.trim(report=lambda done, total, message: told.append((done, total, message)))
    assert told[-1] == (7, 7, f"{sum(removed.values()):,} old rows removed")
    return removed


def left() -> set[Any]:
    return set(Job.objects.values_list("pk", flat=True))


def test_ended_jobs_go_after_their_days_and_active_ones_never() -> None:
    kept = {job(status, days=400).pk for status in Job.ACTIVE} | {job(days=29).pk, job("cancelled", days=29).pk}
    for status in ("failed", "cancelled"):
        job(status)
    assert trim()["jobs"] == 2
    assert left() == kept


def test_estimates_keep_the_runs_they_are_reckoned_from() -> None:
    for number in range(LATEST + 5):
        job("completed", days=40 + number, started_at=ago(40 + number) - timedelta(seconds=10))
    rare = job("completed", days=300, kind="tests.steps", started_at=ago(300) - timedelta(seconds=7))
    before = estimate_seconds("tests.echo"), estimate_seconds("tests.steps")
    assert trim()["jobs"] == 5
    assert (estimate_seconds("tests.echo"), estimate_seconds("tests.steps")) == before
    assert rare.pk in left() and Job.objects.count() == LATEST + 1


def test_a_batch_goes_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trimming, "AT_ONCE", 4)
    old = job("failed", kind=BATCH_KIND)
    for _ in range(11):
        job("completed", days=31, batch=old)
    young = job("completed", days=29, kind=BATCH_KIND)
    of_young = {job("completed", days=31, batch=young).pk, job("failed", days=31, batch=young).pk}
    at_work = job("running", kind=BATCH_KIND)
    of_active = {job("failed", batch=at_work).pk, job("queued", batch=at_work).pk}
    assert trim()["batches"] == 12
    assert left() == {young.pk, at_work.pk} | of_young | of_active


def test_more_than_a_piece_goes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trimming, "AT_ONCE", 3)
    for _ in range(8):
        job()
    assert trim()["jobs"] == 8
    assert trim()["jobs"] == 0


def test_a_job_that_somebody_retries_meanwhile_stays() -> None:
    again = job()
    old = trimming.old_jobs(ago(30), "tests.echo")
    Job.objects.filter(pk=again.pk).update(status="queued", finished_at=None)
    assert list(old) == []


def test_the_last_run_of_a_task_keeps_its_row_and_its_job() -> None:
    monthly = ScheduledTask.objects.create(name="monthly", cron="0 0 1 * *", kind="tests.echo")
    ScheduledTask.objects.create(name="never", cron="0 0 1 * *", kind="tests.echo")
    older, last = job(days=130), job(days=100)
    for each, days in ((older, 130), (last, 100)):
        ScheduledRun.objects.create(task=monthly, job=each, due_at=ago(days), created_at=ago(days))
    removed = trim()
    assert (removed["scheduled runs"], removed["jobs"]) == (1, 1)
    assert left() == {last.pk} and ScheduledRun.objects.get().job_id == last.pk


def test_runs_keep_their_record_longer_than_their_job_and_no_longer_than_it_runs() -> None:
    task = ScheduledTask.objects.create(name="nightly", cron="0 0 * * *", kind="tests.echo")
    running = job("running", days=90)
    for each, days in ((running, 90), (job(days=80), 80), (job(days=40), 40), (job(days=1), 1)):
        ScheduledRun.objects.create(task=task, job=each, due_at=ago(days), created_at=ago(days))
    trim()
    runs = list(ScheduledRun.objects.order_by("due_at").values_list("job__status", flat=True))
    assert runs == ["running", None, "failed"]


def test_webhook_messages_go_but_not_what_is_still_to_be_done(organisation: Organisation) -> None:
    endpoint = WebhookEndpoint.objects.create(organisation=organisation, url="https://example.com/hook", secret="s")
    kept = set()
    for days in (19, 21):
        for status in WebhookDelivery.Status:
            each = WebhookDelivery.objects.create(
                endpoint=endpoint, event_type="job.completed", payload={}, status=status, created_at=ago(days)
            )
            if days < 20 or status == WebhookDelivery.Status.PENDING:
                kept.add(each.pk)
        for received_as in ReceivedWebhook.Status:
            one = ReceivedWebhook.objects.create(
                source="demo", provider_id=str(uuid4()), body=b"", status=received_as, received_at=ago(days)
            )
            if days < 20 or received_as == ReceivedWebhook.Status.STORED:
                kept.add(one.pk)
    removed = trim()
    assert (removed["webhook deliveries"], removed["received webhooks"]) == (2, 2)
    assert (
        set(WebhookDelivery.objects.values_list("pk", flat=True))
        | set(ReceivedWebhook.objects.values_list("pk", flat=True))
        == kept
    )


def test_a_removed_job_leaves_the_delivery_that_named_it(organisation: Organisation) -> None:
    endpoint = WebhookEndpoint.objects.create(organisation=organisation, url="https://example.com/hook", secret="s")
    delivery = WebhookDelivery.objects.create(endpoint=endpoint, event_type="e", payload={}, job=job())
    assert trim()["jobs"] == 1
    delivery.refresh_from_db()
    assert delivery.job is None


def test_expired_sessions_and_tokens_go(member: User) -> None:
    for days, key in ((-1, "live"), (1, "over")):
        Session.objects.create(session_key=key, session_data="", expire_date=ago(days))
    live, used, over = (tokens_for(user=member) for _ in range(3))
    del live, used, over
    first, second, third = OutstandingToken.objects.order_by("pk")
    for token in (second, third):
        BlacklistedToken.objects.create(token=token)
    OutstandingToken.objects.filter(pk__in=[first.pk, third.pk]).update(expires_at=ago(1))
    removed = trim()
    assert (removed["sessions"], removed["tokens"]) == (1, 2)
    assert Session.objects.get().session_key == "live"
    assert OutstandingToken.objects.get() == second and BlacklistedToken.objects.get().token == second


def test_the_job_that_trims_says_what_it_removed(drain: Callable[[], int], settings: Any) -> None:
    job()
    trimming_job = enqueue(kind="jobs.trim", params={})
    assert drain() == 1
    trimming_job.refresh_from_db()
    assert (trimming_job.status, trimming_job.result["jobs"]) == ("completed", 1)
    assert trimming_job.current_step == "1 old rows removed"
