"""Work on training calls by workers that die: at a certain step, before or after it has been written."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, NoReturn

from django.db import connection
from django.test import override_settings

from jobs.registry import register
from jobs.run import Run
from quiz.training_handlers import process_call

UPDATE = 'UPDATE "quiz_trainingsession"'


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("survived")


@register("faults.process_call", backoff_s=(0.1, 0.5), max_retries=6)
def process_and_die(run: Run, params: dict[str, Any]) -> None:
    """Dies once, when the call has been given the status `dies_at`: inside the transaction that does it, or with the
    first statement after that was committed. `died`: a file that says that it has."""
    died, is_written = Path(params["died"]), False

    def deadly(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        nonlocal is_written
        if is_written and not connection.in_atomic_block:
            died.touch()
            _die()
        result = execute(sql, values, many, context)
        if sql.startswith(UPDATE) and values and params["dies_at"] in values:
            if params["when"] == "inside":
                died.touch()
                _die()
            is_written = True
        return result

    with override_settings(AI_PROVIDER="offline"):
        if died.exists():
            process_call(run, params)
        else:
            with connection.execute_wrapper(deadly):
                process_call(run, params)
