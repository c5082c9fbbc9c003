"""What the cache of the section tree saves: the tree of 3,500 sections, built and kept."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

from benchmarks.report import Report

SECTIONS = 3500
TIMES = 30
SHARE = 0.5


def measure() -> Iterator[Report]:
    from config.cache import forget
    from projects.models import Position
    from projects.views.sections import _built, tree_of

    project = _project()
    rows = Position.objects.filter(project=project).of_version(1).sections()
    built = _times(lambda: _built(project, 1))
    forget("sections", project.pk, 1)
    tree_of(project)
    kept = _times(lambda: tree_of(project))
    report = Report(f"The tree of {len(rows):,} sections, {TIMES} times each")
    report.claim(
        "kept, as a share of built (medians)",
        statistics.median(kept) / statistics.median(built),
        "×",
        SHARE,
        reference=f"kept {statistics.median(kept):.2f} ms, built {statistics.median(built):.1f} ms",
    )
    yield report


def _project():  # type: ignore[no-untyped-def]
    from accounts.services import create_person
    from projects.models import Position
    from projects.models.budget import SECTION_SEPARATOR
    from projects.services.opening import open_project

    owner = create_person(email="tree@plumbline.example", password=None, full_name="Tree")
    project = open_project(actor=owner, name="Tree")
    project.version_number = 1
    project.save(update_fields=["version_number"])
    Position.objects.bulk_create(
        Position(
            project=project,
            lineage=uuid4(),
            added_in=1,
            ordinal=number,
            number=str(number),
            object_code=f"SO {number % 20}",
            object_name=f"Object {number % 20}",
            section=SECTION_SEPARATOR.join(("HSV", f"{number % 175} Works", f"{number // 20} Part")),
            description="Measured",
            unit="m",
            quantity=1,
            unit_price=1,
            total=1,
            source="",
            content_hash=f"{number:032x}",
        )
        for number in range(SECTIONS)
    )
    return project


def _times(step: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        step()
        taken.append((time.perf_counter() - began) * 1000)
    return taken
