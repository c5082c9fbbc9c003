"""`python -m benchmarks [NAME …]`: measure, print, keep, and end with 1 when a claim fails."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from benchmarks.ground import prepared
from benchmarks.report import Report, keep, print_report

NAMES = (
    "bulk", "events", "jobs", "throttles", "caches", "limits", "pages", "models", "tenders", "quiz", "quiz_endpoint",
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
        from benchmarks import (
            bulk,
            caches,
            events,
            jobs,
            limits,
            models,
            pages,
            quiz,
            quiz_endpoint,
            tenders,
            throttles,
        )

        big = bulk.big_project(folder) if {"bulk", "pages"} & set(wanted) else None
        if big is not None and "bulk" in wanted:
            reports += _shown(bulk.measure(big))
        if "events" in wanted:
            reports += _shown(events.measure())
        if "jobs" in wanted:
            reports += _shown(jobs.measure())
        if "throttles" in wanted:
            reports += _shown(throttles.measure())
        if "caches" in wanted:
            reports += _shown(caches.measure())
        if "limits" in wanted:
            reports += _shown(limits.measure())
        if big is not None and "pages" in wanted:
            reports += _shown(pages.measure(big))
        if "tenders" in wanted:
            reports += _shown(tenders.measure(folder))
        if "quiz" in wanted:
            reports += _shown(quiz.measure())
        if "quiz_endpoint" in wanted:
            reports += _shown(quiz_endpoint.measure())
        if "models" in wanted:
            reports += _shown(models.measure())
    print(f"\nKept in {keep(reports)}")
    return 0 if all(report.holds for report in reports) else 1


def _shown(found):  # type: ignore[no-untyped-def]
    reports = []
    for report in found:
        print_report(report)
        reports.append(report)
    return reports


if __name__ == "__main__":
    sys.exit(main())
