"""`manage.py import_price_index FILE [--series NAME] [--organisation NAME] [--json]`: how construction prices moved."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from projects.services.catalogues import import_price_index

from ._imports import add_import_arguments, at_once, carry_out, on_stderr, organisation_of, path_of


class Command(BaseCommand):
    help = "Import months or quarters of a price index: columns for the month and the value, optionally the series."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_import_arguments(parser)
        parser.add_argument("--series", metavar="NAME", default="", help="Where the file does not name the series.")

    def handle(self, *args: Any, **options: Any) -> None:
        path, organisation_id = path_of(options), organisation_of(options)
        carry_out(
            options,
            lambda: import_price_index(
                path=path,
                filename=path.name,
                series=options["series"],
                organisation_id=organisation_id,
                report=on_stderr,
                finishing=at_once,
            ),
        )
