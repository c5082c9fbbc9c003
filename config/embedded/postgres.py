"""The embedded PostgreSQL: data, binaries and socket where its account can reach them; no TCP port."""

import os
import shutil
import signal
import subprocess
from functools import cached_property
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from config.embedded import account, binaries, locks
from config.embedded.errors import ServicesError
from config.embedded.layout import POSTGRES_PORT, POSTGRES_SOCKET, Layout
from config.embedded.server import Server

DATABASE = "plumbline"
SUPERUSER = "postgres"
ROOM_FOR_NEW_DATA_BYTES = 300_000_000

# Chosen for a laptop that does other things too.
SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "log_min_duration_statement": "500",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# A crash may lose test data; nobody minds.
TESTING_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class Postgres(Server):
    name: ClassVar[str] = "postgres"
    programs: ClassVar[tuple[str, ...]] = ("postgres",)
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast"; SIGTERM would wait for clients for ever

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, account.unprivileged_for(layout.root))

    @cached_property
    def base(self) -> Path:
        """`var/postgres`, or a directory under /var keyed by the root when that is closed to PostgreSQL's account."""
        if self.account.can("-x", self.layout.root):
            return self.layout.postgres
        if (self.layout.postgres / "data").exists():
            raise ServicesError(
                f"PostgreSQL's account can no longer pass through to its data in {self.layout.postgres}: "
                "somebody closed a folder above. Open it again (o+x), or set PLUMBLINE_VAR."
            )
        for parent in (Path("/var/lib"), Path("/var/tmp")):  # noqa: S108 - make_dir refuses what is not ours
            if os.access(parent, os.W_OK) and self.account.can("-x", parent):
                return parent / f"plumbline-{self.layout.key}"
        raise ServicesError(
            f"PostgreSQL's account cannot reach {self.layout.root}, nor a folder under /var. "
            "Set PLUMBLINE_VAR to a folder that it can pass through, or DATABASE_URL."
        )

    @cached_property
    def bin(self) -> Path:
        """The wheel's `bin`, or a copy of it that PostgreSQL's account can reach."""
        found = binaries.find_postgres()
        if self.account.can("-x", found / "postgres"):
            return found
        return binaries.copy_postgres(found, self.base / "programs")

    @cached_property
    def _major(self) -> int:
        # Asked of the original: what lies in a folder of PostgreSQL's account is never run as root.
        return binaries.postgres_major(binaries.find_postgres())

    @property
    def home(self) -> Path:
        return self.base / "data"

    @property
    def pid_file(self) -> Path:
        return self.home / "postmaster.pid"

    @property
    def socket(self) -> Path:
        return self._socket_dir / POSTGRES_SOCKET

    @cached_property
    def _socket_dir(self) -> Path:
        return self.layout.socket_dir(self.name, self.base / "run", POSTGRES_SOCKET)

    @property
    def url(self) -> str:
        # The host as an option: django-environ does not decode a path in the place of a host name.
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(self._socket_dir))}&port={POSTGRES_PORT}"

    def prepare(self) -> None:
        # Whoever may use the socket is the superuser: the closed directory is the password.
        for path in (self.base, self._socket_dir):
            self.account.make_dir(path)
        if not (self.home / "PG_VERSION").exists():
            self._initialise()
        self._refuse_another_version()
        # We hold the lock, so these are left over from a crash; a process number in them may be somebody else's by now.
        for stale in (self.pid_file, self.socket, self.socket.with_name(POSTGRES_SOCKET + ".lock")):
            stale.unlink(missing_ok=True)

    def _initialise(self) -> None:
        """initdb beside, then a rename: killed half-way it starts afresh."""
        free = shutil.disk_usage(self.base).free
        if free < ROOM_FOR_NEW_DATA_BYTES:
            raise ServicesError(f"Only {free // 1_000_000} MB free on the disk of {self.base}: PostgreSQL needs 300.")
        fresh = self.base / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        command = [str(self.bin / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "-A", "trust", "--encoding=UTF8"]
        if self._major >= 17:
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        else:
            command += ["--locale=C.UTF-8"]
        if self.layout.is_testing:
            command.append("--no-sync")
        done = self._run(command)
        if done.returncode != 0:
            raise ServicesError(f"initdb failed in {self.base}:\n{(done.stdout + done.stderr)[-800:]}")
        fresh.rename(self.home)

    def _refuse_another_version(self) -> None:
        ours, theirs = self._major, int((self.home / "PG_VERSION").read_text())
        if ours != theirs:
            raise ServicesError(
                f"The data in {self.home} is of PostgreSQL {theirs}, the programs are of {ours}. Dump it with version "
                f"{theirs} and load it again, or move the folder away to start empty."
            )

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_dir),
            "unix_socket_permissions": "0700",
            "port": str(POSTGRES_PORT),
        } | SETTINGS
        if self.layout.is_testing:
            settings |= TESTING_SETTINGS
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.bin / "postgres"), "-D", str(self.home), *options]

    def is_ready(self) -> bool:
        """PostgreSQL's own word: the eighth line of postmaster.pid, if the file is of the process that we started."""
        try:
            lines = self.pid_file.read_text().splitlines()
        except FileNotFoundError:
            return False
        started = self.process is not None and lines[:1] == [str(self.process.pid)]
        return started and len(lines) > 7 and lines[7].strip() == "ready"

    def start(self) -> None:
        super().start()
        if os.geteuid() == 0 and self.base != self.layout.postgres:
            self._leave_a_pointer()
        question = f"select 1 from pg_database where datname = '{DATABASE}'"  # noqa: S608 - a constant
        if self._client("psql", "-XtAc", question, "postgres").strip() != "1":
            self._client("createdb", DATABASE)

    def _client(self, program: str, *arguments: str) -> str:
        where = ["-h", str(self._socket_dir), "-p", str(POSTGRES_PORT), "-U", SUPERUSER]
        done = self._run([str(self.bin / program), *where, *arguments])
        if done.returncode != 0:
            raise ServicesError(f"{program}: {done.stderr.strip()}")
        return done.stdout

    def _run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd="/",
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            user=self.account.uid,
            group=self.account.gid,
            extra_groups=self.account.groups,
        )

    def _leave_a_pointer(self) -> None:
        """Data that is not under the root is easy to lose sight of."""
        note = self.layout.root / "postgres-is-elsewhere.txt"
        note.write_text(f"{self.base}\nPostgreSQL's account cannot pass through to this folder; its data is there.\n")
        locks.give_to_owner(note)
