"""Whoever asks for work dies while it asks: what was committed is done, what was not has never been."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.factories.bills import GivenPosition, write_unixml
from tests.factories.imports import given_bill
from tests.factories.people import PASSWORD

from .books import assert_balanced, assert_nothing_waits
from .fleet import Fleet
from .site import Site, some

pytestmark = pytest.mark.faults


def die_asking(site: Site, part: str, count: int) -> None:
    asker = site.asker(part, "faults.effect", json.dumps(some(count)))
    asker.expected = (-signal.SIGKILL,)
    assert asker.wait() == -signal.SIGKILL, asker.said()


def test_what_was_committed_without_a_doorbell_is_done(site: Site) -> None:
    """The workers wait for a doorbell that nobody rang; the scheduler notices."""
    site.scheduler()
    fleet = Fleet(site, 2)
    first = site.ask_batch("faults.effect", some(20))
    fleet.see_through([], lambda: site.has_ended(first), "the workers are there and have nothing to do")

    die_asking(site, "die_before_doorbell", 50)
    fleet.see_through([], lambda: site.ended() == 70, "the unannounced jobs end")

    assert_balanced(site, count=70)
    assert_nothing_waits(site)
    site.stop_all()


def test_what_was_not_committed_has_never_been(site: Site) -> None:
    die_asking(site, "die_before_commit", 50)

    assert site.value("SELECT count(*) FROM jobs_job") == 0
    assert_nothing_waits(site)


def test_work_accepted_by_a_web_process_that_dies_at_once_is_done(site: Site, tmp_path: Path) -> None:
    """202 is a promise: a bill is uploaded, the server killed, the bill read and audited."""
    email = site.ask("person")
    positions = [GivenPosition(str(n), f"Zásyp v úseku {n}", "m3", n % 90 + 1, n + 9) for n in range(1, 40)]
    write_unixml(tmp_path / "bill.xml", given_bill(*positions))
    port = free_port()
    web = site.start("web", "-m", "uvicorn", "config.asgi:application", "--port", str(port))
    web.expected = (-signal.SIGKILL,)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api", timeout=120) as client:
        project, answer = upload(site, client, email, tmp_path / "bill.xml")
    web.kill()
    assert answer.status_code == 202, answer.text

    site.scheduler()
    site.worker()
    site.wait_until(lambda: is_audited(site, project), "the bill is read and audited")

    jobs = site.rows("SELECT kind, status, attempt FROM jobs_job ORDER BY kind")
    assert jobs == [("projects.audit", "completed", 1), ("projects.parse_document", "completed", 1)]
    assert site.value("SELECT count(*) FROM projects_position WHERE project_id = %s", project) == 39
    assert site.value("SELECT count(*) FROM projects_budgetversion WHERE project_id = %s", project) == 1
    site.stop_all()


def upload(site: Site, client: httpx.Client, email: str, bill: Path) -> tuple[str, httpx.Response]:
    """Sign in, open a project, upload; its number and the last answer."""
    site.wait_until(lambda: answers(client), "the server answers")
    signed_in = client.post("/auth/login", json={"email": email, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {signed_in.raise_for_status().json()['access']}"
    project = client.post("/projects", json={"name": "Hala"}).raise_for_status().json()["id"]
    return project, client.post(f"/projects/{project}/documents", files={"file": ("bill.xml", bill.read_bytes())})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/auth/me").status_code == 401
    except httpx.TransportError:
        return False


def is_audited(site: Site, project: str) -> bool:
    return bool(site.value("SELECT audited_version = 1 FROM projects_project WHERE id = %s", project))
