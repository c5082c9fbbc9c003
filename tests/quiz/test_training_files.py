"""Recordings and reports: out of the storage only by links, and links only for whoever sees the call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
import time_machine
from django.core.files.base import File
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from moto.server import ThreadedMotoServer
from rest_framework.test import APIClient

from accounts.models import Membership, Organisation, User
from config.checks import storage_is_known
from jobs.models import Job
from projects.models import Document
from projects.services.documents import upload_document
from quiz.models import SessionFile, TrainingSession
from quiz.services.training import files, reports
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection, write_unixml
from tests.factories.people import make_user
from tests.factories.projects import make_project
from tests.factories.training import make_grade, make_note, make_session, make_template

pytestmark = pytest.mark.django_db(transaction=True)
Drain = Callable[[], int]
WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(range(256)) * 8


@pytest.fixture
def session(organisation: Organisation, member: User) -> TrainingSession:
    return make_session(organisation, member, template=make_template(organisation), title="Příprava na hovor / 1")


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def upload(user: User | None, session: TrainingSession, content: bytes = WAVE, name: str = "../Hovor č. 1.mp3") -> Any:
    path = f"/api/training/sessions/{session.pk}/recording/"
    return client_of(user).post(path, {"file": SimpleUploadedFile(name, content)}, format="multipart")


def content_at(url: str, **headers: str) -> Any:
    """As a player asks: with nothing but the link."""
    address = urlsplit(url)
    names = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return APIClient().get(f"{address.path}?{address.query}", **names)


def bytes_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_recording_goes_in_once_and_comes_out_by_a_link(session: TrainingSession, member: User) -> None:
    first, again = upload(member, session), upload(member, session)
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    told = first.json()
    assert (told["kind"], told["content_type"], told["size"]) == ("recording", "audio/wav", len(WAVE))
    row = SessionFile.objects.get()
    assert re.fullmatch(rf"training/{session.pk}/{row.pk}\.wav", row.file.name)
    answer = content_at(client_of(member).get(f"/api/training/files/{row.pk}/").json()["url"])
    assert (answer.status_code, bytes_of(answer)) == (200, WAVE)
    assert answer["Content-Type"] == "audio/wav"
    assert answer["Content-Disposition"] == "inline; filename*=utf-8''Hovor%20%C4%8D.%201.wav"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "private, no-store"


def test_pages_are_led_to_the_file_by_a_redirect(session: TrainingSession, member: User) -> None:
    row_id = upload(member, session).json()["id"]
    answer = client_of(member).get(f"/api/training/files/{row_id}/open/")
    assert answer.status_code == 302
    assert bytes_of(content_at(answer["Location"])) == WAVE


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-", 206, 0, len(WAVE) - 1),
        ("bytes=10-19", 206, 10, 19),
        ("bytes=-5", 206, len(WAVE) - 5, len(WAVE) - 1),
        ("bytes=5-999999", 206, 5, len(WAVE) - 1),
        ("bytes=5-2", 200, 0, 0),
        ("bytes=0-1,4-5", 200, 0, 0),
        ("lines=0-1", 200, 0, 0),
        ("bytes=-", 200, 0, 0),
        (f"bytes={len(WAVE)}-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
    ],
)
def test_players_get_the_piece_that_they_ask_for(
    session: TrainingSession, member: User, asked: str, status: int, first: int, last: int
) -> None:
    answer = content_at(upload(member, session).json()["url"], range=asked)
    assert answer.status_code == status
    if status == 206:
        assert bytes_of(answer) == WAVE[first : last + 1]
        assert answer["Content-Range"] == f"bytes {first}-{last}/{len(WAVE)}"
        assert answer["Content-Length"] == str(last - first + 1)
    elif status == 200:
        assert bytes_of(answer) == WAVE


def test_a_piece_of_another_file_than_the_client_has_is_all_of_this_one(session: TrainingSession, member: User) -> None:
    url = upload(member, session).json()["url"]
    assert content_at(url, range="bytes=1-2", if_range='"another"').status_code == 200
    same = content_at(url)["ETag"]
    assert content_at(url, range="bytes=1-2", if_range=same).status_code == 206


def test_only_those_who_see_the_call_get_at_its_files(
    session: TrainingSession, organisation: Organisation, member: User, viewer: User, stranger: User, owner: User
) -> None:
    row_id = upload(member, session).json()["id"]
    coach = make_user("coach", organisation=organisation, role=Membership.Role.COACH)
    other = make_user("other", organisation=organisation)
    for user, status in (
        (member, 200),
        (coach, 200),
        (owner, 200),
        (viewer, 404),
        (other, 404),
        (stranger, 404),
        (None, 401),
    ):
        for path in (f"/api/training/files/{row_id}/", f"/api/training/files/{row_id}/open/"):
            answer = client_of(user).get(path)
            assert answer.status_code == (302 if status == 200 and path.endswith("open/") else status), (user, path)
    for user, status in ((viewer, 404), (other, 404), (stranger, 404), (None, 401)):
        assert upload(user, session).status_code == status
        assert client_of(user).post(f"/api/training/sessions/{session.pk}/report/").status_code == status


def test_those_who_only_look_on_upload_nothing(organisation: Organisation, viewer: User) -> None:
    own = make_session(organisation, viewer)
    assert upload(viewer, own).json()["code"] == "read_only"


def test_links_end_by_time_by_tampering_and_by_loss_of_access(session: TrainingSession, member: User) -> None:
    url = upload(member, session).json()["url"]
    other = upload(member, make_session(session.organisation, member), WAVE + b"1").json()
    assert content_at(url).status_code == 200
    assert content_at(url[:-2]).json()["code"] == "link_expired"
    assert content_at(url.partition("?")[0]).status_code == 403
    token = parse_qs(urlsplit(url).query)["token"][0]
    assert content_at(f"/api/training/files/{other['id']}/content/?token={token}").status_code == 404
    with time_machine.travel(timezone.now() + timedelta(seconds=301), tick=False):
        expired = content_at(url)
        assert (expired.status_code, expired.json()["code"]) == (403, "link_expired")
    Membership.objects.filter(user=member).delete()
    assert content_at(url).status_code == 404


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"<html><script>", 400, "not_a_recording"),
        (b"MZ" + b"\x00" * 50, 400, "not_a_recording"),
        (WAVE * 2, 413, "file_too_large"),
    ],
)
def test_what_is_no_recording_is_refused(
    session: TrainingSession, member: User, settings: Any, content: bytes, status: int, code: str
) -> None:
    settings.RECORDING_LIMIT_BYTES = len(WAVE)
    answer = upload(member, session, content, "a.mp3")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not SessionFile.objects.exists()


def graded(session: TrainingSession, coach: User) -> None:
    quote = {"turn": 3, "quote": '#eval("1") *next step* $x$ \\ <script>'}
    for grader, overall in (("rule", None), ("model", "61.00"), ("human", "74.00")):
        author = coach if grader == "human" else None
        grade = make_grade(session, grader, scores={"next-step": 80, "clarity": None}, overall=overall, author=author)
        grade.scores.filter(score=80).update(evidence=[quote], reason="Agreed a day.")
    make_note(session, coach, "Well asked — příště dřív. " * 60, turn=1)


def test_a_report_is_set_by_a_job_in_the_place_of_the_one_before(
    session: TrainingSession, member: User, owner: User, drain: Drain
) -> None:
    graded(session, owner)
    kept: list[SessionFile] = []
    for user in (member, owner):
        answer = client_of(user).post(f"/api/training/sessions/{session.pk}/report/")
        assert answer.status_code == 202, answer.json()
        drain()
        job = Job.objects.get(pk=answer.json()["job_id"])
        assert job.status == "completed", job.error
        kept.append(SessionFile.objects.get(session=session, kind="report"))
    first, second = kept
    assert first.pk != second.pk
    assert not first.file.storage.exists(first.file.name)
    assert second.name == "Příprava na hovor - 1.pdf"
    answer = content_at(client_of(member).get(f"/api/training/files/{second.pk}/").json()["url"])
    assert bytes_of(answer).startswith(b"%PDF-")
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_report_of_a_call_with_nothing_in_it_can_be_set(
    organisation: Organisation, member: User, drain: Drain
) -> None:
    bare = make_session(organisation, member, measures={})
    reports.start_report(session_id=bare.pk, actor=member)
    drain()
    assert SessionFile.objects.get(session=bare).kind == "report"
    fresh = make_session(organisation, member, status="received")
    answer = client_of(member).post(f"/api/training/sessions/{fresh.pk}/report/")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_processed")


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """A local server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@contextmanager
def bucket(url: str, name: str) -> Iterator[dict[str, Any]]:
    keys = {
        "endpoint_url": url,
        "aws_access_key_id": "key",
        "aws_secret_access_key": "secret",
        "region_name": "us-east-1",
    }
    client = boto3.client("s3", **keys)
    client.create_bucket(Bucket=name)
    yield {"client": client, "name": name}


