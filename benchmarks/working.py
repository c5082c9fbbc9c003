"""`python -m benchmarks.working ARGUMENTS`: `manage.py work ARGUMENTS` that also knows the kind which does nothing."""

from __future__ import annotations

import sys
from typing import Any

KIND = "bench.nothing"


def know() -> None:
    """To be called when Django is set up."""
    from jobs.registry import register
    from jobs.run import Run

    @register(KIND)
    def nothing(run: Run, params: dict[str, Any]) -> dict[str, int]:
        return {"number": params["number"]}


if __name__ == "__main__":
    import django

    django.setup()
    know()
    from django.core.management import call_command

    call_command("work", *sys.argv[1:])
