"""Tenders read by a model that fails at a fifth of its calls, by workers that are killed, with a Redis that is flushed:
a valid row for each, never more calls in flight than allowed, every failure on record."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tenders.analysis import Assessment
from tests.ai import stand_in

from .books import assert_nothing_waits
from .fleet import Disturbance, Fleet
from .program import Program
from .scale import SOAK, seeded
from .site import Site

pytestmark = pytest.mark.faults

TENDERS = 1000 if SOAK else 150
AT_ONCE = 20
# What the server does, and as what it is on record.
FAULTS = {
    "429": "throttled",
    "529": "throttled",
    "500": "server_error",
    "silence": "timeout",
    "truncated": "truncated",
    "refusal": "declined",
    "wrong_schema": "unfit",
    "fenced": "",  # is an answer all the same
    "reset": "connection_lost",
}
CALLS = "SELECT status, attempts, faults FROM ai_modelcall WHERE NOT is_cached"


class Readers(Fleet):
    def working(self) -> list[Program]:
        """Those that read a tender just now."""
        asked = "SELECT pid FROM jobs_process WHERE id IN (SELECT worker_id FROM jobs_job WHERE status = 'running')"
        pids = {pid for (pid,) in self.site.rows(asked)}
        return [member for member in self.members if member.pid in pids and member.is_running]


@pytest.fixture
def model(site: Site) -> Iterator[str]:
    """Its address. Answers take longer than all else, so that many calls are in flight."""
    with stand_in.elsewhere(
        port=site.servers.model_port,
        latency_s=0.2,
        faults=list(FAULTS),
        rate=0.2,
        retry_after="0.3",
        silence_s=30,
        answer="tests.tenders.answers:assessment",
        about="tests.tenders.answers:title_in",
    ) as url:
        yield url


def test_each_tender_is_read_once_though_a_fifth_of_the_calls_fail(site: Site, model: str) -> None:
    site.scheduler()
    fleet = Readers(site, 2)
    batch = UUID(site.ask("tenders", str(TENDERS)))
    fleet.see_through(_milestones(), lambda: site.has_ended(batch), "the batch ends")
    site.stop_all()

    seen = stand_in.seen_by(model)
    fell_back = _assert_read_once(site, batch, seen)
    calls = site.rows(CALLS)
    assert Counter(status for status, _, _ in calls) == {"answered": TENDERS - fell_back, "failed": fell_back}
    assert sum(attempts for _, attempts, _ in calls) == seen["requests"]
    made: Counter[str] = Counter()
    for fate, count in seen["faults"].items():
        made[FAULTS[fate]] += count
    noted = Counter(fault["code"] for _, _, faults in calls for fault in faults)
    too_slow = noted - made  # a loaded machine may let good answers come too late
    assert not made - noted and set(too_slow) <= {"timeout"}
    assert sum(seen["answered"].values()) == TENDERS - fell_back + too_slow.total()


def test_workers_killed_and_redis_flushed_in_the_midst_of_it(site: Site, model: str) -> None:
    rng = seeded("enrichment")
    kills = 20 if SOAK else 5
    site.scheduler()
    fleet = Readers(site, 3)
    batch = UUID(site.ask("tenders", str(TENDERS)))
    flushes = [(point, site.flush_redis) for point in _points(rng, 3)]
    disturbances = _milestones() + flushes + fleet.kills(kills, of_jobs=TENDERS, rng=rng)
    fleet.see_through(disturbances, lambda: site.has_ended(batch), "the batch ends")
    site.stop_all()

    seen = stand_in.seen_by(model)
    _assert_read_once(site, batch, seen)
    calls = site.rows(CALLS)
    cut = [attempts for status, attempts, _ in calls if status == "running"]
    assert len(cut) <= kills * AT_ONCE
    # Who is killed between the writing and the sending has asked nothing.
    assert seen["requests"] <= sum(attempts for _, attempts, _ in calls) <= seen["requests"] + len(cut)
    assert_nothing_waits(site)


def _milestones() -> list[Disturbance]:
    """A slow machine needs patience from one to the next only."""
    return [(point, lambda: None) for point in range(0, TENDERS, 50)]


def _points(rng: random.Random, count: int) -> list[int]:
    return sorted(rng.sample(range(TENDERS // 10, TENDERS * 9 // 10), count))


def _assert_read_once(site: Site, batch: UUID, seen: dict[str, Any]) -> int:
    """How many of them the rules have read in the end."""
    site.note(f"seen by the server: { {name: value for name, value in seen.items() if name != 'answered'} }")
    state = site.rows("SELECT status, done, total, progress FROM jobs_job WHERE id = %s", batch)[0]
    assert state == ("completed", TENDERS, TENDERS, 100)
    rows = site.rows("SELECT tender_id, method, fell_back, result FROM tenders_enrichment")
    assert len(rows) == len({tender for tender, *_ in rows}) == TENDERS
    assert site.value("SELECT count(*) FROM tenders_score") == TENDERS
    for _, method, why, result in rows:
        Assessment.model_validate(result)
        assert (method == "model") != bool(why)
    assert AT_ONCE / 4 < seen["most_in_flight"] <= AT_ONCE
    assert seen["faults"].keys() >= FAULTS.keys() - {"fenced"}
    return sum(method == "rules" for _, method, *_ in rows)
