"""What a failed test tells of its site: enough to find the cause from CI's output alone."""

from __future__ import annotations

import signal
import time

import psycopg
import redis

from .site import Site

LAST_LINES = 40
UNFINISHED = """
SELECT id, kind, status, attempt, next_retry_at, lease_until, error->>'code', now() FROM jobs_job
WHERE status NOT IN ('completed', 'failed', 'cancelled') ORDER BY created_at LIMIT 20
"""
FAILED = """
SELECT id, kind, attempt, error->>'code', error->>'message', right(error->>'traceback', 600) FROM jobs_job
WHERE status = 'failed' ORDER BY finished_at LIMIT 5
"""


def account_of(site: Site) -> str:
    _ask_where_they_are(site)
    parts = ["\n".join(site.notes), _database(site), _redis(site)]
    parts += [
        f"--- {program.name}, pid {program.pid}, ended with {program.code}\n{_end(program.said())}"
        for program in site.programs
        if program.said().strip()
    ]
    for name in ("postgres", "redis"):
        log = site.servers.layout.server_log(name)
        parts.append(f"--- {name}\n{_end(log.read_text(errors='replace'))}")
    return "\n\n".join(parts)


def _ask_where_they_are(site: Site) -> None:
    """Each process of ours that still runs writes the stacks of its threads into its log."""
    for program in site.programs:
        if program.is_running and "web" not in program.name:
            program.signal(signal.SIGCONT)
            program.signal(signal.SIGUSR1)
    time.sleep(1)  # nothing depends on it but how much is told


def _database(site: Site) -> str:
    try:
        with psycopg.connect(site.servers.postgres.url, autocommit=True) as connection:
            states = connection.execute("SELECT kind, status, count(*) FROM jobs_job GROUP BY 1, 2").fetchall()
            rows = connection.execute(UNFINISHED).fetchall() + connection.execute(FAILED).fetchall()
    except psycopg.Error as error:
        return f"PostgreSQL: {error}"
    return "\n".join(map(repr, [*states, *rows]))


def _redis(site: Site) -> str:
    try:
        with site.redis() as client:
            keys: list[bytes] = list(client.scan_iter("rq:*", count=1000))
    except (redis.exceptions.RedisError, OSError) as error:
        return f"Redis: {error}"
    return f"{len(keys)} keys of RQ: {sorted(keys)[:30]}"


def _end(text: str) -> str:
    return "\n".join(text.splitlines()[-LAST_LINES:])
