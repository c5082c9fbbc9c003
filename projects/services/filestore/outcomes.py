"""What became of each folder: said to the operator, kept with the project."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import DataError, IntegrityError

from accounts.exceptions import PlumblineError

from ...filestore.places import StoreError

# One folder's own trouble: it is told, and the next one is taken. Anything else ends the run.
OWN_TROUBLE = (StoreError, PlumblineError, DataError, IntegrityError, OSError, UnicodeError)


@dataclass(slots=True)
class Outcome:
    folder: str
    legacy_id: str = ""
    state: str = ""  # see the commands: migrated, updated, unchanged, would_migrate, equal, differs, written, failed, …
    checksum: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    total: str = ""
    error: str = ""
    code: str = ""

    @property
    def is_bad(self) -> bool:
        return self.state in ("failed", "differs", "missing")

    def as_json(self) -> dict[str, Any]:
        value = asdict(self)
        return {name: item for name, item in value.items() if item not in ("", [], {})}

    def fail(self, error: BaseException) -> Outcome:
        self.state, self.code = "failed", getattr(error, "code", "failed")
        self.error = reason_of(error)
        return self


def reason_of(error: BaseException) -> str:
    """One line for a person."""
    if isinstance(error, IntegrityError):
        return "Somebody else brought this project in at the same time. Run it again."
    if isinstance(error, DataError):
        line = str(error).strip().partition("\n")[0]
        return f"A figure or a text of this project is more than a budget can hold: {line[:160]}."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or ''}".rstrip(": ")
    return " ".join(str(error).split())


def clean(value: Any) -> Any:
    """JSON that PostgreSQL takes: no zero bytes, no half characters, no figures without an end."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {clean(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value
