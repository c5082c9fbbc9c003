"""Handlers that loop, eat memory, raise what nobody can print, or kill their worker: each fails with its reason, all
others complete."""

from __future__ import annotations

from typing import Any

import pytest

from .books import assert_balanced, assert_batch_ended, assert_nothing_waits, assert_said
from .fleet import Fleet
from .scale import JOBS
from .site import Site, some

pytestmark = pytest.mark.faults

HARMFUL: list[tuple[str, dict[str, Any], str]] = [
    ("faults.loops", {}, "job_timed_out"),
    ("faults.isolated_loops", {}, "job_timed_out"),
    ("faults.deaf_loops", {}, "job_timed_out"),
    ("faults.greedy", {}, "job_out_of_memory"),
    ("faults.unspeakable", {}, "unexpected_error"),
    ("faults.isolated_unspeakable", {}, "unexpected_error"),
    ("faults.isolated_poison", {"how": "exit"}, "job_crashed"),
    ("faults.isolated_poison", {"how": "kill"}, "job_crashed"),
    ("faults.isolated_poison", {"how": "segfault"}, "job_crashed"),
]


def test_harmful_handlers_fail_with_their_reason_and_leave_the_worker_alone(site: Site) -> None:
    site.scheduler()
    fleet = Fleet(site, 2)
    asked = [("faults.isolated_effect", {"n": number}) for number in range(10)]
    asked += [(kind, params) for kind, params, _ in HARMFUL]
    asked += [("faults.effect", {"n": number}) for number in range(10)]
    ids = site.ask_jobs(asked)
    codes = dict(zip(ids[10:], (code for *_, code in HARMFUL), strict=False))

    fleet.see_through([], lambda: site.ended() == len(ids), "all jobs end")

    entries = assert_balanced(site, count=len(ids), failed=codes)
    assert all(entry.attempt == 1 for entry in entries), "none of these is worth a retry"
    assert_said(site, entries)
    assert_nothing_waits(site)
    site.stop_all()


@pytest.mark.parametrize("kind", ["faults.effect", "faults.returns"])
def test_poisoned_jobs_among_a_thousand_take_no_other_along(site: Site, kind: str) -> None:
    """Each kills every worker that touches it, until it has no attempt left. Those of the second kind are claimed with
    dozens of others, which must not pay for it."""
    site.scheduler()
    fleet = Fleet(site, 3, may_die=True)
    poisons = {JOBS // 4: "exit", JOBS // 2: "kill", JOBS * 3 // 4: "segfault"}
    params = [each | ({"poison": poisons[each["n"]]} if each["n"] in poisons else {}) for each in some(JOBS)]
    batch = site.ask_batch(kind, params)

    fleet.see_through([], lambda: site.has_ended(batch), "the batch ends")

    poisoned = {row[0]: "job_worker_lost" for row in site.rows("SELECT id FROM jobs_job WHERE params ? 'poison'")}
    entries = assert_balanced(site, count=JOBS, failed=poisoned, at_least_once=kind == "faults.returns")
    assert_batch_ended(site, batch, completed=JOBS - len(poisons), failed=len(poisons))
    culprits = [entry for entry in entries if entry.id in poisoned]
    assert [entry.tries for entry in culprits] == [4] * len(poisons)
    # Whoever dies may have had the ends of as many others in hand, written and not yet said.
    assert_said(site, entries, unsaid=len(fleet.deaths) * (64 if kind == "faults.returns" else 1))
    assert_nothing_waits(site)
    site.stop_all()
