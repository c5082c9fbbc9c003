"""What the tests of caches share: the name of a namespace of their own, and a maker that counts."""

from __future__ import annotations

import time
from collections.abc import Callable

NAME = "tests"
PATIENCE_S = 60.0


class Maker:
    """Makes 1, 2, 3 …: the value says how often it was asked."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)
