"""`manage.py export_file_projects DIR`: the way back into folders of the older store."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from projects.management.commands._folders import add_store, tell
from projects.services.filestore.leaving import export_store


class Command(BaseCommand):
    help = (
        "Write projects as folders of the older file store, those that came from it, with --all every project. What "
        "nobody has changed comes back byte for byte. Exit status 1 if any project could not be written."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_store(parser)
        parser.add_argument("--all", action="store_true", help="Projects that were opened here as well.")
        parser.add_argument("--overwrite", action="store_true", help="Replace files that somebody else has changed.")

    def handle(self, *args: Any, **options: Any) -> None:
        tell(
            "export_file_projects",
            lambda report: export_store(
                root=options["folder"],
                only=options["only"],
                has_all=options["all"],
                overwrite=options["overwrite"],
                report=report,
            ),
            as_json=options["json"],
        )
