"""Enriching a budget: each position gets what the catalogue and own history say of it, beside what its file says.

Nothing of a position's content changes: `Position.enrichment` is not part of a version, and is written in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from jobs.events import publish_on_commit
from jobs.models import Job
from jobs.services import enqueue

from ...exceptions import ProjectNotFound, Refused
from ...models import Position, Project
from .. import activity
from ..access import editable_project
from ..price_indexing import series_of
from .lookup import Question, in_catalogue, in_history

ENRICH = activity.ENRICH
AT_ONCE = 5_000
FIELDS = ("id", "code", "description", "unit")
WRITE = """
UPDATE projects_position p
SET enrichment = nullif((coalesce(p.enrichment, '{}') - ARRAY['catalogue', 'history', 'at', 'of'])
    || coalesce(told.value, '{}'), '{}')
FROM unnest(%s::bigint[], %s::jsonb[]) AS told (id, value) WHERE p.id = told.id
"""

Report = Callable[..., None]
Finishing = Callable[[], AbstractContextManager[Callable[[dict[str, Any]], None]]]


def start_enriching(*, project_id: UUID, actor: User) -> Job:
    """One at a time for a project: what is under way is returned. Raises ProjectNotFound, ReadOnly,
    Refused("nothing_to_enrich")."""
    project = editable_project(project_id=project_id, user=actor)
    if project.total_positions == 0:
        raise Refused("There are no positions to look up. Upload a bill of quantities first.", code="nothing_to_enrich")
    with transaction.atomic():
        job = enqueue(
            kind=ENRICH,
            params={"project_id": str(project.pk)},
            actor=actor,
            organisation=project.organisation,
            subject=("project", project.pk),
            about=project.name,
            dedupe_key=f"{ENRICH}:{project.pk}",
        )
        activity.show_activity(project_id=project.pk)
    return job


def enrich_project(*, project_id: UUID, job_id: UUID | None, report: Report, finishing: Finishing) -> None:
    """Idempotent: the same answers for the same positions. Rows closed meanwhile are written too, harmlessly."""
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        raise ProjectNotFound("The project has been deleted.")
    rows = list(_rows(project))
    questions = {pk: Question.of(code, text, unit) for pk, code, text, unit in rows}
    asked = sorted(set(questions.values()), key=lambda each: (each.code, each.text, each.unit))
    series = series_of(organisation_id=project.organisation_id, name=project.price_index)
    items = in_catalogue(project, asked, series, report)
    own = in_history(project, asked, series, report)
    told = list(_told(questions, items, own, project))
    with finishing() as finish:
        for start in range(0, len(told), AT_ONCE):
            part = told[start : start + AT_ONCE]
            with connection.cursor() as cursor:
                cursor.execute(WRITE, [[pk for pk, _ in part], [value for _, value in part]])
        activity.show_activity(project_id=project.pk, ended=job_id)
        summary = _summary(questions, items, own)
        publish_on_commit(f"project:{project.pk}", "position_updated", {"project_id": str(project.pk)})
        finish(summary)


def _rows(project: Project) -> Iterator[tuple[int, str, str, str | None]]:
    live = Position.objects.filter(project=project, removed_in__isnull=True).exclude(kind=Position.Kind.NOTE)
    return live.order_by("ordinal").values_list(*FIELDS).iterator(chunk_size=AT_ONCE)


def _told(
    questions: dict[int, Question], items: dict[Question, Any], own: dict[Question, Any], project: Project
) -> Iterator[tuple[int, str | None]]:
    """Row and JSON; `of` is what was asked about: an edit that changes it makes the answer one to something else."""
    at = timezone.now().isoformat()
    edition = f"{project.catalogue} {project.catalogue_edition}".strip()
    for pk, question in questions.items():
        value: dict[str, Any] = {}
        if question in items:
            value["catalogue"] = items[question] | {"edition": edition}
        if question in own:
            value["history"] = own[question]
        if value:
            value |= {"at": at, "of": [question.code, question.text, question.unit]}
        yield pk, orjson.dumps(value).decode() if value else None


def _summary(questions: dict[int, Question], items: dict[Question, Any], own: dict[Question, Any]) -> dict[str, Any]:
    def count(found: dict[Question, Any], how: str) -> int:
        return sum(1 for question in questions.values() if question in found and found[question]["how"] == how)

    return {
        "positions": len(questions),
        "catalogue": {how: count(items, how) for how in ("code", "text")},
        "history": {how: count(own, how) for how in ("code", "text")},
    }
