"""`manage.py demo_training [--coach EMAIL] [--learner EMAIL] [--json]`: training calls for people who are there."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.exceptions import PlumblineError
from quiz.demo import loading


class Command(BaseCommand):
    help = (
        "Load a template, an assignment and two training calls for two people of one organisation. Safe to run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--coach", metavar="EMAIL", default="demo@plumbline.example")
        parser.add_argument("--learner", metavar="EMAIL", default="colleague@plumbline.example")
        parser.add_argument("--json", action="store_true", help="One JSON object on standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = loading.load(coach_email=options["coach"], learner_email=options["learner"])
        except PlumblineError as error:
            raise CommandError(str(error)) from error
        told = {
            "template": str(loaded.template.pk),
            "sessions": [{"id": str(each.pk), "status": each.status} for each in loaded.sessions],
            "is_new": loaded.is_new,
        }
        if options["json"]:
            print(json.dumps(told))
        else:
            print(f"{loaded.template}: {len(loaded.sessions)} calls {'loaded' if loaded.is_new else 'are there'}.")
