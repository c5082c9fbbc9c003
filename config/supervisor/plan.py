"""What `make run` runs: steps once, then programs for as long as it lasts."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from config.embedded.client import NAMES_VARIABLE
from config.embedded.layout import BASE_DIR

WORKERS = 2
QUEUES = ("high", "default", "low")


@dataclass(frozen=True)
class Step:
    """A command that ends. `skipped_because` is told instead of running it; `is_vital` keeps the programs from starting
    when it fails."""

    name: str
    arguments: tuple[str, ...]
    is_vital: bool = True
    skipped_because: str = ""


@dataclass(frozen=True)
class Program:
    """A Python command line (without the interpreter) that should always run."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """`steps` is asked once the services are there; `stages` (host, port) in the order in which they are stopped."""

    steps: Callable[[], list[Step]]
    stages: Callable[[str, int], list[list[Program]]]


def steps() -> list[Step]:
    reason = ""
    if not any(BASE_DIR.glob("*/management/commands/demo.py")):
        reason = "no demo in this checkout: starting without it"
    elif "postgres" not in os.environ.get(NAMES_VARIABLE, "").split(","):
        # Examples, and a user with a well-known password, have no place in somebody's real database.
        reason = "DATABASE_URL names your own database: `manage.py demo` loads the demo there if you want it"
    return [
        Step("migrate", ("manage.py", "migrate")),
        Step("demo", ("manage.py", "demo", "--once"), is_vital=False, skipped_because=reason),
        Step("demo-calls", ("manage.py", "demo_training"), is_vital=False, skipped_because=reason),
    ]


def stages(host: str, port: int) -> list[list[Program]]:
    """Web is first to go, so that no new work comes in."""
    # Open sockets would keep uvicorn for ever; browsers come back by themselves.
    # Compressing each event anew for each client costs more than it saves.
    sockets = ("--ws-per-message-deflate", "false")
    web = ("-m", "uvicorn", "config.asgi:application", "--no-access-log", "--timeout-graceful-shutdown", "5", *sockets)
    count = int(os.environ.get("WORKERS") or WORKERS)
    return [
        [Program("web", (*web, "--host", host, "--port", str(port)))],
        [Program(f"worker-{number}", ("manage.py", "work", *QUEUES)) for number in range(1, count + 1)],
        [Program("signals", ("manage.py", "consume_signals"))],
        [Program("scheduler", ("manage.py", "schedule"))],
    ]


PLUMBLINE = Plan(steps, stages)
