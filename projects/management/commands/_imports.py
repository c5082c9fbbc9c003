"""What the commands that import tables share: whose it becomes, progress on stderr, counts as text or JSON."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.db import transaction

from accounts.exceptions import PlumblineError
from accounts.models import Organisation
from projects.services.catalogues import Counts, Finish


def add_import_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="xlsx, ods, xls or csv with titles in its first rows.")
    parser.add_argument("--organisation", metavar="NAME", help="Whose own it becomes; without it, everyone's.")
    parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")


def path_of(options: dict[str, Any]) -> Path:
    path = Path(options["file"])
    if not path.is_file():
        raise CommandError(f"There is no file {path}.", returncode=2)
    return path


def organisation_of(options: dict[str, Any]) -> UUID | None:
    name = options["organisation"]
    if not name:
        return None
    found = list(Organisation.objects.filter(name=name).values_list("pk", flat=True)[:2])
    if len(found) != 1:
        raise CommandError(f'{"No organisation is" if not found else "Several are"} called "{name}".', returncode=2)
    return found[0]


@contextmanager
def at_once() -> Iterator[Finish]:
    """The transaction that a job would have; nobody waits for a result here."""
    with transaction.atomic():
        yield lambda result: None


def on_stderr(done: int, total: int, message: str) -> None:
    print(message, file=sys.stderr)


def carry_out(options: dict[str, Any], work: Callable[[], Counts]) -> None:
    """Run it and say what came of it. CommandError with the reason where it is refused."""
    try:
        counts = work()
    except PlumblineError as error:
        raise CommandError(str(error)) from error
    if options["json"]:
        print(json.dumps(asdict(counts), ensure_ascii=False))
        return
    names = ("read", "created", "updated", "unchanged", "rejected")
    print(", ".join(f"{getattr(counts, name):,} {name}" for name in names))
    for place, reason in counts.reasons:
        print(f"  {place}: {reason}", file=sys.stderr)
