"""Kinds that wait on the network: many at a time in one process, beside other work."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection

from jobs.models import Job
from jobs.registry import register
from jobs.run import Run
from jobs.services import cancel, enqueue, enqueue_batch

from .processes import command, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Slow(ThreadingHTTPServer):
    """Answers nobody until the gate is opened; counts who is waiting."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.gate, self.lock = threading.Event(), threading.Lock()
        self.inside = self.most = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Answer(BaseHTTPRequestHandler):
    server: Slow

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.inside += 1
            self.server.most = max(self.server.most, self.server.inside)
        self.server.gate.wait(120)
        with self.server.lock:
            self.server.inside -= 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[Slow]:
    server = Slow()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.faults
def test_twenty_wait_on_the_network_in_one_process_and_short_jobs_do_not_wait_for_them(slow: Slow) -> None:
    fetches = enqueue_batch(kind="tests.fetch", params=[{"url": slow.url}] * 40)
    short = enqueue_batch(kind="tests.echo", params=[{}] * 30)
    with command("work", "default") as worker:
        wait_until(lambda: slow.inside == 20, "as many as there are places")
        wait_until(lambda: Job.objects.get(pk=short.pk).status == "completed", "all short ones have ended")
        assert slow.inside == 20, "the slow ones are still waiting"
        assert Job.objects.filter(batch=fetches, status="running").count() == 20
        slow.gate.set()
        wait_until(lambda: Job.objects.get(pk=fetches.pk).status == "completed", "all have ended")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert slow.most == 20
    results = Job.objects.filter(batch=fetches).values_list("result", "attempt")
    assert [*results] == [({"answer": "ok"}, 1)] * 40


def test_handler_in_a_thread_is_ended_at_its_time_limit(drain) -> None:
    endless = [enqueue(kind="tests.network_loop", params={}) for _ in range(3)]
    usual = enqueue(kind="tests.echo", params={})
    assert drain() == 4
    for job in endless:
        job.refresh_from_db()
        assert (job.status, job.error["code"]) == ("failed", "job_timed_out")
    usual.refresh_from_db()
    assert usual.status == "completed"


def test_job_in_a_thread_is_cancelled_at_its_next_report(drain) -> None:
    job = enqueue(kind="tests.network_steps", params={"steps": 100_000, "pause_s": 0.01})

    def ask() -> None:
        wait_until(Job.objects.filter(pk=job.pk, status="running").exists, "it runs")
        cancel(job.pk)
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    drain()
    thread.join()
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_isolated_job_gets_its_turn_though_others_run_beside(drain) -> None:
    """It is forked when nothing runs beside: more of the others wait meanwhile, and go on afterwards."""
    others = enqueue_batch(kind="tests.network_steps", params=[{"steps": 3, "pause_s": 0.05}] * 12)
    isolated = enqueue(kind="tests.isolated", params={})
    assert drain() == 13
    for job in (others, isolated):
        job.refresh_from_db()
        assert job.status == "completed"


def test_kind_can_not_be_both_isolated_and_many_at_a_time() -> None:
    with pytest.raises(ValueError, match="fork"):

        @register("tests.both", isolated=True, concurrency=2)
        def both(run: Run, params: dict[str, object]) -> None:
            """Never registered."""
