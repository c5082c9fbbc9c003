"""Bodies that come slowly, or not to their end, over real connections."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from django.conf import LazySettings
from django.conf import settings as configured

from accounts.models import Membership, User
from config.bodies import IN_MEMORY_BYTES
from jobs.models import ReceivedWebhook
from projects.models import Document, Project
from tests.factories.people import PASSWORD, make_organisation, make_user
from tests.factories.projects import make_project
from tests.factories.voice import bearer, body_of, make_connection, report

from .conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 180  # the first answer compiles templates and imports every address: on a loaded machine a minute


class Site:
    """The application behind uvicorn, in a thread of this process."""

    def __init__(self) -> None:
        # Here, not in the thread: whoever comes first imports half of the application, and nobody waits for that.
        from config.asgi import application

        config = uvicorn.Config(application, port=0, log_level="warning", lifespan="off", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        wait_until(lambda: self.server.started, "the server listens")

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.server.servers[0].sockets[0].getsockname()
        return host, port

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE_S)

    def begin(self, path: str, length: int, sent: bytes, **headers: str) -> socket.socket:
        """A request whose body is said to have `length` bytes, and of which so much is sent."""
        lines = [f"POST {path} HTTP/1.1", "Host: testserver", f"Content-Length: {length}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection = socket.create_connection(self.address, timeout=PATIENCE_S)
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)
        return connection

    def stop(self) -> None:
        """Once what was begun has been answered."""
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def project() -> Project:
    return make_project(make_user("owner", organisation=make_organisation(), role=Membership.Role.OWNER))


def test_senders_who_stop_hold_up_nobody(site: Site, settings: LazySettings) -> None:
    settings.REQUEST_BODY_SILENT_S = 3600
    slow = [site.begin("/api/auth/login", 100, b'{"email": "') for _ in range(2 * configured.WEB_THREADS)]
    other = site.connect()
    other.request("GET", "/accounts/login/")
    assert other.getresponse().status == 200
    other.close()
    for connection in slow:
        connection.close()


@pytest.mark.parametrize(
    ("path", "kind"), [("/api/auth/login", "application/problem+json"), ("/projects/drop/", "text/plain")]
)
def test_a_body_that_does_not_come_is_given_up_in_words(
    site: Site, settings: LazySettings, path: str, kind: str
) -> None:
    settings.REQUEST_BODY_SILENT_S = 0.2
    answer = http.client.HTTPResponse(site.begin(path, 100, b"{", Content_Type="application/json"))
    answer.begin()
    told = answer.read()
    assert answer.status == 408 and answer.headers["Connection"] == "close"
    assert answer.headers.get_content_type() == kind
    assert b"did not arrive in time" in told
    if path.startswith("/api/"):
        assert json.loads(told)["code"] == "body_too_slow"


def test_an_upload_that_breaks_off_is_no_upload_and_a_large_one_arrives_as_it_was(site: Site, project: Project) -> None:
    content = bytes(range(256)) * (3 * IN_MEMORY_BYTES // 256) + b"the end"
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="bill.xlsx"\r\n\r\n'
    body = head + content + b"\r\n--b--\r\n"
    path, headers = f"/api/projects/{project.pk}/documents/", _headers(site, project.owner)
    # Broken off before the end of the file, and before the closing boundary
    for sent in (body[: len(body) // 2], body[:-6]):
        site.begin(path, len(body), sent, **headers).close()
    whole = site.connect()
    whole.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = whole.getresponse()
    assert answer.status == 202, answer.read()
    whole.close()
    site.stop()
    document = Document.objects.get(project=project)
    with document.file.open() as stored:
        assert hashlib.sha256(stored.read()).digest() == hashlib.sha256(content).digest()


def _headers(site: Site, user: User) -> dict[str, str]:
    asked = site.connect()
    said = json.dumps({"email": user.email, "password": PASSWORD})
    asked.request("POST", "/api/auth/login", said, {"Content-Type": "application/json"})
    access = json.loads(asked.getresponse().read())["access"]
    asked.close()
    return {"Authorization": f"Bearer {access}", "Content_Type": "multipart/form-data; boundary=b"}


def _send_in_pieces(site: Site, path: str, pieces: list[bytes], **headers: str) -> tuple[int, str]:
    """Status and code of the answer."""
    asked = site.connect()
    # A server that refuses may answer, and close, before it has heard all of it.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        asked.request("POST", path, iter(pieces), headers, encode_chunked=True)
    answer = asked.getresponse()
    told = json.loads(answer.read())
    asked.close()
    return answer.status, told.get("code", "")


def test_where_no_length_need_be_stated_a_body_in_pieces_arrives_whole_or_is_too_long(site: Site) -> None:
    connection = make_connection(make_organisation())
    here, body = f"/api/hooks/voice?connection={connection.pk}", body_of(report())
    headers = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"} | bearer()
    half = len(body) // 2
    assert _send_in_pieces(site, here, [body[:half], body[half:]], **headers) == (200, "")
    assert bytes(ReceivedWebhook.objects.get().body) == body
    long = [b" " * 65536] * 33
    assert _send_in_pieces(site, here, long, **headers) == (413, "request_too_large")
    assert _send_in_pieces(site, here, [body], **headers | bearer("wrong")) == (401, "webhook_signature_wrong")
    # Elsewhere such a body is not read at all, as before.
    assert _send_in_pieces(site, "/api/webhooks/in/nobody", [body], **headers) == (404, "webhook_receiver_not_found")
    assert _send_in_pieces(site, "/api/auth/login", [b"{}"], **headers)[0] == 400
