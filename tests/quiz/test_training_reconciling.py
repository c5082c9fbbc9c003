"""Calls whose report never came are found by asking the voice service, and recordings are fetched from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.exceptions import Temporary
from accounts.models import Organisation, User
from jobs.models import Job
from quiz.models import SessionFile, TrainingSession, VoiceConnection
from quiz.services.training import reconciling
from quiz.training_exceptions import CallsNotListed
from tests.factories.voice import SAID, bearer, body_of, listed, make_connection, report
from tests.standins.voice import VoiceService, voice_service

pytestmark = pytest.mark.django_db(transaction=True)
Drain = Callable[[], int]
WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 200


@pytest.fixture(autouse=True)
def _loopback_is_reached(settings: Any) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def service() -> Iterator[VoiceService]:
    with voice_service() as service:
        yield service


@pytest.fixture
def connection(organisation: Organisation, service: VoiceService) -> VoiceConnection:
    created_at = timezone.now() - timedelta(days=2)
    return make_connection(organisation, api_url=service.url, api_key=service.key, created_at=created_at)


def ago(**passed: float) -> str:
    return (timezone.now() - timedelta(**passed)).astimezone(UTC).isoformat(timespec="milliseconds")


def silent(done: int, total: int, message: str) -> None:
    """No report."""


def reconcile(connection: VoiceConnection) -> dict[str, int]:
    return reconciling.reconcile(connection_id=connection.pk, report=silent)


def test_what_no_report_told_of_is_taken_in_once(
    connection: VoiceConnection, service: VoiceService, drain: Drain
) -> None:
    Client().post(
        f"/api/hooks/voice?connection={connection.pk}",
        body_of(report("known")),
        content_type="application/json",
        headers=bearer(),
    )
    drain()
    service.calls = [
        listed("known", ago(hours=1)),
        listed("lost", ago(hours=5)),
        listed("still", ago(minutes=1), status="in-progress"),
        listed("silent", ago(hours=2), said=()),
    ]
    assert reconcile(connection) == {"listed": 4, "taken": 1, "unreadable": 1}
    drain()
    found = TrainingSession.objects.get(call_id="lost")
    assert (found.status, found.source, len(found.clean)) == ("done", "voice", len(SAID))
    assert reconcile(connection)["taken"] == 0
    assert TrainingSession.objects.count() == 2


def test_the_report_that_comes_after_all_changes_nothing(
    connection: VoiceConnection, service: VoiceService, drain: Drain
) -> None:
    service.calls = [listed("late", ago(hours=1))]
    reconcile(connection)
    drain()
    before = TrainingSession.objects.values("updated_at", "revision", "status").get()
    Client().post(
        f"/api/hooks/voice?connection={connection.pk}",
        body_of(report("late")),
        content_type="application/json",
        headers=bearer(),
    )
    drain()
    assert TrainingSession.objects.values("updated_at", "revision", "status").get() == before


def test_more_calls_than_one_answer_holds_are_all_found(connection: VoiceConnection, service: VoiceService) -> None:
    start = timezone.now() - timedelta(hours=30)
    moments = [start + timedelta(seconds=11 * number) for number in range(330)]
    service.calls = [listed(f"call-{number}", moment.isoformat()) for number, moment in enumerate(moments)]
    assert reconcile(connection) == {"listed": 330, "taken": 330, "unreadable": 0}
    assert TrainingSession.objects.filter(connection=connection).count() == 330
    assert all(query["limit"] == "100" for query in service.asked)


def test_it_goes_on_where_it_ended_and_begins_again_where_it_was_cut_short(
    connection: VoiceConnection, service: VoiceService
) -> None:
    service.faults.append(503)
    with pytest.raises(Temporary) as failed:
        reconcile(connection)
    assert failed.value.retry_after_s == 7
    connection.refresh_from_db()
    assert connection.reconciled_until is None
    reconcile(connection)
    connection.refresh_from_db()
    until = connection.reconciled_until
    assert until is not None
    reconcile(connection)
    since = datetime.fromisoformat(service.asked[-1]["updatedAtGe"])
    assert abs((until - since) - reconciling.OVERLAP) < timedelta(seconds=1)
    assert datetime.fromisoformat(service.asked[0]["updatedAtGe"]) < connection.created_at


@pytest.mark.parametrize(
    ("fault", "says"), [(401, "key"), (403, "key"), (404, "address"), ("html", "no JSON"), (302, "302")]
)
def test_what_an_owner_must_mend_is_said(
    connection: VoiceConnection, service: VoiceService, fault: Any, says: str
) -> None:
    service.faults.append(fault)
    with pytest.raises(CallsNotListed, match=says):
        reconcile(connection)


def test_owners_see_why_calls_could_not_be_listed_until_they_can(
    connection: VoiceConnection, service: VoiceService, owner: User, drain: Drain
) -> None:
    client = APIClient()
    client.force_authenticate(owner)

    def trouble() -> str:
        reconciling.start_due()
        drain()
        (told,) = client.get("/api/training/connections/").json()["results"]
        return str(told["trouble"])

    service.faults.append(401)
    assert "refuses the connection's key" in trouble()
    assert trouble() == ""


def test_addresses_inside_are_not_asked(connection: VoiceConnection, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    with pytest.raises(reconciling.outbound.AddressForbidden):
        reconcile(connection)


def test_the_clock_asks_each_connection_that_can_be_asked_and_owners_may_ask_now(
    connection: VoiceConnection, owner: User, member: User, stranger: User
) -> None:
    make_connection(connection.organisation)
    make_connection(connection.organisation, api_url=connection.api_url, api_key="k", is_active=False)
    (job_id,) = reconciling.start_due()
    assert Job.objects.get(pk=job_id).params == {"connection_id": str(connection.pk)}
    assert reconciling.start_reconciling(connection_id=connection.pk, actor=owner).pk == job_id
    for user in (member, stranger):
        with pytest.raises(reconciling.ConnectionMissing):
            reconciling.start_reconciling(connection_id=connection.pk, actor=user)


def test_a_recording_is_fetched_once_and_kept_under_its_own_kind(
    connection: VoiceConnection, service: VoiceService, drain: Drain
) -> None:
    service.files["a.wav"] = WAVE
    service.calls = [listed("call", ago(hours=1), recordingUrl=f"{service.url}/files/a.wav")]
    reconcile(connection)
    drain()
    file = SessionFile.objects.get()
    assert (file.kind, file.content_type, file.size, file.name) == (
        "recording", "audio/wav", len(WAVE), "recording.wav",
    )  # fmt: skip
    with file.file.open() as stored:
        assert stored.read() == WAVE
    job = Job.objects.get(kind="quiz.fetch_recording")
    assert job.params == {"session_id": str(file.session_id)}  # and not the address, which may hold a key


@pytest.mark.parametrize(
    ("content", "says"), [(b"<html>Sign in</html>", "no recording"), (WAVE + b"\x00" * 2000, "at most")]
)
def test_what_is_no_recording_or_too_large_is_not_kept(
    connection: VoiceConnection, service: VoiceService, settings: Any, drain: Drain, content: bytes, says: str
) -> None:
    settings.RECORDING_LIMIT_BYTES = 1000
    service.files["a"] = content
    service.calls = [
        listed(
            "call",
            ago(hours=1),
            artifact={
                "recording": {"stereoUrl": f"{service.url}/files/a"},
                "messages": report()["message"]["artifact"]["messages"],
            },
        )
    ]
    reconcile(connection)
    drain()
    job = Job.objects.get(kind="quiz.fetch_recording")
    assert job.status == "failed"
    assert job.error is not None and says in job.error["message"]
    assert not SessionFile.objects.exists()
    assert TrainingSession.objects.get().status == "done"
