"""`manage.py import_catalogue FILE --catalogue NAME --edition NAME [--organisation NAME] [--json]`: a price list."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from projects.services.catalogues import checked_edition, import_catalogue

from ._imports import add_import_arguments, at_once, carry_out, on_stderr, organisation_of, path_of


class Command(BaseCommand):
    help = "Import a price catalogue's edition: columns for code and text or price, optionally unit, currency, date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_import_arguments(parser)
        parser.add_argument("--catalogue", metavar="NAME", required=True, help="Such as ÚRS.")
        parser.add_argument("--edition", metavar="NAME", required=True, help='Such as "2025 02".')
        parser.add_argument("--currency", metavar="CODE", default="", help="Of prices, where the file names none.")
        parser.add_argument("--priced-on", metavar="DATE", type=date.fromisoformat, help="2025-07-01: of what date.")

    def handle(self, *args: Any, **options: Any) -> None:
        path, organisation_id = path_of(options), organisation_of(options)
        carry_out(
            options,
            lambda: import_catalogue(
                path=path,
                filename=path.name,
                edition=checked_edition(
                    catalogue=options["catalogue"], edition=options["edition"], organisation_id=organisation_id
                ),
                currency=options["currency"].upper(),
                priced_on=options["priced_on"],
                report=on_stderr,
                finishing=at_once,
            ),
        )
