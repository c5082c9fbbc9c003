"""Whether the books balance after a fault: every job ended once, with its effect exactly once, and said so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from .site import Site

LEDGER = """
SELECT job.id, kind, status, attempt, attempts_before, max_retries, lease_until IS NOT NULL, error->>'code', result,
       (SELECT array_agg(attempt ORDER BY id) FROM faults_effect WHERE job = job.id)
FROM jobs_job AS job WHERE kind <> 'jobs.batch' ORDER BY created_at, job.id
"""
TERMINAL = {"job_complete": "completed", "job_failed": "failed", "job_cancelled": "cancelled"}


@dataclass
class Entry:
    """A job and what it left behind. `effects`: the attempts that wrote one."""

    id: UUID
    kind: str
    status: str
    attempt: int
    attempts_before: int
    max_retries: int
    has_lease: bool
    code: str | None
    result: Any
    effects: list[int] = field(default_factory=list)

    @property
    def tries(self) -> int:
        """Attempts that count."""
        return self.attempt - self.attempts_before

    def faults(self, expected: str | None, *, at_least_once: bool) -> Iterator[str]:
        """`expected`: the code it should have failed with; None: it should have completed."""
        if expected is None:
            if self.status != "completed":
                yield f"is {self.status} ({self.code})"
            if at_least_once and not self.effects:
                yield "has no effect"
            if not at_least_once and len(self.effects) != 1:
                yield f"has {len(self.effects)} effects"
        else:
            if (self.status, self.code) != ("failed", expected):
                yield f"is {self.status} ({self.code}), not failed ({expected})"
            if self.effects:
                yield f"has {len(self.effects)} effects"
        if not 1 <= self.tries <= 1 + self.max_retries:
            yield f"took {self.tries} attempts of {1 + self.max_retries}"
        if self.has_lease:
            yield "still has a lease"
        if expected is None and not at_least_once and self.result != {"attempt": (self.effects or [None])[0]}:
            yield f"says {self.result}, but has effects of attempts {self.effects}"


def ledger(site: Site) -> list[Entry]:
    return [Entry(*row[:-1], effects=row[-1] or []) for row in site.rows(LEDGER)]


def assert_balanced(
    site: Site, *, count: int, failed: Mapping[UUID, str] | None = None, at_least_once: bool = False
) -> list[Entry]:
    """All `count` jobs completed with their effect exactly once, but those in `failed`, with these codes and without
    any."""
    entries = ledger(site)
    expected = failed or {}
    wrong = [
        f"{entry.id} {entry.kind} attempt {entry.attempt}: {', '.join(faults)}"
        for entry in entries
        if (faults := list(entry.faults(expected.get(entry.id), at_least_once=at_least_once)))
    ]
    assert len(entries) == count
    assert not wrong, f"{len(wrong)} of {count} jobs are wrong:\n" + "\n".join(wrong[:40])
    strays = site.rows("SELECT job FROM faults_effect WHERE job NOT IN (SELECT id FROM jobs_job)")
    assert not strays, f"Effects without a job: {strays}"
    return entries


def assert_batch_ended(site: Site, batch_id: UUID, **counts: int) -> None:
    """The batch says what its children are."""
    row = site.rows("SELECT status, done, total, result, lease_until FROM jobs_job WHERE id = %s", batch_id)[0]
    total = sum(counts.values())
    assert row == ("failed" if counts.get("failed") else "completed", total, total, counts, None)


def assert_said(site: Site, entries: list[Entry], *, unsaid: int = 0) -> None:
    """In each job's stream the last event is its end, which comes once. `unsaid` ends may be missing: who is killed, or
    without Redis, between the commit and the saying says nothing."""
    wrong, silent = [], 0
    for entry, told in zip(entries, events_of(site, [f"job:{entry.id}" for entry in entries]), strict=True):
        ends = [TERMINAL[kind] for kind in told if kind in TERMINAL]
        silent += not ends
        if ends and (ends != [entry.status] or told[-1] not in TERMINAL):
            wrong.append(f"{entry.id} is {entry.status}, but said: {told}")
    site.note(f"{silent} jobs ended without a word")
    assert not wrong, "\n".join(wrong[:40])
    assert silent <= unsaid, f"{silent} jobs ended without a word; at most {unsaid} may"


def assert_batch_said_once(site: Site, batch_id: UUID) -> None:
    """Its channel carries its children's ends as well; its own comes once, and nothing of it after that."""
    told = [event for event in _events(site, [f"batch:{batch_id}"])[0] if event["data"]["job_id"] == str(batch_id)]
    assert [event["type"] in TERMINAL for event in told] == [False] * (len(told) - 1) + [True]


def events_of(site: Site, channels: Sequence[str]) -> list[list[str]]:
    """Types of the events kept of each channel, oldest first."""
    return [[event["type"] for event in events] for events in _events(site, channels)]


def _events(site: Site, channels: Sequence[str]) -> list[list[dict[str, Any]]]:
    with site.redis() as client, client.pipeline(transaction=False) as pipe:
        for channel in channels:
            pipe.xrange(f"faults:events:{{{channel}}}")
        return [[json.loads(fields[b"e"]) for _, fields in entries] for entries in pipe.execute()]


def assert_nothing_waits(site: Site) -> None:
    """No doorbell is left in the queues, nor in a table that says who works."""

    def waiting() -> Counter[str]:
        with site.redis() as client:
            keys: Any = client.keys("rq:queue:*")
            lists = [key for key in keys if client.type(key) == b"list" and not key.endswith(b":intermediate")]
            return Counter({key.decode(): client.llen(key) for key in lists})

    site.wait_until(lambda: not waiting().total(), f"doorbells are answered: {waiting()}")
    held = site.value("SELECT count(*) FROM jobs_job WHERE lease_until IS NOT NULL")
    assert held == 0, f"{held} leases are still held"
