"""A site to break: private servers, real `manage.py work` and `manage.py schedule` processes, and questions to its
database that outlive a restart of it."""

from __future__ import annotations

import json
import random
import signal
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import redis

from .program import Forked, Program, Spawned
from .scale import PATIENCE_S
from .servers import MARK, Servers

NURSED = ("manage.py", "-m tests.faults.asking")


class Site:
    """What a test drives. Every process that it started has ended when `close` returns, or it says which did not."""

    def __init__(self, servers: Servers, logs: Path) -> None:
        self.servers, self.logs = servers, logs
        self.mark = uuid.uuid4().hex
        self.programs: list[Program] = []
        self.notes: list[str] = []
        self._began = time.monotonic()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    # --- processes ------------------------------------------------------------------------------------------------
    def start(self, name: str, *arguments: str) -> Program:
        """A Python command line (without the interpreter)."""
        number = 1 + sum(program.name.startswith(name) for program in self.programs)
        name, log = f"{name}-{number}", self.logs / f"{name}-{number}.log"
        nursery = self.servers.nursery
        if nursery is not None and " ".join(arguments).startswith(NURSED):
            program: Program = Forked(name, log, arguments, nursery)
        else:
            program = Spawned(name, log, arguments, self.servers.environment(**{MARK: self.mark}))
        self.programs.append(program)
        return program

    def worker(self, *arguments: str) -> Program:
        return self.start("worker", "manage.py", "work", "--skip-checks", *arguments)

    def scheduler(self) -> Program:
        return self.start("scheduler", "manage.py", "schedule", "--skip-checks")

    def asker(self, *arguments: str) -> Program:
        return self.start("asker", "-m", "tests.faults.asking", *arguments)

    def ask(self, *arguments: str) -> Any:
        """Run a part of `asking` to its end; what it answered."""
        asker = self.asker(*arguments)
        assert asker.wait() == 0, asker.said()
        self.note(f"asked: {' '.join(arguments)[:60]}")
        return json.loads(asker.said().splitlines()[-1])

    def ask_batch(self, kind: str, params: Sequence[dict[str, Any]]) -> UUID:
        return UUID(self.ask("batch", kind, json.dumps(params)))

    def ask_jobs(self, jobs: Sequence[tuple[str, dict[str, Any]]]) -> list[UUID]:
        return [UUID(each) for each in self.ask("jobs", json.dumps(jobs))]

    # --- servers --------------------------------------------------------------------------------------------------
    def stop_redis(self, *, kill: bool = False) -> None:
        """Gone: connections are refused."""
        self.note("Redis is stopped")
        if kill and self.servers.redis.process is not None:
            self.servers.redis.process.kill()
            self.servers.redis.process.wait()
        self.servers.redis.stop()

    def start_redis(self) -> None:
        self.servers.redis.start()
        self.note("Redis is there again")

    def freeze_redis(self, *, is_frozen: bool) -> None:
        """It accepts connections and answers nothing."""
        assert self.servers.redis.process is not None
        self.servers.redis.process.send_signal(signal.SIGSTOP if is_frozen else signal.SIGCONT)
        self.note(f"Redis is {'frozen' if is_frozen else 'thawed'}")

    def flush_redis(self) -> None:
        with self.redis() as client:
            client.flushall()
        self.note("Redis is flushed")

    def restart_postgres(self, *, kill: bool = False) -> None:
        """Fast shutdown and start; or the postmaster killed, and recovery."""
        assert self.servers.postgres.process is not None
        if kill:
            self.servers.postgres.process.kill()
            self.servers.postgres.process.wait()
        else:
            self.servers.postgres.stop()
        self.note(f"PostgreSQL is {'killed' if kill else 'stopped'}")
        self.servers.postgres.start()
        self.note("PostgreSQL is there again")

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.servers.redis.url)

    # --- questions ------------------------------------------------------------------------------------------------
    def rows(self, question: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        """Asked again while PostgreSQL is away: only reads, then."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(self.servers.postgres.url, autocommit=True)
                return self._connection.execute(question, values).fetchall()
            except psycopg.OperationalError:
                self._connection = None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def value(self, question: LiteralString, *values: Any) -> Any:
        return self.rows(question, *values)[0][0]

    def ended(self) -> int:
        """How many jobs have ended, batches not counted."""
        ended = "SELECT count(*) FROM jobs_job WHERE status IN ('completed', 'failed', 'cancelled') AND kind <> %s"
        return int(self.value(ended, "jobs.batch"))

    def has_ended(self, job_id: UUID) -> bool:
        return self.status(job_id) in ("completed", "failed", "cancelled")

    def status(self, job_id: UUID) -> str:
        return str(self.value("SELECT status FROM jobs_job WHERE id = %s", job_id))

    def wait_until(self, is_so: Callable[[], object], what: str, meanwhile: Callable[[], None] | None = None) -> None:
        """Patience, not timing: fails only when it never happens."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            if meanwhile is not None:
                meanwhile()
            assert time.monotonic() < deadline, f"Waited {PATIENCE_S:g} s in vain: {what}"
            time.sleep(0.05)

    # --- the end --------------------------------------------------------------------------------------------------
    def note(self, what: str) -> None:
        """For the account of a failure."""
        self.notes.append(f"{time.monotonic() - self._began:7.2f} s  {what}")

    def stop_all(self) -> None:
        """SIGTERM to each process that runs, one that has worked or one that only starts; each leaves in good order."""
        self.note("told to stop")
        for program in self.programs:
            if program.is_running:
                program.terminate()
        for program in self.programs:
            program.wait()
        self.note("all have stopped")
        wrong = [f"{program.name}: {program.code}" for program in self.programs if program.code not in program.expected]
        assert not wrong, f"Ended otherwise than they should: {', '.join(wrong)}"

    def close(self) -> None:
        for program in self.programs:
            program.kill()
        if self._connection is not None:
            self._connection.close()
        self.wait_until(lambda: not self.left_behind(), "every process of the site ends")
        self.note("closed")

    def left_behind(self) -> list[int]:
        """Processes of this site that still live, forked children among them. (Linux; elsewhere nobody looks.)"""
        marks = [f"{MARK}={mark}".encode() for mark in (self.mark, self.servers.mark)]
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                content = entry.read_bytes()
            except OSError:
                continue  # ended just now
            if any(mark in content for mark in marks):
                found.append(int(entry.parent.name))
        nursery = self.servers.nursery
        return [pid for pid in found if nursery is None or pid != nursery.process.pid]


def some(count: int) -> list[dict[str, Any]]:
    """Parameters of as many jobs of kind `faults.effect`."""
    return [{"n": number} for number in range(count)]


def pick(rng: random.Random, programs: Sequence[Program]) -> Program:
    return programs[rng.randrange(len(programs))]
