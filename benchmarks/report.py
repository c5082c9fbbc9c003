"""What a benchmark says, and how it is printed and kept."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure and its limit. `at_least`: more is better. The reference is measured in the same run."""

    name: str
    measured: float
    unit: str
    limit: float
    at_least: bool = False
    reference: str = ""

    @property
    def holds(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass(slots=True)
class Report:
    """What one benchmark found: claims that can fail, and figures that are good to know."""

    name: str
    claims: list[Claim] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)

    def claim(
        self, name: str, measured: float, unit: str, limit: float, *, at_least: bool = False, reference: str = ""
    ) -> None:
        self.claims.append(Claim(name, measured, unit, limit, at_least, reference))

    def figure(self, name: str, value: str) -> None:
        self.figures.append((name, value))

    @property
    def holds(self) -> bool:
        return all(claim.holds for claim in self.claims)


def print_report(report: Report) -> None:
    print(f"\n{report.name}")
    for claim in report.claims:
        sign = "≥" if claim.at_least else "≤"
        state = "holds" if claim.holds else "FAILS"
        print(
            f"  {state}  {claim.name:<58} {claim.measured:>10,.2f} {claim.unit:<4} {sign} {claim.limit:,.2f}"
            f"{'   ' + claim.reference if claim.reference else ''}"
        )
    for name, value in report.figures:
        print(f"         {name:<58} {value}")


def keep(reports: list[Report]) -> Path:
    """One JSON file a run, beside the ones before."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    content = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version()},
        "load_average": os.getloadavg(),
        "benchmarks": [
            asdict(report) | {"holds": report.holds, "claims": [asdict(c) | {"holds": c.holds} for c in report.claims]}
            for report in reports
        ],
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
