"""Worker processes that start in no time: forked from one that has imported everything and connected to nothing.

Starting Python and Django costs seconds of a processor; twenty killed workers would cost a slow machine minutes. What
is forked runs `manage.py`'s own command line and can be killed like any other process. `make soak` does without.

    python -m tests.faults.nursery

takes `{"arguments": […], "log": path}` a line, the arguments as an interpreter would get them, and says "started PID"
and "ended PID CODE".
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from config.embedded.layout import BASE_DIR
from config.embedded.lifeline import die_with_parent


class Nursery:
    """Our end."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - the main thread starts it
        )
        self._codes: dict[int, int] = {}

    def start(self, arguments: list[str], log: Path) -> int:
        """The process's number."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"arguments": arguments, "log": str(log)}).encode() + b"\n")
        self.process.stdin.flush()
        while True:
            word, pid = self._hear()
            if word == "started":
                return pid

    def code_of(self, pid: int) -> int | None:
        """How it ended, as `Popen.returncode` tells it; None while it runs."""
        assert self.process.stdout is not None
        while select.select([self.process.stdout], [], [], 0)[0]:
            self._hear()
        return self._codes.get(pid)

    def close(self) -> None:
        self.process.communicate()

    def _hear(self) -> tuple[str, int]:
        assert self.process.stdout is not None
        line = os.read(self.process.stdout.fileno(), 64).decode()  # written in one piece of fixed size
        assert line, "the nursery has died"
        word, pid, *code = line.split()
        if word == "ended":
            self._codes[int(pid)] = int(code[0])
        return word, int(pid)


def _say(*words: object) -> None:
    os.write(1, " ".join(map(str, words)).ljust(64).encode())


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _say("ended", pid, os.waitstatus_to_exitcode(status))


def _be_the_child(arguments: list[str], log: str, arrange: Callable[[], None] | None) -> None:
    """Never returns."""
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if arrange is not None:
            arrange()
        _run(arguments)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(arguments: list[str]) -> None:
    from django.core.management import execute_from_command_line

    from . import asking

    if arguments[:2] == ["-m", asking.__name__]:
        asking.main(arguments[2:])
    else:
        execute_from_command_line(arguments)


def main() -> None:
    import django

    django.setup()
    from jobs.management.commands import schedule, work  # noqa: F401 - with all that they import

    from . import asking  # noqa: F401

    pending = b""
    while True:
        _reap()
        if not select.select([0], [], [], 0.02)[0]:
            continue
        heard = os.read(0, 65536)
        if not heard:
            break
        *lines, pending = (pending + heard).split(b"\n")
        for line in lines:
            asked = json.loads(line)
            arrange = die_with_parent(signal.SIGKILL)
            pid = os.fork()
            if pid == 0:
                _be_the_child(asked["arguments"], asked["log"], arrange)
            _say("started", pid)


if __name__ == "__main__":
    main()