@pytest.fixture
def in_s3(s3_server: str, settings: Any) -> Iterator[dict[str, Any]]:
    """As STORAGE=s3 sets it."""
    options = settings.S3 | {
        "bucket_name": "training", "endpoint_url": s3_server, "access_key": "key", "secret_key": "secret",
        "region_name": "us-east-1", "addressing_style": "path",
    }  # fmt: skip
    settings.STORAGE, settings.MEDIA_ORIGINS = "s3", [s3_server]
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    }
    with bucket(s3_server, "training") as found:
        yield found


def test_in_a_bucket_files_are_private_and_links_are_signed(
    in_s3: dict[str, Any], session: TrainingSession, member: User, stranger: User
) -> None:
    told = upload(member, session).json()
    row = SessionFile.objects.get()
    stored = in_s3["client"].get_object(Bucket="training", Key=row.file.name)
    assert stored["Body"].read() == WAVE
    assert stored["ContentType"] in ("audio/wav", "audio/x-wav")
    url = told["url"]
    assert "X-Amz-Signature" in url and "X-Amz-Expires=300" in url
    answer = httpx.get(url)
    assert (answer.status_code, answer.content) == (200, WAVE)
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["Content-Type"] == "audio/wav"
    piece = httpx.get(url, headers={"Range": "bytes=4-7"})
    assert (piece.status_code, piece.content) == (206, WAVE[4:8])
    led = client_of(member).get(f"/api/training/files/{row.pk}/open/")
    assert (led.status_code, urlsplit(led["Location"]).netloc) == (302, urlsplit(url).netloc)
    assert client_of(stranger).get(f"/api/training/files/{row.pk}/open/").status_code == 404


