"""One process of a site, started by us or forked in the nursery; its output goes into a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from config.embedded.layout import BASE_DIR
from config.embedded.lifeline import die_with_parent

from .nursery import Nursery
from .scale import PATIENCE_S


class Program:
    """`expected`: how it may end, as `subprocess` tells it."""

    def __init__(self, name: str, log: Path) -> None:
        self.name, self.log = name, log
        self.expected: tuple[int, ...] = (0,)
        self.pid = 0

    @property
    def code(self) -> int | None:
        """None while it runs."""
        raise NotImplementedError

    @property
    def is_running(self) -> bool:
        return self.code is None

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def hears(self, number: signal.Signals) -> bool:
        """Whether it has a handler for it by now. (Linux; elsewhere nobody knows: no.)"""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return False
        caught = next(line.split()[1] for line in lines if line.startswith("SigCgt:"))
        return bool(int(caught, 16) & 1 << (number - 1))

    def terminate(self) -> None:
        """SIGTERM. One that has only just been started may not hear it yet: it has nothing in hand and just ends."""
        if not self.hears(signal.SIGTERM):
            self.expected = (*self.expected, -signal.SIGTERM)
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        if self.is_running:
            self.expected = (0, -signal.SIGKILL)
            self.signal(signal.SIGKILL)
            self.wait()

    def wait(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while self.code is None:
            assert time.monotonic() < deadline, f"{self.name} does not end"
            time.sleep(0.02)
        return self.code

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Spawned(Program):
    """An interpreter of its own."""

    def __init__(self, name: str, log: Path, arguments: Sequence[str], environment: dict[str, str]) -> None:
        super().__init__(name, log)
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=BASE_DIR,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - the main thread starts it
            )
        self.pid = self.process.pid

    @property
    def code(self) -> int | None:
        return self.process.poll()


class Forked(Program):
    """Born in the nursery."""

    def __init__(self, name: str, log: Path, arguments: Sequence[str], nursery: Nursery) -> None:
        super().__init__(name, log)
        self._nursery = nursery
        self.pid = nursery.start(list(arguments), log)

    @property
    def code(self) -> int | None:
        return self._nursery.code_of(self.pid)
