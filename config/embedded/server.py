"""What PostgreSQL and Valkey have in common as children of the host."""

import contextlib
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from config.embedded import locks
from config.embedded.account import Account
from config.embedded.errors import ServicesError
from config.embedded.layout import Layout
from config.embedded.lifeline import die_with_parent

LOG_LIMIT_BYTES = 5_000_000
ORPHAN_PATIENCE_S = 10.0
STOP_PATIENCE_S = 15.0
READY_PATIENCE_S = 150.0

# Told by the server's log, explained for people.
_KNOWN_FAILURES = (
    ("No space left on device", "The disk is full: free some space and start again."),
    ("could not resize shared memory", "Shared memory is used up: give /dev/shm more room (docker: --shm-size)."),
    ("Read-only file system", "The file system is read-only: set PLUMBLINE_VAR to a folder that can be written."),
    ("Permission denied", "A file there is not ours: run as the owner of the folder, or set PLUMBLINE_VAR to another."),
)


class Server(ABC):
    """One server process in the foreground, in a data directory of its own.

    The server inherits a locked descriptor, and its children from it. So the lock is free exactly when nothing of an
    earlier server is left, whoever started it and however its host ended.
    """

    name: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, layout: Layout, account: Account) -> None:
        self.layout = layout
        self.account = account
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def home(self) -> Path:
        """The directory that the server works in; proof of which server a process is."""

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """Where the server itself writes its process id, in the first line."""

    @property
    @abstractmethod
    def socket(self) -> Path: ...

    @property
    @abstractmethod
    def url(self) -> str:
        """For DATABASE_URL or REDIS_URL."""

    @abstractmethod
    def prepare(self) -> None:
        """Directories, and on the first start the data. No other server runs here now."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def is_ready(self) -> bool: ...

    def start(self) -> None:
        """Returns when the server is ready. Raises ServicesError with the reason and what to do."""
        lock = self._wait_for_predecessor()
        try:
            self.prepare()
            self.process = self._spawn(lock)
        except OSError as error:
            raise ServicesError(f"{self.name}: {error}. {_advice(str(error))}".strip()) from error
        finally:
            os.close(lock)
        self._wait_until_ready()

    def has_exited(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        for number in (self.stop_signal, signal.SIGQUIT, signal.SIGKILL):
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_PATIENCE_S)
                return

    def _spawn(self, lock: int) -> "subprocess.Popen[bytes]":
        log = self.layout.server_log(self.name)
        self.layout.logs.mkdir(exist_ok=True)
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            locks.give_to_owner(log)
            return subprocess.Popen(
                self.command(),
                cwd="/",
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(lock,),
                preexec_fn=die_with_parent(self.stop_signal),  # noqa: PLW1509 - the host has one thread
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=self.account.groups,
            )

    def environment(self) -> dict[str, str]:
        """Ours without PG* and locale variables, which would change what the servers do."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        return kept | {"LC_ALL": "C"}

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_PATIENCE_S
        while not self.is_ready():
            if self.has_exited():
                raise ServicesError(self._last_words())
            if time.monotonic() > deadline:
                self.stop()
                raise ServicesError(f"{self.name} was not ready within {READY_PATIENCE_S:.0f} s. {self._last_words()}")
            time.sleep(0.02)

    def _last_words(self) -> str:
        log = self.layout.server_log(self.name)
        end = log.read_bytes()[-800:].decode(errors="replace").strip()
        return f"{self.name} did not start. {_advice(end)}\n{log} ends:\n{end}"

    def _wait_for_predecessor(self) -> int:
        """The server's lock, once whatever an earlier host left running has gone; it is asked to, then made to."""
        lock = locks.open_lock(self.layout.server_lock(self.name))
        told_at: float | None = None
        begun_at = time.monotonic()
        while not locks.try_exclusive(lock):
            waited = time.monotonic() - begun_at
            if waited > 2 * ORPHAN_PATIENCE_S:
                os.close(lock)
                raise ServicesError(f"An earlier {self.name} still runs in {self.home} and does not end: stop it.")
            if told_at is None or waited > ORPHAN_PATIENCE_S:
                told_at = waited
                self._end_orphan(signal.SIGKILL if waited > ORPHAN_PATIENCE_S else self.stop_signal)
            time.sleep(0.05)
        return lock

    def _end_orphan(self, number: signal.Signals) -> None:
        """Signal the process of the pid file, but only if it is proven to be this server: numbers are used again."""
        try:
            pid = int(self.pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if self._works_here(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _works_here(self, pid: int) -> bool:
        process = Path(f"/proc/{pid}")
        if not Path("/proc/self").exists():  # macOS
            told = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
            return str(self.home) in told.stdout and any(program in told.stdout for program in self.programs)
        try:
            program = (process / "comm").read_text().strip()
            return (process / "cwd").readlink() == self.home and program in self.programs
        except OSError:
            return False


def _advice(text: str) -> str:
    return next((advice for sign, advice in _KNOWN_FAILURES if sign in text), "")