def test_in_a_bucket_reports_replace_each_other_and_pages_may_play_from_it(
    in_s3: dict[str, Any], session: TrainingSession, member: User, drain: Drain
) -> None:
    for _ in range(2):
        reports.start_report(session_id=session.pk, actor=member)
        drain()
    listed = in_s3["client"].list_objects_v2(Bucket="training", Prefix=f"training/{session.pk}/")
    assert [each["Key"] for each in listed["Contents"]] == [SessionFile.objects.get().file.name]
    assert (
        f"media-src 'self' {in_s3['client'].meta.endpoint_url}"
        in APIClient().get("/accounts/login/")["Content-Security-Policy"]
    )


def test_in_a_bucket_bills_of_projects_are_read_too(
    in_s3: dict[str, Any], organisation: Organisation, owner: User, drain: Drain, tmp_path: Path
) -> None:
    """The storage is one for all apps: a worker that has no path to the file reads a copy."""
    position = GivenPosition("311", "Wall", quantity=Decimal(2), unit_price=Decimal(10))
    bill_of_one = GivenBill((GivenObject("1", "House", (GivenSection("3", "Walls", (position,)),)),))
    write_unixml(tmp_path / "bill.xml", bill_of_one)
    project = make_project(owner, organisation=organisation)
    with (tmp_path / "bill.xml").open("rb") as bill:
        upload_document(project_id=project.pk, actor=owner, file=File(bill), filename="bill.xml")
    drain()
    document = Document.objects.get(project=project)
    assert (document.parse_status, document.parse_error) == ("completed", "")
    assert in_s3["client"].head_object(Bucket="training", Key=document.file.name)["ContentLength"] == document.size


def test_a_file_that_the_storage_has_lost_is_told_of(session: TrainingSession, member: User) -> None:
    url = upload(member, session).json()["url"]
    files.drop(SessionFile.objects.get())
    assert content_at(url).json()["code"] == "file_missing"


@pytest.mark.parametrize(
    ("storage", "name", "found"), [("local", "", 0), ("s3", "bucket", 0), ("s3", "", 1), ("S4", "", 1)]
)
def test_a_storage_that_is_none_is_found_before_the_server_starts(
    settings: Any, storage: str, name: str, found: int
) -> None:
    settings.STORAGE, settings.S3 = storage, settings.S3 | {"bucket_name": name}
    assert [message.id for message in storage_is_known(None)] == ["plumbline.E007"] * found
    assert storages["default"] is not None
