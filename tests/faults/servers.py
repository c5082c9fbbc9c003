"""A PostgreSQL and a Valkey that belong to the fault tests alone, so that they can be killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import ClassVar

import psycopg
import redis

from config.embedded.client import NAMES_VARIABLE, make_root
from config.embedded.layout import BASE_DIR, Layout
from config.embedded.postgres import Postgres
from config.embedded.redis import Redis as Valkey
from tests.services import spare_clone

from .kinds import EFFECTS
from .nursery import Nursery
from .scale import LEASE_S, MODEL_TIMEOUT_S, SOAK

MARK = "FAULTS_SITE"  # a variable by which our processes, and whatever they forked, are known
# What would lead a process to other servers than ours.
FOREIGN = ("PLUMBLINE_", "DATABASE_", "REDIS_", "TEST_", "PYTEST_", "JOBS_", "CHANNEL_PREFIX")


class CommittedPostgres(Postgres):
    """Throw-away data, but what was committed survives a killed server. (Not a power cut: without fsync.)"""

    kept: ClassVar[tuple[str, ...]] = ("synchronous_commit=on", "full_page_writes=on", "log_min_duration_statement=-1")

    def command(self) -> list[str]:
        return super().command() + [part for setting in self.kept for part in ("-c", setting)]


class Servers:
    """The two servers with a migrated database, in a folder of their own."""

    def __init__(self) -> None:
        # Not pytest's folder: as root PostgreSQL runs as another account, which has to pass through.
        self.folder = Path(tempfile.mkdtemp(prefix="plumbline-faults-"))
        self.folder.chmod(0o711)
        self.layout = Layout(self.folder / "var")
        make_root(self.layout, testing=True)
        self.mark = uuid.uuid4().hex
        self.model_port = _free_port()  # where a test may start a model server
        self.nursery: Nursery | None = None
        self.postgres, self.redis = CommittedPostgres(self.layout), Valkey(self.layout)

    def start(self) -> None:
        self.redis.start()
        self.postgres.start()
        self._fill()
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(EFFECTS)
        self.nursery = None if SOAK else Nursery(self.environment(**{MARK: self.mark}))

    def stop(self) -> None:
        if self.nursery is not None:
            self.nursery.close()
        self.redis.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder)
        if self.postgres.base != self.layout.postgres:
            shutil.rmtree(self.postgres.base)

    def make_sure(self) -> None:
        """Both run, whatever the test before did to them."""
        for server in (self.redis, self.postgres):
            if server.process is not None and server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)
            else:
                server.start()

    def empty(self) -> None:
        """No rows, no keys. TRUNCATE … CASCADE reaches whatever refers to a job, an organisation or a person."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(
                "TRUNCATE faults_effect, jobs_job, jobs_process, accounts_organisation, accounts_user CASCADE"
            )
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return kept | {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "REDIS_KEY_PREFIX": "faults",
            "CHANNEL_PREFIX": "faults",
            "JOBS_LEASE_S": str(LEASE_S),
            "AI_PROVIDER": "anthropic",
            "AI_MODEL": "claude-haiku-4-5",
            "AI_BASE_URL": f"http://127.0.0.1:{self.model_port}",
            "AI_TIMEOUT_S": str(MODEL_TIMEOUT_S),
            "AI_DAILY_BUDGET_USD": "none",
            "MODEL_TOKENS_PER_MINUTE": "50000000",
            "MODEL_REQUESTS_PER_MINUTE": "1000000",
            "MEDIA_ROOT": str(self.folder / "media"),
            "WEB_THREADS": "2",
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
            **more,
        }

    def _fill(self) -> None:
        """With what migrating makes, from the tests' template: migrating costs half a minute of a processor."""
        if "postgres" not in os.environ.get(NAMES_VARIABLE, "").split(","):  # a server that our pg_dump may not know
            self._run(sys.executable, "manage.py", "migrate", "--verbosity", "0")
            return
        programs, dump = self.postgres.bin, str(self.folder / "migrated.sql")
        with spare_clone() as url:
            self._run(str(programs / "pg_dump"), "--no-owner", "--no-privileges", "--file", dump, url)
        load = ("--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1", "--file", dump)
        self._run(str(programs / "psql"), *load, self.postgres.url)

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=BASE_DIR, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
