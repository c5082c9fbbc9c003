"""`manage.py verify_file_projects DIR`: do the folders and the tables say the same?"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from projects.management.commands._folders import add_store, tell
from projects.services.filestore.verifying import verify_store


class Command(BaseCommand):
    help = (
        "Compare the folders of the older file store with the tables: fields, positions figure by figure, documents by "
        "digest. What differs is told and recorded; exit status 1 if anything does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_store(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        tell(
            "verify_file_projects",
            lambda report: verify_store(root=options["folder"], only=options["only"], report=report),
            as_json=options["json"],
        )
