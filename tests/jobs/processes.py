"""Worker processes of tests: real ones, on the test's database, which know the tests' kinds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# What counts as brief is set where a test needs to know which kinds do: on a loaded machine hardly any would.
SCRIPT = """
import os
import sys
import django
django.setup()
import tests.jobs.kinds
from jobs import tuning
tuning.BRIEF_S = float(os.environ.get("TEST_BRIEF_S", tuning.BRIEF_S))
tuning.CLAIMED_S = float(os.environ.get("TEST_CLAIMED_S", tuning.CLAIMED_S))
from django.core.management import call_command
call_command(*sys.argv[1:])
"""


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py ARGUMENTS` in a process of its own, killed at the end if it still runs."""
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(is_so: Callable[[], object], what: str, within_s: float = 60) -> None:
    """Generous, for loaded machines: only a failure waits to its end."""
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end, f"Waited {within_s} s in vain: {what}"
        time.sleep(0.05)
