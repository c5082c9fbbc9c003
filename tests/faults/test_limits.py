"""Limits with real processes that are killed and stopped while they hold places."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jobs.connections import queue_redis
from jobs.limits import ConcurrencyLimit
from tests.jobs.processes import wait_until

pytestmark = pytest.mark.faults

BASE_DIR = Path(__file__).resolve().parent.parent.parent
IS_SOAK = os.environ.get("PLUMBLINE_SOAK") == "1"
SIZE, PROCESSES, LEASE_S = 20, 64, 3.0


@pytest.fixture(autouse=True)
def _clean_redis() -> None:
    queue_redis().flushdb()


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process in a group of its own, killed with its children at the end."""
    started = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
        started.communicate()


def stats(port: int) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/stats")
    found: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return found


def test_never_more_than_the_limit_while_holders_are_killed() -> None:
    units = 60 if IS_SOAK else 6
    with process("-m", "tests.faults.counting_server") as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        plan = {"name": "killed", "size": SIZE, "lease_s": LEASE_S, "port": port, "takes_s": 0.3}
        kills = 400 if IS_SOAK else 30
        plan |= {"processes": PROCESSES, "units": units, "kills": kills, "test": os.getpid()}
        with process("-m", "tests.faults.limit_holders", json.dumps(plan)) as holders:
            said, _ = holders.communicate(timeout=1200 if IS_SOAK else 300)
            assert holders.returncode == 0
        seen = stats(port)
    outcome = json.loads(said)
    sys.stdout.write(f"{ ({key: value for key, value in seen.items() if key != 'served'}) } {outcome}")  # for a failure

    assert SIZE / 4 <= seen["peak"] <= SIZE  # so many, or the test would show nothing; never more
    assert outcome["kills"] == kills
    # Every process' work is done, by itself or by the one that came after it.
    assert outcome["left"] == 0
    assert {f"/{number}/{unit}" for number in range(PROCESSES) for unit in range(units)} <= set(seen["served"])
    # Nobody extends what the killed held, and after one lease, by Redis' clock, all places can be taken.
    assert outcome["left_s"] <= LEASE_S
    assert outcome["free"] == outcome["taken"] == SIZE


HOLDER = """
import sys
from jobs.limits import ConcurrencyLimit
lease = ConcurrencyLimit("stopped", 1, lease_s=2).acquire()
print(lease.id, flush=True)
sys.stdin.readline()
print(lease.lost, flush=True)
lease.release()
"""


def test_a_holder_that_was_stopped_learns_that_its_place_is_lost_and_takes_nobodys() -> None:
    limit = ConcurrencyLimit("stopped", 1, lease_s=2)
    with process("-c", HOLDER) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        first = holder.stdout.readline().strip()
        os.kill(holder.pid, signal.SIGSTOP)
        # From here on it can't extend its lease; the next one waits until it has run out.
        second = limit.acquire(timeout_s=120)
        assert second.id != first
        os.kill(holder.pid, signal.SIGCONT)
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert holder.stdout.readline().strip() == "True"
        assert holder.wait(60) == 0
    # Neither its heartbeat nor its release touched the place of the one that came after.
    limit.beat([second])
    assert [entry["id"] for entry in limit.state()["holders"]] == [second.id] or second.lost
    second.release()


def test_a_killed_holder_frees_its_place_within_one_lease() -> None:
    limit = ConcurrencyLimit("stopped", 1, lease_s=2)
    with process("-c", HOLDER) as holder:
        assert holder.stdout is not None
        first = holder.stdout.readline().strip()
        holder.kill()
        holder.wait()
        (held,) = limit.state()["holders"] or [None]
        with limit.hold(timeout_s=120) as second:
            assert second.id != first
            if held is not None:  # else the machine was so slow that the lease had run out before we looked
                assert held["id"] == first
                assert second.since >= held["until"]


def test_processes_wake_each_other() -> None:
    limit = ConcurrencyLimit("stopped", 1, lease_s=60)
    lease = limit.acquire()
    with process("-c", HOLDER) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        wait_until(lambda: limit.state()["waiting"] == 1, "the other process is in line")
        lease.release()
        other = holder.stdout.readline().strip()
        assert [entry["id"] for entry in limit.state()["holders"]] == [other] or not limit.state()["held"]
        holder.communicate("\n", timeout=60)
    assert limit.state()["held"] == 0
