"""Where each document's positions are in the current budget: counted once, then moved by what each version changed.

Which document is the main one, and whose stated totals are still to be held to, depends on it; counting 100,000
positions for it would take a third of the time of a re-audit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import Count

from ..models import AuditState, Position, Project
from ..models.budget import SECTION_SEPARATOR

Path: TypeAlias = tuple[str, ...]  # (), (object,), (object, section, …)
_Row: TypeAlias = tuple["UUID | None", str, str]  # document (None: entered by hand), object, section as stored
_FIELDS = ("document_id", "object_code", "section")


@dataclass(frozen=True, slots=True)
class Places:
    rows: Counter[_Row]  # how many current positions
    closed: frozenset[UUID]  # documents of whose positions any has left the budget

    @property
    def counts(self) -> dict[UUID | None, int]:
        """Current positions by document."""
        found: dict[UUID | None, int] = {}
        for (document_id, _, _), count in self.rows.items():
            found[document_id] = found.get(document_id, 0) + count
        return found

    @property
    def paths(self) -> dict[UUID | None, set[Path]]:
        """By document, where it has positions: each place with all that it lies in."""
        found: dict[UUID | None, set[Path]] = {}
        for document_id, object_code, section in self.rows:
            path = (object_code, *(section.split(SECTION_SEPARATOR) if section else ()))
            found.setdefault(document_id, set()).update(path[:depth] for depth in range(len(path) + 1))
        return found

    def as_json(self) -> dict[str, Any]:
        rows = [[document_id and str(document_id), *place, count] for (document_id, *place), count in self.rows.items()]
        return {"rows": rows, "closed": sorted(map(str, self.closed))}


def places_of(*, project: Project) -> Places:
    """Two queries, each over all rows."""
    current: Any = Position.objects.filter(project=project, removed_in__isnull=True).order_by()
    groups = current.values_list(*_FIELDS).annotate(count=Count("pk"))
    left = Position.objects.filter(project=project, removed_in__isnull=False).order_by()
    closed = left.values_list("document_id", flat=True).distinct()
    return Places(Counter({tuple(row): count for *row, count in groups}), frozenset(filter(None, closed)))


def places_since(*, project: Project, state: AuditState) -> Places:
    """The same of the current version, from what was kept of the audited one. Three queries over what changed."""
    if state.places is None:
        return places_of(project=project)
    rows: Counter[_Row] = Counter(
        {(UUID(of) if of else None, *place): count for of, *place, count in state.places["rows"]}
    )
    since, changed = state.version_number, Position.objects.filter(project=project).order_by()
    rows.subtract(_rows(changed.filter(added_in__lte=since, removed_in__gt=since)))
    rows.update(_rows(changed.filter(added_in__gt=since, removed_in__isnull=True)))
    if min(rows.values(), default=0) < 0:  # what was kept is not what there was
        return places_of(project=project)
    gone = set(changed.filter(removed_in__gt=since).values_list("document_id", flat=True))
    closed = {UUID(of) for of in state.places["closed"]} | gone
    return Places(+rows, frozenset(filter(None, closed)))


def _rows(positions: Any) -> Iterable[_Row]:
    found: Iterable[_Row] = positions.values_list(*_FIELDS)
    return found


def forget_places(*, project_id: UUID) -> None:
    """Rows are about to change hands without a new version of them: the next audit counts anew."""
    AuditState.objects.filter(project_id=project_id).update(places=None)
