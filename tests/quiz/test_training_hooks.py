"""Reports of voice services: proved first, kept once, made a call of by a job."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import structlog
from django.db import connections
from django.test import Client

from accounts.models import Membership, Organisation, User
from jobs.models import Job, ReceivedWebhook
from jobs.webhooks import receiving
from quiz.models import SessionGrade, TrainingSession, VoiceConnection
from tests.factories.people import make_organisation, make_user
from tests.factories.training import make_assignment, make_template
from tests.factories.voice import SAID, SECRET, bearer, body_of, make_connection, report, signed
from tests.platform.throttled import limit, throttled

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["throttled"]
Drain = Callable[[], int]
REVISED = (*SAID, ("bot", "Fine, until Friday."))


@pytest.fixture
def connection(organisation: Organisation) -> VoiceConnection:
    return make_connection(organisation, template=make_template(organisation))


def send(connection: VoiceConnection | str, told: Any, headers: dict[str, str] | None = None, **more: Any) -> Any:
    key = connection if isinstance(connection, str) else connection.pk
    return Client(enforce_csrf_checks=True, **more).post(
        f"/api/hooks/voice?connection={key}",
        body_of(told),
        content_type="application/json",
        headers=bearer() if headers is None else headers,
    )


def test_a_report_becomes_a_graded_call(connection: VoiceConnection, owner: User, drain: Drain) -> None:
    answer = send(connection, report())
    assert (answer.status_code, answer.json()["is_new"]) == (200, True)
    received = ReceivedWebhook.objects.get()
    assert bytes(received.body) == body_of(report())
    assert "authorization" not in received.headers
    drain()
    received.refresh_from_db()
    assert (received.status, received.event_type) == ("processed", "end-of-call-report")
    session = TrainingSession.objects.get()
    assert (session.status, session.source, session.call_id) == ("done", "voice", "call-1")
    assert (session.template, session.user) == (connection.template, None)
    assert [turn["speaker"] for turn in session.clean] == ["Assistant", "User", "Assistant", "User"]
    assert session.learner_speaker == "User"
    assert session.measures["talk_share"]["basis"] == "by seconds"
    assert session.duration_s == 20
    assert "by Friday" in session.next_step
    assert [grade.grader for grade in session.grades.all()] == ["rule"]


def test_fifty_equal_reports_at_once_are_one_call_with_one_grade(connection: VoiceConnection, drain: Drain) -> None:
    answers: list[Any] = []
    ready = threading.Barrier(10)

    def some() -> None:
        try:
            ready.wait(60)
            answers.extend(send(connection, report()) for _ in range(5))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=some) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [answer.status_code for answer in answers] == [200] * 50
    assert sum(answer.json()["is_new"] for answer in answers) == 1
    assert ReceivedWebhook.objects.get().times_received == 50
    drain()
    assert TrainingSession.objects.get().status == "done"
    assert SessionGrade.objects.count() == 1
    assert Job.objects.filter(kind="quiz.process_call").count() == 1
    assert Job.objects.filter(kind="quiz.take_voice_report").count() == 1


def test_the_same_report_again_changes_nothing_though_it_was_sent_later(
    connection: VoiceConnection, drain: Drain
) -> None:
    send(connection, report())
    drain()
    before = TrainingSession.objects.values().get()
    again = send(connection, report(timestamp=1795300999000))
    assert (again.status_code, again.json()["is_new"]) == (200, False)
    drain()
    assert TrainingSession.objects.values().get() == before


def test_another_report_of_the_same_call_is_a_revision(connection: VoiceConnection, drain: Drain) -> None:
    send(connection, report())
    drain()
    session = TrainingSession.objects.get()
    first = session.grades.get()
    TrainingSession.objects.update(closed_at=session.created_at)
    assert send(connection, report(said=REVISED)).json()["is_new"] is True
    drain()
    session.refresh_from_db()
    first.refresh_from_db()
    assert (session.revision, session.status, session.closed_at) == (2, "done", None)
    assert len(session.clean) == 5
    assert first.is_current is False
    current = session.grades.get(is_current=True)
    assert current.transcript_hash == session.clean_hash != first.transcript_hash


def test_a_report_with_the_same_words_and_other_analysis_is_no_revision(
    connection: VoiceConnection, drain: Drain
) -> None:
    send(connection, report())
    drain()
    assert send(connection, report(analysis={"summary": "Other words."})).json()["is_new"] is True
    drain()
    assert TrainingSession.objects.get().revision == 1
    assert [
        job.result["outcome"] for job in Job.objects.filter(kind="quiz.take_voice_report").order_by("created_at")
    ] == [
        "new",
        "known",
    ]


def test_an_older_report_that_is_handled_late_does_not_replace_a_newer_one(
    connection: VoiceConnection, drain: Drain, admin_user: User
) -> None:
    send(connection, report())
    send(connection, report(said=REVISED))
    drain()
    assert len(TrainingSession.objects.get().clean) == 5
    older = ReceivedWebhook.objects.order_by("received_at")[0]
    receiving.process_again(received_id=older.pk, actor=admin_user)
    drain()
    session = TrainingSession.objects.get()
    assert (len(session.clean), session.revision) == (5, 2)


@pytest.mark.parametrize("kind", ["status-update", "conversation-update", "hang"])
def test_other_messages_are_noted_and_make_no_call(connection: VoiceConnection, drain: Drain, kind: str) -> None:
    assert send(connection, {"message": {"type": kind, "call": {"id": "c"}, "status": "ended"}}).status_code == 200
    drain()
    received = ReceivedWebhook.objects.get()
    assert (received.status, received.event_type) == ("processed", kind)
    assert received.job is not None
    assert received.job.result == {"noted": kind}
    assert not TrainingSession.objects.exists()


def test_a_call_in_which_nobody_spoke_is_noted_with_the_reason(connection: VoiceConnection, drain: Drain) -> None:
    send(connection, report(said=()))
    drain()
    received = ReceivedWebhook.objects.get()
    assert received.status == "processed"
    assert received.job is not None
    assert "nothing was said" in received.job.result["why"]
    assert not TrainingSession.objects.exists()


def hmac_connection(organisation: Organisation, **fields: Any) -> VoiceConnection:
    return make_connection(organisation, method="hmac", **({"timestamp_header": "x-vapi-timestamp"} | fields))


def test_each_method_lets_its_own_proof_in(organisation: Organisation) -> None:
    body = body_of(report())
    in_header = make_connection(organisation, method="header")
    in_other_header = make_connection(organisation, method="header", header="x-our-secret")
    with_time = hmac_connection(organisation)
    alone = hmac_connection(organisation, timestamp_header="")
    prefixed = signed(body)
    prefixed["X-Vapi-Signature"] = "sha256=" + prefixed["X-Vapi-Signature"].upper()
    milliseconds = signed(body, at=time.time() * 1000)
    for connection, headers in (
        (in_header, {"X-Vapi-Secret": SECRET}),
        (in_other_header, {"X-Our-Secret": SECRET}),
        (with_time, signed(body)),
        (with_time, prefixed),
        (with_time, milliseconds),
        (alone, signed(body, of_body_alone=True)),
    ):
        assert send(connection, body, headers).status_code == 200, connection.method


@pytest.mark.parametrize(
    ("method", "headers", "code"),
    [
        ("bearer", {}, "webhook_signature_wrong"),
        ("bearer", {"Authorization": SECRET}, "webhook_signature_wrong"),
        ("bearer", {"Authorization": "Bearer wrong"}, "webhook_signature_wrong"),
        ("bearer", {"X-Vapi-Secret": SECRET}, "webhook_signature_wrong"),
        ("header", {"X-Vapi-Secret": SECRET + " "[:0] + "x"}, "webhook_signature_wrong"),
        ("header", {"X-Vapi-Secret": "\xe9" * 8}, "webhook_signature_wrong"),
        ("hmac", signed(body_of(report()), secret="x" * 32), "webhook_signature_wrong"),
        ("hmac", signed(body_of(report()), at=1_000_000), "webhook_stale"),
        ("hmac", signed(b"another body"), "webhook_signature_wrong"),
        ("hmac", {"X-Vapi-Signature": "0" * 64}, "webhook_signature_wrong"),
    ],
    ids=["none", "no scheme", "wrong token", "wrong header", "one letter more", "latin", "wrong key", "stale",
         "other body", "no time"],
)  # fmt: skip
def test_what_is_not_proved_leaves_nothing(
    organisation: Organisation, method: str, headers: dict[str, str], code: str
) -> None:
    connection = make_connection(organisation, method=method, timestamp_header="x-vapi-timestamp")
    answer = send(connection, report(), headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert not ReceivedWebhook.objects.exists()
    assert not Job.objects.exists()


def test_an_unknown_connection_looks_like_a_wrong_signature(connection: VoiceConnection) -> None:
    wrong = send(connection, report(), bearer("wrong"))
    off = make_connection(connection.organisation, is_active=False)
    for key in (str(uuid4()), "none", "", f"{connection.pk}\x00", str(off.pk)):
        answer = send(key, report())
        assert (answer.status_code, answer.json()) == (401, wrong.json()), key
    assert not ReceivedWebhook.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "webhook_empty"),
        (b'{"message": "\xff"}', 400, "webhook_not_utf8"),
        (b"\xff\xfe{\x00}\x00", 400, "webhook_not_utf8"),
        (b"not json", 400, "webhook_not_json"),
        (b"[" * 5000, 400, "webhook_not_json"),
        (b"[1]", 400, "webhook_not_a_report"),
        (b'{"message": {"type": 5}}', 400, "webhook_not_a_report"),
        (b" " * (3 * 1024 * 1024), 413, "request_too_large"),
        (b" " * (6 * 1024 * 1024), 413, "request_too_large"),
    ],
    ids=["empty", "not UTF-8", "UTF-16", "not JSON", "deep", "a list", "no type", "3 MB", "6 MB"],
)
def test_bodies_that_are_no_reports_are_refused_in_words(
    connection: VoiceConnection, body: bytes, status: int, code: str
) -> None:
    answer = send(connection, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not ReceivedWebhook.objects.exists()


def test_a_report_without_a_call_fails_and_says_why(connection: VoiceConnection, drain: Drain) -> None:
    told = report()
    told["message"]["call"] = {}
    assert send(connection, told).status_code == 200
    drain()
    received = ReceivedWebhook.objects.get()
    assert received.status == "failed"
    assert "which call" in received.error


def test_log_lines_hold_no_secrets_and_no_words(connection: VoiceConnection) -> None:
    with structlog.testing.capture_logs() as lines:
        send(connection, report())
        send(connection, report(), bearer("a wrong secret"))
        send(connection, body_of(report())[:-1])
    told = json.dumps(lines, default=str)
    assert "voice_report_refused" in told and str(connection.pk) in told
    for secret in (SECRET, "a wrong secret", "welding code"):
        assert secret not in told


def test_metadata_say_whose_call_it_is_within_the_organisation_only(
    connection: VoiceConnection, member: User, stranger: User, drain: Drain
) -> None:
    organisation = connection.organisation
    other = make_template(organisation, "Price talk")
    assignment = make_assignment(other, member)
    elsewhere = make_organisation("Third")
    foreign = make_template(elsewhere)
    foreign_assignment = make_assignment(foreign, make_user("third", organisation=elsewhere))
    cases = {
        "by-assignment": ({"assignment_id": str(assignment.pk), "user_id": str(stranger.pk)}, (member, other)),
        "by-mail": ({"learner_email": member.email.upper()}, (member, connection.template)),
        "by-id": ({"userId": str(member.pk), "templateId": str(other.pk)}, (member, other)),
        "foreign-assignment": ({"assignment_id": str(foreign_assignment.pk)}, (None, connection.template)),
        "foreign-user": ({"user_id": str(stranger.pk)}, (None, connection.template)),
        "foreign-mail": ({"learner_email": stranger.email}, (None, connection.template)),
        "foreign-template": ({"template_id": str(foreign.pk)}, (None, connection.template)),
        "nonsense": ({"assignment_id": 5, "user_id": "x\x00", "template_id": {}}, (None, connection.template)),
    }
    for call_id, (metadata, _) in cases.items():
        assert send(connection, report(call_id, metadata=metadata)).status_code == 200
    drain()
    found = {session.call_id: session for session in TrainingSession.objects.select_related("user", "template")}
    assert {key: (found[key].user, found[key].template) for key in cases} == {
        key: expected for key, (_, expected) in cases.items()
    }
    assert found["by-assignment"].assignment == assignment
    assert {session.organisation_id for session in found.values()} == {organisation.pk}


def test_refused_reports_are_counted_by_address_and_proved_ones_by_connection(
    connection: VoiceConnection, throttled: Any
) -> None:
    limit(throttled, voice_address="2/15 minutes", voice="4/15 minutes", anonymous="1/15 minutes")
    for number in range(4):
        assert send(connection, report(f"call-{number}")).status_code == 200
    full = send(connection, report("call-5"))
    assert (full.status_code, full.json()["code"]) == (429, "throttled")
    assert int(full["Retry-After"]) >= 1
    other = make_connection(connection.organisation)
    assert send(other, report()).status_code == 200
    assert [send(connection, report(), bearer("wrong")).status_code for _ in range(3)] == [401, 401, 429]
    assert send(other, report("call-6"), REMOTE_ADDR="203.0.113.9").status_code == 200


def test_the_name_of_the_receiver_opens_no_other_door(connection: VoiceConnection, settings: Any) -> None:
    settings.INCOMING_WEBHOOKS = {}
    answer = Client().post(
        "/api/webhooks/in/voice", body_of(report()), content_type="application/json", headers=bearer()
    )
    assert answer.status_code == 404
    assert Client().get(f"/api/hooks/voice?connection={connection.pk}").status_code == 405


def test_members_of_other_roles_are_not_told_whose_call_it_is(
    connection: VoiceConnection, viewer: User, member: User, drain: Drain
) -> None:
    """Work on a call is nobody's but its own channel's: colleagues do not see it among the organisation's jobs."""
    coach = make_user("coach", organisation=connection.organisation, role=Membership.Role.COACH)
    send(connection, report(metadata={"user_id": str(member.pk)}))
    drain()
    session = TrainingSession.objects.get()
    for user in (viewer, make_user("other", organisation=connection.organisation)):
        assert not TrainingSession.objects.visible_to(user).exists()
        assert not Job.objects.visible_to(user).exists()
    for user in (coach, member):
        assert TrainingSession.objects.visible_to(user).get() == session
