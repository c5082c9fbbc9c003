"""Two or more processes after the same job: one of them has it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from .books import assert_balanced, ledger
from .program import Program
from .scale import ROUNDS
from .site import Site

pytestmark = pytest.mark.faults

RACERS = 8


def run_race(site: Site, tmp_path: Path, part: str, given: str) -> list[int]:
    """Eight processes, ready and waiting, start at the same moment; what each of them answers."""
    may_go_on = tmp_path / f"go-{len(site.programs)}"
    racers = [site.asker(part, str(may_go_on), given) for _ in range(RACERS)]
    site.wait_until(lambda: all("ready" in racer.said() for racer in racers), "all racers are ready")
    may_go_on.touch()
    assert [racer.wait() for racer in racers] == [0] * RACERS, "\n".join(racer.said() for racer in racers)
    return [json.loads(racer.said().splitlines()[-1]) for racer in racers]


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_processes_given_the_same_ids_run_each_job_once(site: Site, tmp_path: Path, round_: int) -> None:
    ids = site.ask_jobs([("faults.effect", {"n": number}) for number in range(30)])

    run_race(site, tmp_path, "race_for_ids", json.dumps([str(each) for each in ids]))

    entries = assert_balanced(site, count=30)
    assert {entry.attempt for entry in entries} == {1}


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_processes_claiming_from_one_queue_share_it_out(site: Site, tmp_path: Path, round_: int) -> None:
    site.ask_batch("faults.effect", [{"n": number % 7} for number in range(300)])

    counts = run_race(site, tmp_path, "race_for_claims", "default")

    entries = assert_balanced(site, count=300)
    assert {entry.attempt for entry in entries} == {1}
    assert sum(counts) == 300


def test_a_worker_that_was_frozen_beyond_its_lease_does_not_finish_what_another_has_done(
    site: Site, tmp_path: Path
) -> None:
    """It wakes up in the middle of its handler and believes that the job is still its own."""
    began, may_go_on = tmp_path / "began", tmp_path / "may-go-on"
    frozen = site.worker()
    (job,) = site.ask_jobs([("faults.slow_start", {"began": str(began), "may_go_on": str(may_go_on)})])
    site.wait_until(lambda: began.exists() and began.read_text(), "the first attempt begins")
    assert int(began.read_text()) == frozen.pid
    frozen.signal(signal.SIGSTOP)
    site.scheduler()
    other = site.worker()
    site.wait_until(lambda: site.has_ended(job), "another worker does the job")

    may_go_on.touch()
    frozen.signal(signal.SIGCONT)
    _leave(other)
    site.ask_jobs([("faults.effect", {"n": number}) for number in range(5)])
    site.wait_until(lambda: site.ended() == 6, "the one that was frozen goes on to other work")

    entries = assert_balanced(site, count=6)
    assert entries[0].effects == [entries[0].attempt] != [1]
    pids = {pid for (pid,) in site.rows("SELECT pid FROM faults_effect WHERE job <> %s", job)}
    assert pids == {frozen.pid}
    site.stop_all()


def _leave(worker: Program) -> None:
    worker.terminate()
    assert worker.wait() == 0


def test_a_job_cancelled_while_its_worker_is_dead_is_cancelled_not_run_again(site: Site, tmp_path: Path) -> None:
    """Taking it back finds the request."""
    began = tmp_path / "began"
    worker = site.worker()
    (job,) = site.ask_jobs([("faults.slow_start", {"began": str(began), "may_go_on": str(tmp_path / "never")})])
    site.wait_until(lambda: began.exists() and began.read_text(), "the first attempt begins")
    worker.kill()
    site.ask("cancel_job", str(job))
    site.scheduler()
    site.worker()
    site.wait_until(lambda: site.has_ended(job), "the job ends")

    (entry,) = ledger(site)
    assert (entry.status, entry.attempt, entry.effects, entry.has_lease) == ("cancelled", 1, [], False)
    site.stop_all()
