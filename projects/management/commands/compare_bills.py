"""`manage.py compare_bills A B`: are two files the same budget? Exit status 0: yes, 1: no, or one can't be read."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from accounts.exceptions import Missing, PlumblineError
from projects.management.commands._terminal import fail, money, print_json
from projects.parsers.bill import ParseError
from projects.parsers.equality import Verdict
from projects.services.comparing import Comparison, compare_files

SHOWN = 10
WORDS = {
    Verdict.EQUAL: "Proven: the same budget.",
    Verdict.REORDERED: "The same positions in another order.",
    Verdict.DIFFERENT: "These are not the same budget.",
}


class Command(BaseCommand):
    help = "Compare two bills, in whatever dialects, position by position. Needs neither database nor Redis."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("left", type=Path, metavar="A")
        parser.add_argument("right", type=Path, metavar="B")
        parser.add_argument("--all", action="store_true", help="Every difference, not only the first ten of each kind.")
        parser.add_argument("--json", action="store_true", help="One JSON object on stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for path in (options["left"], options["right"]):
                if not path.is_file():
                    raise Missing(f"{path} is no file. Name two files with a bill each.", code="file_not_found")
            found = compare_files(left=options["left"], right=options["right"])
        except (PlumblineError, ParseError) as error:
            fail("compare_bills", error, as_json=options["json"])
        most = None if options["all"] else SHOWN
        if options["json"]:
            print_json(found.as_json(most))
        else:
            _print(found, most)
        if found.verdict is Verdict.DIFFERENT:
            raise SystemExit(1)


def _print(found: Comparison, most: int | None) -> None:
    told = found.as_json(most)
    print(WORDS[found.verdict])
    for mark, side in (("A", told["left"]), ("B", told["right"])):
        total = f"{money(found.equality.left.total if mark == 'A' else found.equality.right.total)} {side['currency']}"
        print(
            f"  {mark}  {side['positions']:>7,} positions  {total.rstrip():>22}  {side['digest'][:16]}…  {side['name']}"
        )
    print("  " + ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in told["counts"].items()))
    for pair in told["changed"]:
        changes = "; ".join(f"{one['field']} {one['left']!s:.60} → {one['right']!s:.60}" for one in pair["fields"])
        print(f"  changed     {pair['left']['number']:<14} {changes}")
    for name in ("only_left", "only_right"):
        for row in told[name]:
            print(f"  {name.replace('_', ' '):<11} {row['number']:<14} {row['code']} {row['description'][:80]}")
    for line in told["not_compared"]:
        print(f"  Not compared: {line}")
