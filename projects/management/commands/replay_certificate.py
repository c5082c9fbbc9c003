"""`manage.py replay_certificate FILE`: does the audit of a certificate again. Neither database nor Redis is needed."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from projects.audit.replay import Replay, replay
from projects.management.commands._terminal import fail, print_json

MOST_BYTES = 1 << 30


class Command(BaseCommand):
    help = (
        "Replay an audit from its certificate. Ends with 0 if it comes to the same; with 1 if it does not, if the file "
        "was changed, or if this release has other rules."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="One JSON object on stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            if path.stat().st_size > MOST_BYTES:
                raise OSError(f"{path.name} is larger than any certificate")
            content = path.read_bytes()
        except OSError as error:
            fail("replay_certificate", error, as_json=options["json"])
        found = replay(content)
        if options["json"]:
            print_json(found.as_json())
        else:
            _print(found)
        if not found.is_equal:
            raise SystemExit(1)


def _print(found: Replay) -> None:
    out = sys.stdout if found.is_equal else sys.stderr
    if found.is_equal:
        counts = ", ".join(f"{grade.replace('_', ' ')} {count:,}" for grade, count in (found.counts or {}).items())
        out.write(f"Equal: {found.positions:,} positions audited again ({counts}).\nSHA-256 {found.sha256}\n")
    elif found.problem:
        out.write(f"Not replayed: {found.problem}\n")
    else:
        out.write("Different: the audit comes to something else than the certificate states.\n")
        out.writelines(f"  {told}\n" for told in found.differences)
