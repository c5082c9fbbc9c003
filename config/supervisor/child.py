"""One supervised process: start, watch, start again with patience."""

import contextlib
import os
import signal
import subprocess
import time
from collections import deque

from config.embedded.layout import BASE_DIR
from config.embedded.lifeline import die_with_parent
from config.supervisor.output import Console, Pump

SHORTEST_BACK_OFF_S = 0.25
LONGEST_BACK_OFF_S = 10.0
LOUD_DEATHS = 5
LOUD_WITHIN_S = 30.0


class Child:
    """A process that should always run. The back-off doubles with each death and is forgotten after half a minute."""

    def __init__(self, name: str, command: list[str], pump: Pump, console: Console) -> None:
        self.name = name
        self.command = command
        self.pump = pump
        self.console = console
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths: deque[float] = deque(maxlen=LOUD_DEATHS)
        self.started_at = 0.0
        self.back_off_s = SHORTEST_BACK_OFF_S
        self.start_again_at = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            cwd=BASE_DIR,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is for the supervisor, which stops the children in order
            # SIGKILL, because nobody would be left to insist; jobs are made to survive it.
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - the supervisor has one thread
        )
        self.started_at = time.monotonic()
        assert self.process.stdout is not None  # a pipe was asked for
        self.pump.add(self.name, self.process.stdout)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def watch(self) -> None:
        """Notice a death, and start again when the back-off is over."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._mourn(self.process.returncode, now)
            self.process = None
        if self.process is None and now >= self.start_again_at:
            self.start()

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    def _mourn(self, code: int, now: float) -> None:
        if now - self.started_at > LOUD_WITHIN_S:
            self.back_off_s = SHORTEST_BACK_OFF_S
        self.start_again_at = now + self.back_off_s
        self.deaths.append(now)
        self.console.say("run", f"{self.name} ended ({_told(code)}); starting it again in {self.back_off_s:.2g} s")
        self.back_off_s = min(self.back_off_s * 2, LONGEST_BACK_OFF_S)
        if len(self.deaths) == LOUD_DEATHS and now - self.deaths[0] <= LOUD_WITHIN_S:
            self.console.alarm(
                f"{self.name} ended {LOUD_DEATHS} times within {LOUD_WITHIN_S:.0f} s: see its output above"
            )
            self.deaths.clear()


def _told(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
