"""What the children say, line by line, each line under its child's name."""

import contextlib
import os
import selectors
import sys
from typing import IO

NAME_WIDTH = 10
COLOURS = {"web": 36, "worker": 32, "scheduler": 35, "migrate": 34, "demo": 34, "run": 33}
LONGEST_LINE_BYTES = 64 * 1024


class Console:
    """Our own output. Keeps quiet once nobody listens any more: a closed terminal is no reason to fall over."""

    def __init__(self) -> None:
        self.has_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def say(self, name: str, text: str) -> None:
        label = f"{name:<{NAME_WIDTH}}│ "
        if self.has_colour:
            colour = COLOURS.get(name.partition("-")[0], 37)
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self.write(label + text + "\n")

    def alarm(self, text: str) -> None:
        self.say("run", f"\x1b[1;31m{text}\x1b[0m" if self.has_colour else f"*** {text} ***")

    def banner(self, text: str) -> None:
        for line in ("", text, ""):
            self.say("run", f"\x1b[1m{line}\x1b[0m" if self.has_colour else line)

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()


class Pump:
    """Moves whatever the children wrote to the console, without threads and without ever blocking on one child."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.selector = selectors.DefaultSelector()
        self.rests: dict[int, bytes] = {}

    def add(self, name: str, stream: IO[bytes]) -> None:
        os.set_blocking(stream.fileno(), False)
        self.selector.register(stream, selectors.EVENT_READ, name)
        self.rests[stream.fileno()] = b""

    def drain(self) -> None:
        """Pass on what has been written already; bounded, because others may go on writing."""
        for _ in range(100):
            if not self.turn(0):
                return

    def turn(self, timeout_s: float) -> bool:
        """Wait for output or for the time, whichever is first, and pass on a piece of each. True when there was any."""
        ready = self.selector.select(timeout_s)
        for key, _ in ready:
            chunk = os.read(key.fd, LONGEST_LINE_BYTES)
            *lines, rest = (self.rests[key.fd] + chunk).split(b"\n")
            if rest and (not chunk or len(rest) > LONGEST_LINE_BYTES):
                lines, rest = [*lines, rest], b""
            for line in lines:
                self.console.say(key.data, line.decode(errors="replace").rstrip("\r"))
            self.rests[key.fd] = rest
            if not chunk:
                self._remove(key)
        return bool(ready)

    def _remove(self, key: selectors.SelectorKey) -> None:
        self.selector.unregister(key.fileobj)
        del self.rests[key.fd]
        if not isinstance(key.fileobj, int):
            stream: IO[bytes] = key.fileobj  # type: ignore[assignment]  # only `add` registers, and only streams
            stream.close()
