"""`python -m benchmarks [NAME …]`: measure, print, keep, and end with 1 when a claim fails."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.ground import prepared
from benchmarks.report import Report, keep, print_report

NAMES = (
    "bulk", "events", "jobs", "throttles", "caches", "limits", "pages", "models", "tenders", "quiz", "quiz_endpoint",
    "demand", "search", "training", "projects", "filestore",
)  # fmt: skip


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"Of {', '.join(NAMES)}; all of them by default.")
    wanted = parser.parse_args().names or list(NAMES)
    unknown = sorted(set(wanted) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    reports: list[Report] = []
    with prepared() as folder:
        for name, measure in _measures(wanted, folder):
            if name in wanted:
                reports += _shown(measure())
    print(f"\nKept in {keep(reports)}")
    return 0 if all(report.holds for report in reports) else 1


def _measures(wanted: list[str], folder: Path) -> list[tuple[str, Callable[[], Iterator[Report]]]]:
    """In the order of their running. They import the site: not before there is one."""
    from benchmarks import (
        bulk,
        caches,
        demand,
        events,
        filestore,
        jobs,
        limits,
        models,
        pages,
        projects,
        quiz,
        quiz_endpoint,
        search,
        tenders,
        throttles,
        training,
    )

    big = bulk.big_project(folder) if {"bulk", "pages", "projects"} & set(wanted) else None
    return [
        ("bulk", lambda: bulk.measure(big)),
        ("events", events.measure),
        ("jobs", jobs.measure),
        ("throttles", throttles.measure),
        ("caches", caches.measure),
        ("limits", limits.measure),
        ("pages", lambda: pages.measure(big)),
        ("tenders", lambda: tenders.measure(folder)),
        ("quiz", quiz.measure),
        ("quiz_endpoint", quiz_endpoint.measure),
        ("models", models.measure),
        ("demand", demand.measure),
        ("search", search.measure),
        ("training", training.measure),
        ("filestore", lambda: filestore.measure(folder)),
        ("projects", lambda: projects.measure(big)),
    ]


def _shown(found):  # type: ignore[no-untyped-def]
    reports = []
    for report in found:
        print_report(report)
        reports.append(report)
    return reports


if __name__ == "__main__":
    sys.exit(main())
