"""Making versions: the one place where a project's version number, totals and deltas are written.

A write takes the project's row lock (`locked_project`), closes and adds position rows for version n+1, then calls
`close_version`, all in one transaction: so versions are gapless, and two writers of one project queue up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction

from jobs.events import publish_on_commit

from ..entities import tell_project
from ..exceptions import Missing, ProjectNotFound, Refused
from ..models import BudgetVersion, Position, Project
from ..webhooks import tell_version
from . import deltas
from .access import editable_project, refuse_archived
from .counting import current_counts
from .rows import CONTENT

if TYPE_CHECKING:
    from accounts.models import User

COPIED = [
    str(field.column)
    for field in Position._meta.concrete_fields
    if field.name not in ("id", "added_in", "removed_in") and not field.generated
]

LARGEST_SUM = Decimal(10) ** 16  # what numeric(18, 2) holds

# Rows of then and now by lineage. A full join is never made row by row, whatever the planner knows of a fresh import.
PAIRS = """
CREATE TEMP TABLE restoring ON COMMIT DROP AS SELECT o.id AS then_id, p.id AS now_id
FROM (SELECT id, lineage FROM projects_position WHERE project_id = %(project)s
      AND added_in <= %(then)s AND (removed_in IS NULL OR removed_in > %(then)s)) o
FULL JOIN (SELECT id, lineage FROM projects_position WHERE project_id = %(project)s AND removed_in IS NULL) p
  ON o.lineage = p.lineage
"""
ALIKE = f"""
DELETE FROM restoring USING projects_position o, projects_position p WHERE o.id = then_id AND p.id = now_id
AND ROW({", ".join(f"o.{name}" for name in CONTENT)}) IS NOT DISTINCT FROM ROW({
    ", ".join(f"p.{name}" for name in CONTENT)
})
"""
CLOSE = "UPDATE projects_position SET removed_in = %(new)s WHERE id IN (SELECT now_id FROM restoring)"
COPY_BACK = f"""
INSERT INTO projects_position ({", ".join(COPIED)}, added_in) SELECT {", ".join(COPIED)}, %(new)s
FROM projects_position WHERE id IN (SELECT then_id FROM restoring) ORDER BY ordinal, id
"""


def locked_project(*, project_id: UUID) -> Project:
    """The project's row, locked until the transaction ends. Raises ProjectNotFound."""
    project: Project | None = Project.objects.select_for_update(of=("self",)).filter(pk=project_id).first()
    if project is None:
        raise ProjectNotFound("There is no such project.")
    return project


def close_version(
    *, project: Project, trigger: str, actor_id: UUID | None, details: dict[str, Any] | None = None
) -> BudgetVersion:
    """Record version n+1 of the locked project, whose rows are written already (added_in / removed_in = n+1).

    The project's aggregates and the delta are computed in SQL from those rows. Publishes `budget_recalculated` on
    commit. Raises Refused("nothing_changed") if no row was closed or added, Refused("too_large").
    """
    number = project.version_number + 1
    counts = current_counts(project_id=project.pk)
    delta = deltas.of_version(project_id=project.pk, number=number) if number > 1 else deltas.of_first(counts)
    if not any(delta.counts.values()) and number > 1:
        raise Refused("This changes nothing: the budget already is like that.", code="nothing_changed")
    figures = (counts["total_cost"], delta.cost, delta.quantity, delta.price, delta.scope, delta.rounding)
    if any(abs(figure) >= LARGEST_SUM for figure in figures):
        raise Refused("This makes the total larger than any budget is. Check quantities and prices.", code="too_large")
    version = BudgetVersion.objects.create(
        project=project,
        number=number,
        created_by_id=actor_id,
        trigger=trigger,
        trigger_details=details or {},
        total_positions=counts["total_positions"],
        total_cost=counts["total_cost"],
        summary=delta.counts,
        changes=delta.changes,
        delta_cost=delta.cost,
        delta_quantity=delta.quantity,
        delta_price=delta.price,
        delta_scope=delta.scope,
        delta_rounding=delta.rounding,
    )
    project.version_number = number
    for name, value in counts.items():
        setattr(project, name, value)
    project.save(update_fields=["version_number", *counts, "updated_at"])
    _announce(project, version)
    return version


def _announce(project: Project, version: BudgetVersion) -> None:
    publish_on_commit(
        f"project:{project.pk}",
        "budget_recalculated",
        {
            "project_id": str(project.pk),
            "version": version.number,
            "trigger": version.trigger,
            "total_positions": version.total_positions,
            "total_cost": str(version.total_cost),
            "delta_cost": str(version.delta_cost),
            "currency": project.currency,
        },
    )
    tell_project(project.pk, has_new_version=True)
    tell_version(project=project, version=version)
    from .filestore.mirroring import mirror  # it locks projects itself

    mirror(project_id=project.pk)


@transaction.atomic
def restore_version(*, project_id: UUID, number: int, actor: User) -> BudgetVersion:
    """Make the budget what it was in version `number`, as a new version. Rows that say the same stay as they
    are; the others are closed, and those of then copied with their lineage.
    Raises Missing, ReadOnly, Refused("nothing_changed")."""
    editable_project(project_id=project_id, user=actor)
    project = locked_project(project_id=project_id)
    refuse_archived(project)
    if not BudgetVersion.objects.filter(project=project, number=number).exists():
        raise Missing(f"This project has no version {number}.", code="version_not_found")
    new = project.version_number + 1
    values: dict[str, Any] = {"project": project.pk, "then": number, "new": new}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.restoring")
        cursor.execute(PAIRS, values)
        cursor.execute("ANALYZE restoring")
        cursor.execute(ALIKE)
        cursor.execute(CLOSE, values)
        cursor.execute(COPY_BACK, values)
    version = close_version(
        project=project,
        trigger=BudgetVersion.Trigger.RESTORE,
        actor_id=actor.pk,
        details={"restored": number},
    )
    from .auditing import request_audit

    request_audit(project=project, actor=actor)
    return version
