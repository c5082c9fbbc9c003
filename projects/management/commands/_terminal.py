"""How commands speak: progress on stderr, results on stdout, refusals as one line."""

from __future__ import annotations

import json
import os
import shutil
import sys
from decimal import Decimal
from typing import Any, NoReturn, TextIO

from accounts.exceptions import PlumblineError
from projects.parsers.bill import ParseError
from projects.services.terminal import FileAudit, ToldFinding

GRADES = ("red", "amber", "green", "not_checked")
COLOURS = {"red": "31", "amber": "33", "green": "32", "not_checked": "90"}
MARKS = {"red": "✖", "amber": "▲", "green": "●", "not_checked": "○"}
LABELS = {"red": "red", "amber": "amber", "green": "green", "not_checked": "not checked"}
BAR = 24
PLAIN_STEPS = 10  # lines that a log gets of one piece of work, where there is no terminal


class ProgressBar:
    """A bar that redraws itself on a terminal; a line for every tenth of the work elsewhere; nothing when `silent`."""

    def __init__(self, stream: TextIO, *, silent: bool = False) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty()
        self.silent = silent and not self.is_terminal
        self._drawn = False
        self._said: tuple[int, str] = (-1, "")

    def __call__(self, done: int, total: int, message: str, counts: dict[str, int]) -> None:
        if self.silent or not message:
            return
        if self.is_terminal:
            self._draw(done, total, message, counts)
        else:
            self._say(done, total, message)

    def _draw(self, done: int, total: int, message: str, counts: dict[str, int]) -> None:
        share = min(1.0, done / total) if total else 0.0
        filled = round(BAR * share)
        bar = f"{'█' * filled}{'░' * (BAR - filled)} {share:4.0%}" if total else f"{'░' * BAR}     "
        lights = "  ".join(f"{MARKS[grade]} {counts[grade]}" for grade in GRADES if counts.get(grade))
        line = f"{bar}  {lights + '  ' if lights else ''}{message}"
        width = max(20, shutil.get_terminal_size().columns - 1)
        self.stream.write(f"\r\x1b[K{line[:width]}")
        self.stream.flush()
        self._drawn = True

    def _say(self, done: int, total: int, message: str) -> None:
        step = PLAIN_STEPS * done // total if total else done // 10_000
        kind = message.split(" ", 1)[0]
        if (step, kind) != self._said:
            self._said = (step, kind)
            self.stream.write(f"{message}\n")
            self.stream.flush()

    def clear(self) -> None:
        """Wipe the bar, so that what follows starts on a line of its own."""
        if self._drawn:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
            self._drawn = False


def fail(command: str, error: Exception, *, as_json: bool, bar: ProgressBar | None = None) -> NoReturn:
    """One line on stderr, with --json an object on stdout, exit status 1."""
    if bar is not None:
        bar.clear()
    message = " ".join(str(error).split())
    code = error.code if isinstance(error, PlumblineError | ParseError) else "failed"
    if as_json:
        print_json({"error": {"code": code, "message": message}})
    print(f"{command}: {message}", file=sys.stderr)
    raise SystemExit(1)


def print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str))


def print_audit(audit: FileAudit, seconds: float) -> None:
    """What a person wants to know first."""
    print(f"Dialect      {audit.dialect}")
    print(f"Positions    {audit.positions:,}")
    print(f"Total        {money(audit.total)} {audit.currency}".rstrip())
    print(f"Seconds      {seconds:.2f}")
    print()
    print_lights(audit.grades)
    if audit.findings:
        print(f"\nThe {len(audit.findings)} findings with most money at stake:")
        for place, finding in enumerate(audit.findings, start=1):
            print_finding(place, finding, audit.currency)
    if audit.not_checked:
        print("\nNot checked:")
        for row in audit.not_checked:
            where = "" if row["positions"] is None else f" ({row['positions']} positions)"
            print(f"  {row['rule_id']:<4} {row['title']}: {row['reason']}{where}")
    for warning in audit.warnings[:5]:
        print(f"Warning: {warning}")
    if len(audit.warnings) > 5:
        print(f"… and {len(audit.warnings) - 5} more warnings.")


def print_lights(grades: dict[str, int]) -> None:
    """The traffic lights: a mark, a word and a number each, so that nothing hangs on the colour."""
    most = max(grades.values(), default=0)
    for grade in GRADES:
        count = grades.get(grade, 0)
        bar = "█" * (max(1, round(30 * count / most)) if count else 0)
        print(f"  {painted(grade, MARKS[grade])} {LABELS[grade]:<12}{count:>7,}  {painted(grade, bar)}".rstrip())


def print_finding(place: int, finding: ToldFinding, currency: str) -> None:
    where = " / ".join(part for part in (finding["object_code"], finding["number"]) if part) or "the whole budget"
    amount = f"{money(Decimal(finding['money_at_stake']))} {currency}".rstrip()
    grade = painted(finding["grade"], f"{MARKS.get(finding['grade'], '·')} {finding['grade']:<6}")
    print(f"{place:>3}. {amount:>20}  {grade} {finding['rule_id']:<4} {where}  {finding['description'][:60]}".rstrip())
    print(f"     {finding['reasoning']}")


def money(amount: Decimal) -> str:
    """ "8,205,797.76": two digits, thousands grouped."""
    return f"{amount.quantize(Decimal('0.01')):,}"


def painted(grade: str, text: str) -> str:
    """In the grade's colour on a terminal that wants colours."""
    if not text or grade not in COLOURS or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{COLOURS[grade]}m{text}\x1b[0m"
