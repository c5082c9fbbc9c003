"""Calls that are uploaded, and the steps that each goes through: once, whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from rest_framework.test import APIClient

from accounts.models import Membership, Organisation, User
from jobs.models import Job, WebhookDelivery, WebhookEndpoint
from jobs.registry import channel_kind
from jobs.services import retry
from quiz.models import SessionGrade, TrainingSession
from quiz.services.training import processing
from quiz.services.training.intake import upload_transcript
from quiz.training_exceptions import NotATranscript
from tests.factories.people import make_user
from tests.factories.training import TURNS, make_assignment, make_session, make_template
from tests.platform.throttled import throttled

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["throttled"]
Drain = Callable[[], int]
HERE = "/api/training/transcripts/"
TEXT = "\n".join(f"{turn[0]}: {turn[1]}" for turn in TURNS)
VTT = "WEBVTT\n\n" + "\n\n".join(
    f"00:00:{5 * number:02d}.000 --> 00:00:{5 * number + 5:02d}.000\n<v {turn[0]}>{turn[1]}</v>"
    for number, turn in enumerate(TURNS)
)
SRT = "\n\n".join(
    f"{number + 1}\n00:00:{5 * number:02d},000 --> 00:00:{5 * number + 5:02d},000\n{turn[0]}: {turn[1]}"
    for number, turn in enumerate(TURNS)
)


@pytest.fixture
def coach(organisation: Organisation) -> User:
    return make_user("coach", organisation=organisation, role=Membership.Role.COACH)


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def upload(by: User | None, content: str | bytes = TEXT, name: str = "call.txt", **fields: Any) -> Any:
    data = content.encode() if isinstance(content, str) else content
    form = {"file": SimpleUploadedFile(name, data), "learner_speaker": "Learner", **fields}
    return client_of(by).post(HERE, form, format="multipart")


@pytest.mark.parametrize(
    ("name", "content"),
    [("call.txt", TEXT), ("call.vtt", VTT), ("call.srt", SRT), ("noname", TEXT), ("call.txt", TEXT.encode("utf-16"))],
    ids=["text", "vtt", "srt", "no ending", "utf-16"],
)
def test_an_uploaded_transcript_becomes_a_graded_call(
    organisation: Organisation, member: User, drain: Drain, name: str, content: Any
) -> None:
    template = make_template(organisation)
    answer = upload(member, content, name, template=str(template.pk))
    assert answer.status_code == 201, answer.json()
    drain()
    session = TrainingSession.objects.get(pk=answer.json()["id"])
    assert (session.status, session.source, session.user, session.template) == ("done", "upload", member, template)
    assert [turn["text"] for turn in session.clean] == [turn[1] for turn in TURNS]
    assert session.grades.get().grader == "rule"
    assert str(session.job_id) == answer.json()["job_id"]
    kept = session.files.get()
    assert (kept.kind, kept.name) == ("transcript", name)


def test_turns_may_be_sent_as_json(member: User, drain: Drain) -> None:
    turns = [
        {"speaker": turn[0], "text": turn[1], "start_s": 5 * n, "end_s": 5 * n + 5} for n, turn in enumerate(TURNS)
    ]
    answer = client_of(member).post(HERE, {"turns": turns, "name": "from our dialler", "learner_speaker": "learner"})
    assert answer.status_code == 201, answer.json()
    drain()
    session = TrainingSession.objects.get()
    assert (session.source, session.title, session.learner_speaker) == ("api", "from our dialler", "Learner")
    assert session.duration_s == 20


def test_whoever_speaks_under_their_own_name_is_the_learner(member: User, drain: Drain) -> None:
    answer = upload(member, TEXT.replace("Learner", "MEMBER"), learner_speaker="")
    drain()
    session = TrainingSession.objects.get(pk=answer.json()["id"])
    assert session.learner_speaker == "MEMBER"
    assert session.measures["talk_share"]["value"] is not None
    assert upload(member, learner_speaker="").status_code == 201
    assert TrainingSession.objects.order_by("-created_at")[0].learner_speaker == ""


def test_of_a_call_without_a_template_nobody_says_that_it_was_graded(
    organisation: Organisation, member: User, drain: Drain
) -> None:
    WebhookEndpoint.objects.create(
        organisation=organisation, url="https://hooks.example.com/", event_types=["*"], secret="whsec_x"
    )
    processing.process(session_id=_received(organisation, member).pk)
    assert not WebhookDelivery.objects.filter(event_type="training.graded").exists()
    drain()
    (message,) = mail.outbox
    assert "is measured" in message.subject


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "invalid"),
        (b"%PDF-1.7 and so on", 400, "not_a_transcript"),
        (b"\x00\x01\x02" * 50, 400, "not_a_transcript"),
        (b'{"turns": []}', 400, "not_a_transcript"),
        (b"x" * (2 * 1024 * 1024 + 1), 413, "file_too_large"),
    ],
    ids=["empty", "pdf", "binary", "no turns", "large"],
)
def test_what_is_no_transcript_is_refused_in_words(member: User, content: bytes, status: int, code: str) -> None:
    answer = upload(member, content, "x")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not TrainingSession.objects.exists()
    assert not Job.objects.exists()


def test_who_may_upload_what_for_whom(
    organisation: Organisation, member: User, viewer: User, coach: User, stranger: User
) -> None:
    assignment = make_assignment(make_template(organisation), member)
    other = make_user("other", organisation=organisation)
    over = make_assignment(make_template(organisation), member, withdrawn_at=assignment.created_at)
    foreign = make_template(stranger.memberships.get().organisation)
    cases: list[tuple[User | None, dict[str, Any], int]] = [
        (None, {}, 401),
        (member, {"assignment": assignment.pk}, 201),
        (coach, {"user": member.pk}, 201),
        (coach, {"assignment": assignment.pk}, 201),
        (member, {"user": other.pk}, 403),
        (other, {"assignment": assignment.pk}, 404),
        (viewer, {}, 403),
        (member, {"assignment": over.pk}, 409),
        (member, {"template": foreign.pk}, 404),
        (member, {"template": uuid4()}, 404),
        (stranger, {"organisation": organisation.pk}, 404),
        (stranger, {"assignment": assignment.pk}, 404),
        (coach, {"user": stranger.pk}, 404),
        (member, {"started_at": "0001-01-01T00:00:00+14:00"}, 400),
    ]
    for user, fields, status in cases:
        answer = upload(user, **{name: str(value) for name, value in fields.items()})
        assert answer.status_code == status, (user, fields, answer.json())
    held = TrainingSession.objects.filter(user=member)
    assert held.count() == TrainingSession.objects.count() == 3
    assert held.filter(assignment=assignment, template=assignment.template).count() == 2


def test_an_equal_transcript_takes_over_what_was_worked_out(
    organisation: Organisation, member: User, drain: Drain
) -> None:
    template = make_template(organisation)
    for _ in range(2):
        assert upload(member, template=str(template.pk)).status_code == 201
        drain()
    first, second = TrainingSession.objects.order_by("created_at")
    assert first.clean_hash == second.clean_hash
    assert (first.measures, first.summary) == (second.measures, second.summary)
    assert [first.grades.get().is_reused, second.grades.get().is_reused] == [False, True]


def test_everybody_concerned_is_told_once(
    organisation: Organisation, member: User, coach: User, owner: User, drain: Drain, settings: Any
) -> None:
    WebhookEndpoint.objects.create(
        organisation=organisation, url="https://hooks.example.com/", event_types=["training.graded"], secret="whsec_x"
    )
    session = _received(organisation, member, template=make_template(organisation))
    processing.process(session_id=session.pk)
    processing.process(session_id=session.pk)
    payload = WebhookDelivery.objects.get().payload["data"]
    assert (payload["session_id"], payload["user_id"]) == (str(session.pk), str(member.pk))
    assert (payload["graders"], payload["overall"]) == (["rule"], None)
    assert Job.objects.filter(kind="quiz.mail_graded_call").count() == 1
    Job.objects.filter(kind="jobs.deliver_webhook").delete()
    drain()
    (message,) = mail.outbox
    assert message.to == [member.email]
    assert f"/training/sessions/{session.pk}/" in message.body
    assert not any(turn[1] in message.body for turn in TURNS)


def test_without_a_way_to_send_mail_none_is_queued(organisation: Organisation, member: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    processing.process(session_id=_received(organisation, member).pk)
    assert not Job.objects.filter(kind="quiz.mail_graded_call").exists()


def test_processed_by_many_at_once_each_step_counts_once(organisation: Organisation, member: User) -> None:
    session = _received(organisation, member, template=make_template(organisation))
    ready = threading.Barrier(4)
    errors: list[BaseException] = []

    def one() -> None:
        try:
            ready.wait(60)
            processing.process(session_id=session.pk)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors
    assert TrainingSession.objects.get().status == "done"
    assert SessionGrade.objects.count() == 1
    assert Job.objects.filter(kind="quiz.mail_graded_call").count() == 1


def test_a_call_without_words_fails_says_why_and_can_be_processed_again(
    organisation: Organisation, member: User, drain: Drain
) -> None:
    session = _received(organisation, member, turns=[("Client", "[music]")])
    processing.start_processing(session_id=session.pk)
    drain()
    session.refresh_from_db()
    assert session.status == "failed"
    assert "Nobody says anything" in session.error
    session.raw["turns"] = [{"speaker": "Client", "text": "Hello, is anybody there?"}]
    session.save(update_fields=["raw"])
    processing.start_processing(session_id=session.pk)
    drain()
    session.refresh_from_db()
    assert (session.status, session.error) == ("done", "")


def test_a_failed_job_that_is_run_again_processes_the_call(
    organisation: Organisation, member: User, drain: Drain
) -> None:
    session = _received(organisation, member, turns=[("Client", "[music]")])
    job = processing.start_processing(session_id=session.pk, actor=member)
    drain()
    session.raw["turns"] = [{"speaker": "Client", "text": "Hello, is anybody there?"}]
    session.save(update_fields=["raw"])
    retry(job.pk, member)
    drain()
    session.refresh_from_db()
    assert (session.status, session.error) == ("done", "")


def test_a_revision_that_comes_while_the_job_ends_is_worked_on_by_the_same_job(
    organisation: Organisation, member: User, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = _received(organisation, member)
    processing.start_processing(session_id=session.pk)
    original, seen = processing._require_rest, []

    def revise() -> None:
        TrainingSession.objects.filter(pk=session.pk).update(status="received", revision=2)
        connections.close_all()

    def revised_just_then(session_id: Any) -> None:
        if not seen:
            seen.append(session_id)
            elsewhere = threading.Thread(target=revise)
            elsewhere.start()
            elsewhere.join(60)
        original(session_id)

    monkeypatch.setattr(processing, "_require_rest", revised_just_then)
    drain()
    session.refresh_from_db()
    assert (session.status, session.revision) == ("done", 2)
    assert Job.objects.get(kind="quiz.process_call").result == {"status": "done", "revision": 2}


def test_the_result_of_a_step_is_dropped_when_the_call_was_revised_meanwhile(
    organisation: Organisation, member: User
) -> None:
    session = _received(organisation, member)
    TrainingSession.objects.filter(pk=session.pk).update(revision=2)
    step = processing.STEPS[TrainingSession.Status.RECEIVED]
    assert processing._advance(session, step, {"clean_hash": "stale"}) is False
    session.refresh_from_db()
    assert (session.status, session.clean_hash) == ("received", "")


def test_the_channel_is_for_those_who_see_the_call(
    organisation: Organisation, member: User, coach: User, viewer: User, stranger: User
) -> None:
    session = make_session(organisation, member)
    channel = channel_kind("training")
    assert channel is not None
    for user, may in ((member, True), (coach, True), (viewer, False), (stranger, False)):
        assert channel.can_join(user, str(session.pk)) is may
    assert not channel.can_join(member, str(session.pk).upper())
    assert not channel.can_join(member, "nonsense")
    told = channel.snapshot(member, str(session.pk))
    assert (told["status"], told["closed"], told["grades"]) == ("done", False, [])


def test_uploading_and_processing_are_costly(throttled: Any, organisation: Organisation, member: User) -> None:
    throttled.THROTTLES = throttled.THROTTLES | {"expensive": "1/15 minutes"}
    assert upload(member).status_code == 201
    assert upload(member).status_code == 429


def test_bytes_that_can_not_be_read_reach_no_storage(organisation: Organisation, member: User) -> None:
    with pytest.raises(NotATranscript):
        upload_transcript(actor=member, organisation_id=organisation.pk, data=b"\xff\xfe\x00", name="x")


def _received(organisation: Organisation, user: User, **fields: Any) -> TrainingSession:
    return make_session(organisation, user, status="received", **fields)
