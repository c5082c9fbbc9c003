"""Workers killed at each step of training calls: each is finished, once, and everybody is told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from .books import assert_nothing_waits, events_of
from .fleet import Fleet
from .site import Site

pytestmark = pytest.mark.faults

STEPS = ("cleaned", "measured", "summarised", "graded", "done")
CALLS = "SELECT status, revision, clean_hash <> '' AND summary <> '', error FROM quiz_trainingsession"
GRADES = "SELECT session_id::text, grader FROM quiz_sessiongrade WHERE is_current"
WORK = "SELECT status, attempt > 1 FROM jobs_job WHERE kind = 'faults.process_call'"
MAILED = "SELECT params->>'session_id' FROM jobs_job WHERE kind = 'quiz.mail_graded_call' AND status = 'completed'"
TOLD = "SELECT payload->'data'->>'session_id' FROM jobs_webhookdelivery"


@pytest.mark.parametrize("when", ["inside", "after"])
def test_calls_whose_workers_are_killed_at_each_step_are_graded_and_told_of_once(
    site: Site, tmp_path: Path, when: str
) -> None:
    """Inside the transaction that writes the step, or right after its commit."""
    made = site.ask("training", str(len(STEPS)))
    site.scheduler()
    fleet = Fleet(site, 2, may_die=True)
    died = [tmp_path / step for step in STEPS]
    site.ask_jobs(
        [
            ("faults.process_call", {"session_id": session, "dies_at": step, "when": when, "died": str(mark)})
            for (session, _), step, mark in zip(made, STEPS, died, strict=True)
        ]
    )
    ends = 3 * len(STEPS)  # the work, the mail, and the delivery to an address that is refused
    fleet.see_through([], lambda: site.ended() == ends, "all is done")

    assert all(mark.exists() for mark in died)
    assert site.rows(WORK) == [("completed", True)] * len(STEPS)
    assert site.rows(CALLS) == [("done", 1, True, "")] * len(STEPS)
    sessions = sorted(session for session, _ in made)
    assert sorted(site.rows(GRADES)) == [(session, "rule") for session in sessions]
    assert site.value("SELECT count(*) FROM quiz_sessiongrade") == len(STEPS)
    for once in (MAILED, TOLD):
        assert sorted(key for (key,) in site.rows(once)) == sessions
    for told in events_of(site, [f"user:{learner}" for _, learner in made]):
        assert told.count("notification") == 1
    assert_nothing_waits(site)
    site.stop_all()
