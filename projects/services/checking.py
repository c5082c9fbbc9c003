"""The nightly check: are the aggregates that projects keep what their positions say?

They are written in the transaction that changes them (services.counting), so they should be. If they are not, that is
a fault of the program: it is logged as an error and listed in the job's result, and the figures are put right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict
from uuid import UUID

import structlog
from django.db import transaction

from ..exceptions import ProjectNotFound
from ..models import Project
from .counting import COUNTED, counts_of_many, current_counts
from .versions import locked_project

log = structlog.get_logger(__name__)

AT_ONCE = 200  # projects counted in one statement
LISTED = 100  # differences that the result names one by one; all of them are in the log

Report = Callable[[int, int, str], None]


class Difference(TypedDict):
    """One project's wrong figures: by field, what was stored and what was counted, as text."""

    project_id: str
    name: str
    stored: dict[str, str]
    counted: dict[str, str]


def check_totals(*, report: Report) -> dict[str, Any]:
    """Count every project anew and mend what differs: `{"projects", "differing", "differences": [Difference, …]}`.

    Counted in blocks without locks; what then seems to differ is counted once more under the project's lock, so that
    an edit at that moment is no difference.
    """
    ids = list(Project.objects.order_by("pk").values_list("pk", flat=True))
    differences: list[Difference] = []
    for start in range(0, len(ids), AT_ONCE):
        report(start, len(ids), _said(differences, f"Counting project {start + 1} of {len(ids)}"))
        suspects = _suspects(ids[start : start + AT_ONCE])
        differences += [found for pk in suspects if (found := _mend(project_id=pk)) is not None]
    report(len(ids), len(ids), _said(differences, f"All {len(ids)} projects are as their positions say"))
    return {"projects": len(ids), "differing": len(differences), "differences": differences[:LISTED]}


def _said(differences: list[Difference], otherwise: str) -> str:
    if not differences:
        return otherwise
    return f"{len(differences)} projects had wrong figures, which were put right: see the result"


def _suspects(project_ids: list[UUID]) -> list[UUID]:
    counted = counts_of_many(project_ids=project_ids)
    rows = Project.objects.filter(pk__in=project_ids).values("pk", *COUNTED)
    return [row["pk"] for row in rows if any(row[name] != counted[row["pk"]][name] for name in COUNTED)]


@transaction.atomic
def _mend(*, project_id: UUID) -> Difference | None:
    """Under the project's lock: what differs, once it has been put right; None: nothing does, or it is gone."""
    try:
        project = locked_project(project_id=project_id)
    except ProjectNotFound:
        return None
    counts = current_counts(project_id=project_id)
    wrong = [name for name in COUNTED if getattr(project, name) != counts[name]]
    if not wrong:
        return None
    Project.objects.filter(pk=project_id).update(**{name: counts[name] for name in wrong})
    stored = {name: str(getattr(project, name)) for name in wrong}
    counted = {name: str(counts[name]) for name in wrong}
    log.error("project_totals_wrong", project_id=str(project_id), stored=stored, counted=counted)
    return {"project_id": str(project_id), "name": project.name, "stored": stored, "counted": counted}
