"""`manage.py slowest`: the routes and the statements that take most time, over all processes."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.metrics.report import SlowReport, slow_report
from jobs.connections import RedisError


class Command(BaseCommand):
    help = "Print the routes and database statements that took most time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=1, help="How far back, this day (UTC) included: 1 to 7.")
        parser.add_argument("--limit", type=int, default=10, help="How many of each.")
        parser.add_argument("--json", action="store_true", help="One object on standard output.")

    def handle(self, *args: Any, days: int, limit: int, **options: Any) -> None:
        if not 1 <= days <= 7 or limit < 1:
            raise CommandError("--days is 1 to 7, --limit at least 1.", returncode=2)
        try:
            report = slow_report(days=days, limit=limit)
        except (RedisError, OSError) as error:
            raise CommandError(f"The figures are in Redis, which can't be reached: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write(_told(report))


def _told(report: SlowReport) -> str:
    columns = f"{'calls':>9} {'total s':>9} {'mean ms':>9} {'p50 ms':>9} {'p95 ms':>9} {'p99 ms':>9}  "
    routes = [f"{_figures(row)}  {row['name']}" for row in report["routes"]]
    statements = [f"{_figures(row)}  {row['name'][:160]}" for row in report["statements"]]
    lines = [
        f"Routes, {report['span']}, most time altogether first",
        columns + "route",
        *(routes or ["(none yet: processes hand their sums over every ten seconds)"]),
        "",
        f"Statements: {report['statements_from']}",
        columns + "statement",
        *(statements or ["(none)"]),
        "",
        report["note"],
    ]
    return "\n".join(lines)


def _figures(row: Any) -> str:
    quantiles = [row[name] for name in ("p50_ms", "p95_ms", "p99_ms")]
    told = [f"{value:>9,.1f}" if value is not None else f"{'–':>9}" for value in quantiles]
    return f"{row['calls']:>9,} {row['total_s']:>9,.1f} {row['mean_ms']:>9,.1f} " + " ".join(told)
