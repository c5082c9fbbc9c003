"""`manage.py migrate_file_projects DIR`: folders of the older store become projects."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.exceptions import PlumblineError
from projects.management.commands._folders import add_store, tell
from projects.management.commands._terminal import fail
from projects.services.filestore.migrating import MigrationOptions, migrate_store, owner_in
from projects.services.terminal import owner_for


class Command(BaseCommand):
    help = (
        "Bring the folders of the older file store into the tables. Each project is one transaction; running it again "
        "writes nothing. Exit status 1 if any folder could not be taken; the others are taken nonetheless."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_store(parser)
        parser.add_argument("--dry-run", action="store_true", help="Read and count everything, write nothing.")
        parser.add_argument("--owner", metavar="EMAIL", default="", help="Whose projects they become.")
        parser.add_argument("--organisation", metavar="NAME", default="", help="Where the owner belongs to several.")
        parser.add_argument("--audit", action="store_true", help="Ask for an audit of each project that comes in.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["organisation"] and not options["owner"]:
            raise CommandError("--organisation goes with --owner.", returncode=2)
        if not options["owner"] and not options["dry_run"]:
            raise CommandError("Say whose projects they become: --owner EMAIL (or --dry-run).", returncode=2)
        try:
            owner = None
            if options["owner"]:
                user = owner_for(email=options["owner"], fallback="")
                owner = owner_in(user=user, organisation=options["organisation"])
        except PlumblineError as error:
            fail("migrate_file_projects", error, as_json=options["json"])
        chosen = MigrationOptions(owner=owner, is_dry_run=options["dry_run"], has_audit=options["audit"])
        tell(
            "migrate_file_projects",
            lambda report: migrate_store(root=options["folder"], options=chosen, only=options["only"], report=report),
            as_json=options["json"],
        )
