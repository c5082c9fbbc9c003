"""var/run.json: who runs here and where, and after a crash what may have been left behind."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import TypedDict

from config.embedded.layout import BASE_DIR


class Run(TypedDict):
    """`children` maps process ids (as text, JSON has no other keys) to their command lines."""

    pid: int
    address: str
    children: dict[str, str]


def read(path: Path) -> Run | None:
    try:
        found: Run = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found


def write(path: Path, run: Run) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(run))
    draft.replace(path)


def end_leftovers(run: Run) -> list[int]:
    """Kill children that outlived a killed supervisor: possible only where the kernel has no parent-death signal.

    A number may belong to another process by now, so the command line has to be the one that we wrote down.
    Returns the ended process ids.
    """
    ended = []
    for pid, command in run["children"].items():
        told = subprocess.run(["ps", "-o", "command=", "-p", pid], capture_output=True, text=True, check=False)
        if told.stdout.strip() and told.stdout.strip() == command and int(pid) != os.getpid():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(pid), signal.SIGKILL)
                ended.append(int(pid))
    return ended


def where(run: Run | None) -> str:
    """For whoever starts a second one."""
    if run is None:
        return f"It is starting in {BASE_DIR}."
    return f"It is at {run['address']}, process {run['pid']}."
