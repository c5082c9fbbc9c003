"""The garbage collector of processes that serve for long."""

from __future__ import annotations

import gc

YOUNG = 50_000  # objects made and not freed, before the young are looked through; Python's own figure is 700
OLDER = 20


def calm_collector() -> None:
    """Once everything is loaded. What is there by then (some 400,000 objects) is never garbage: it is not looked
    through any more, which took milliseconds out of the middle of requests; the rest is looked through less often.
    Memory is freed by counting references all the same: the collector is for cycles alone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDER)
