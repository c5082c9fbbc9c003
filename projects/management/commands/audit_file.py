"""`manage.py audit_file FILE`: one bill of quantities in, its audit out."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from accounts.exceptions import Missing, PlumblineError
from projects.demo.people import OWNER_EMAIL
from projects.management.commands._terminal import ProgressBar, fail, print_audit, print_json
from projects.parsers.bill import ParseError
from projects.services import terminal


class Command(BaseCommand):
    help = (
        "Import and audit one file: KROS xlsx, uniXML, GAEB DA XML, a table, positions.json. Unless --save is given, "
        "nothing is stored, and neither database nor Redis is needed."
    )
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """No abbreviations: manage.py starts the services for the word --save."""
        return super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--tender", type=Path, metavar="X83FILE", help="The tender that a bid (GAEB X84) answers.")
        parser.add_argument("--dialect", help="Read the file as this dialect instead of detecting it.")
        parser.add_argument(
            "--mapping", metavar="JSON", help='Columns of a plain table: {"columns": {"description": 2, …}}'
        )
        parser.add_argument("--accept-difference", action="store_true", help="Go on where the totals do not reconcile.")
        parser.add_argument(
            "--all", action="store_true", help="Every finding, not only the ten with most money at stake."
        )
        parser.add_argument("--json", action="store_true", help="One JSON object on stdout.")
        parser.add_argument("--save", action="store_true", help="Store the file as a project.")
        parser.add_argument("--owner", metavar="EMAIL", help="With --save: whose project it becomes.")

    def handle(self, *args: Any, **options: Any) -> None:
        _check_usage(options)
        bar = ProgressBar(sys.stderr, silent=options["json"])
        began = time.perf_counter()
        try:
            for path in (options["file"], options["tender"]):
                _check_file(path)
            audit, address = _saved(options, bar) if options["save"] else (_unsaved(options, bar), "")
        except (PlumblineError, ParseError) as error:
            fail("audit_file", error, as_json=options["json"], bar=bar)
        except KeyboardInterrupt:
            bar.clear()
            raise SystemExit(130) from None
        seconds = time.perf_counter() - began
        bar.clear()
        if options["json"]:
            print_json(audit.as_json(seconds) | ({"project": address} if address else {}))
            return
        print_audit(audit, seconds)
        if address:
            print(f"\nSaved: {address}")


def _check_usage(options: dict[str, Any]) -> None:
    """What argparse can't see. Exit status 2."""
    if options["owner"] and not options["save"]:
        raise CommandError("--owner goes with --save.", returncode=2)
    if options["dialect"] and options["save"]:
        raise CommandError("--dialect can't be saved: a stored file is detected by its content.", returncode=2)
    if options["mapping"]:
        try:
            is_object = isinstance(json.loads(options["mapping"]), dict)
        except ValueError:
            is_object = False
        if not is_object:
            raise CommandError('--mapping is a JSON object: {"columns": {"description": 2, …}}', returncode=2)


def _check_file(path: Path | None) -> None:
    if path is not None and not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise Missing(f"{path} {what}. Name a file with a bill of quantities.", code="file_not_found")


def _unsaved(options: dict[str, Any], bar: ProgressBar) -> terminal.FileAudit:
    return terminal.audit_unsaved(
        path=options["file"],
        tender=options["tender"],
        dialect=options["dialect"],
        mapping=options["mapping"],
        accept_difference=options["accept_difference"],
        most=None if options["all"] else terminal.MOST,
        progress=bar,
    )


def _saved(options: dict[str, Any], bar: ProgressBar) -> tuple[terminal.FileAudit, str]:
    """The audit as stored, and the project's address."""
    project = terminal.save_and_audit(
        path=options["file"],
        owner=terminal.owner_for(email=options["owner"], fallback=OWNER_EMAIL),
        tender=options["tender"],
        mapping=json.loads(options["mapping"]) if options["mapping"] else None,
        accept_difference=options["accept_difference"],
        progress=bar,
    )
    audit = terminal.stored_audit(project=project, most=None if options["all"] else terminal.MOST)
    return audit, settings.SITE_URL.rstrip("/") + reverse("projects:detail", args=[project.pk])
