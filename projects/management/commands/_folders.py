"""What the three commands of the older file store share: arguments, what they print, exit status."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from accounts.exceptions import PlumblineError
from projects.filestore.places import StoreError
from projects.management.commands._terminal import ProgressBar, fail, print_json
from projects.services.filestore.outcomes import Outcome

Take = Callable[[Callable[[int, int, str], None]], Iterator[Outcome]]
SHOWN = 10  # differences and notes of one folder, for people; --json has them all


def add_store(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="The store: a folder with a folder for each project.")
    parser.add_argument("--only", metavar="ID", default="", help="Only the project of this id (or folder).")
    parser.add_argument("--json", action="store_true", help="One JSON object on stdout.")


def tell(command: str, take: Take, *, as_json: bool) -> NoReturn:
    """Print each outcome as it comes, then the sums. Exit status 1 if any is bad, or nothing could be begun."""
    bar = ProgressBar(sys.stderr, silent=as_json)
    outcomes: list[Outcome] = []
    try:
        for outcome in take(lambda done, total, message: bar(done, total, message, {})):
            outcomes.append(outcome)
            if not as_json:
                bar.clear()
                print_outcome(outcome)
    except (PlumblineError, StoreError) as error:
        fail(command, error, as_json=as_json, bar=bar)
    except KeyboardInterrupt:
        bar.clear()
        raise SystemExit(130) from None
    bar.clear()
    states = Counter(outcome.state for outcome in outcomes)
    if as_json:
        print_json({"states": states, "projects": [outcome.as_json() for outcome in outcomes]})
    else:
        print(", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(states.items())) or "nothing")
    raise SystemExit(1 if any(outcome.is_bad for outcome in outcomes) else 0)


def print_outcome(outcome: Outcome) -> None:
    name = outcome.legacy_id or outcome.folder
    counts = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in outcome.counts.items())
    print(f"{outcome.state.replace('_', ' '):<13} {name}  {counts}".rstrip())
    if outcome.error:
        print(f"    {outcome.error}")
    if outcome.checksum and outcome.state not in ("unchanged", "equal"):
        print(f"    SHA-256 {outcome.checksum}" + (f", total {outcome.total}" if outcome.total else ""))
    for line in (*outcome.notes[:SHOWN], *map(difference_words, outcome.differences[:SHOWN])):
        print(f"    {line}")
    more = max(0, len(outcome.notes) - SHOWN) + max(0, len(outcome.differences) - SHOWN)
    if more:
        print(f"    … and {more} more (--json tells them all)")


def difference_words(difference: dict[str, Any]) -> str:
    what = difference["what"]
    where = difference.get("field") or difference.get("path")
    if what == "position":
        where = " / ".join(part for part in (difference["object"], difference["number"]) if part)
    if "only_in" in difference:
        return f"{what} {where or ''}: only in the {difference['only_in']}"
    if "files" in difference:
        return f"{what} {where or ''}: files {difference['files']!r}, tables {difference['tables']!r}"
    return f"{what}: " + ", ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in difference.items() if key != "what"
    )
