"""A budget of 100,000 positions that people work on: an edit audited, versions compared."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.bulk import POSITIONS, BigProject
from benchmarks.ground import step
from benchmarks.report import Report

STEPS = "benchmarks.project_steps"
REAUDIT_S = 1.0
DIFF_S = 1.0


def measure(big: BigProject | None) -> Iterator[Report]:
    assert big is not None
    yield _reaudit(big)
    yield _diff(big)


def _reaudit(big: BigProject) -> Report:
    report = Report(f"Re-audit after one edit in {POSITIONS:,} positions, results stored")
    edits = step("reaudit", big.id, module=STEPS)["edits"]
    full = step("full", big.id, module=STEPS)
    report.claim("seconds of the job, median of the edits", median(e["seconds"] for e in edits), "s", REAUDIT_S,
                 reference=f"the full audit of the same version {full['seconds']:.2f} s")  # fmt: skip
    report.claim("seconds of the job, the slowest of them", max(e["seconds"] for e in edits), "s", REAUDIT_S)
    report.claim(
        "edits audited by what changed", sum(e["is_incremental"] for e in edits), "", len(edits), at_least=True
    )
    for edit in edits:
        report.figure(
            f"edit: {edit['kind']}", f"{edit['seconds']:.2f} s, CPU {edit['cpu_s']:.2f} s, {edit['asked']} asked anew"
        )
    return report


def _diff(big: BigProject) -> Report:
    report = Report(f"Two versions of {POSITIONS:,} positions compared")
    for share, words in (("0.05", "5 % changed"), ("1", "every position changed")):
        found = step("diff", big.id, share, module=STEPS)
        report.claim(
            f"{words}: seconds in SQL", found["seconds"], "s", DIFF_S,
            reference=f"the same by ORM rows in Python {found['orm_s']:.2f} s; {found['changed']:,} changes",
        )  # fmt: skip
    return report
