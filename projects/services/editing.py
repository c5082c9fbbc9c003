"""Editing, adding and deleting positions: each makes a version. No edit is lost when two people edit one position."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max, Min

from ..exceptions import EditConflict, PositionNotFound, Refused
from ..models import BudgetVersion, Position, Project
from ..parsers.totals import round_to_step
from .access import editable_project, refuse_archived
from .auditing import request_audit
from .rows import ORDINAL_GAP, content_hash, measure_json, measure_lines
from .versions import close_version, locked_project

if TYPE_CHECKING:
    from accounts.models import User

EDITABLE = ("number", "code", "description", "unit", "quantity", "unit_price", "kind", "billing", "category")
PLACED = ("object_code", "object_name", "section")
FALLBACK_STEP = Decimal("0.01")
FIGURE_STEP = Decimal("0.0001")
LARGEST = {"quantity": Decimal(10) ** 14, "unit_price": Decimal(10) ** 14, "total": Decimal(10) ** 16}


@transaction.atomic
def edit_position(
    *, project_id: UUID, lineage: UUID, actor: User, seen: int, changes: dict[str, Any], reason: str = ""
) -> BudgetVersion:
    """Change fields of a position. `seen` is the id of the row that the editor had before them.

    Raises EditConflict (with both values) if another edit came first, Refused("nothing_changed"), PositionNotFound.
    """
    changes = checked_fields(changes, EDITABLE)
    project = _locked(project_id=project_id, actor=actor)
    row = _current(project, lineage)
    if row.pk != seen:
        raise _conflict(row, changes)
    before = {name: getattr(row, name) for name in changes}
    if before == changes:
        raise Refused("This changes nothing: the position already is like that.", code="nothing_changed")
    _close(row, project.version_number + 1)
    revise(row, changes, project)
    row.save(force_insert=True)
    details = {"lineage": str(lineage), "reason": reason}
    return _edited(project, actor, details)


@transaction.atomic
def add_position(
    *, project_id: UUID, actor: User, fields: dict[str, Any], reason: str = ""
) -> tuple[BudgetVersion, UUID]:
    """Add a position by hand, after the last one of its section. Returns the version and the new lineage."""
    fields = checked_fields(fields, EDITABLE + PLACED)
    if not (fields.get("description") or "").strip():
        raise Refused("Describe the work or material.", code="description_missing")
    project = _locked(project_id=project_id, actor=actor)
    row = Position(
        project=project, lineage=uuid4(), origin=Position.Origin.MANUAL, ordinal=_place(project, fields), quantity=None
    )
    revise(row, fields, project)
    if not row.number:
        row.number = str(project.total_positions + 1)
    row.save(force_insert=True)
    version = _edited(project, actor, {"lineage": str(row.lineage), "reason": reason})
    return version, row.lineage


@transaction.atomic
def delete_position(*, project_id: UUID, lineage: UUID, actor: User, seen: int, reason: str = "") -> BudgetVersion:
    """Remove a position from the budget; earlier versions keep it. Raises EditConflict as `edit_position`."""
    project = _locked(project_id=project_id, actor=actor)
    row = _current(project, lineage)
    if row.pk != seen:
        raise _conflict(row, {})
    _close(row, project.version_number + 1)
    return _edited(project, actor, {"lineage": str(lineage), "reason": reason})


def _locked(*, project_id: UUID, actor: User) -> Project:
    editable_project(project_id=project_id, user=actor)
    project = locked_project(project_id=project_id)
    refuse_archived(project)
    return project


def _current(project: Project, lineage: UUID) -> Position:
    row: Position | None = Position.objects.filter(project=project, lineage=lineage, removed_in__isnull=True).first()
    if row is None:
        raise PositionNotFound(
            "This position is not in the budget any more: someone deleted it, or restored a version."
        )
    return row


def _close(row: Position, number: int) -> None:
    Position.objects.filter(pk=row.pk).update(removed_in=number)


def _conflict(row: Position, changes: dict[str, Any]) -> EditConflict:
    yours = {name: _plain(value) for name, value in changes.items()}
    current = {name: _plain(getattr(row, name)) for name in (changes or EDITABLE)}
    message = "Someone changed this position while you were editing it. Compare both values and save again."
    return EditConflict(message, extra={"seen": row.pk, "current": current, "yours": yours})


def revise(row: Position, changes: dict[str, Any], project: Project) -> None:
    """Turn the loaded row into the next one of its lineage: new id, new total, new hash."""
    for name, value in changes.items():
        setattr(row, name, value)
    row.id = None  # inserted as a new row
    row._state.adding = True
    row.added_in, row.removed_in = project.version_number + 1, None
    if {"quantity", "unit_price"} & set(changes):
        row.stated_total, row.total = None, total_of(row)
    if "quantity" in changes:
        row.measure = None  # the sheet proved the old quantity
        row.quantity_reason = "" if row.quantity is not None else row.quantity_reason  # else an estimate stays one
    row.content_hash = content_hash(
        code=row.code,
        description=row.description,
        unit=row.unit,
        quantity=row.quantity,
        unit_price=row.unit_price,
        total=row.stated_total,
        billing=row.billing,
        kind=row.kind,
        measure=measure_json(measure_lines(row.measure)),
    )


def total_of(row: Position) -> Decimal:
    """Quantity × unit price, half up, in the rounding of the document the position came from."""
    if row.quantity is None or row.unit_price is None:
        return Decimal(0)
    rounding = (row.document.extracted_data.get("rounding") or {}) if row.document else {}
    step = Decimal(rounding.get("total") or FALLBACK_STEP)
    exact = row.quantity * row.unit_price
    if abs(exact) >= LARGEST["total"]:
        raise Refused("Quantity times unit price is larger than any budget holds. Check both.", code="too_large")
    return round_to_step(exact, step).quantize(Decimal("0.01"))


def checked_fields(fields: dict[str, Any], allowed: tuple[str, ...]) -> dict[str, Any]:
    """The fields as they can be stored: figures with four digits, so that the total is of what people see."""
    checked = dict(fields)
    unknown = sorted(set(fields) - set(allowed))
    if unknown:
        raise Refused(f"These can't be set: {', '.join(unknown)}.", code="not_editable")
    for name in ("quantity", "unit_price"):
        value = fields.get(name)
        if value is None:
            continue
        if value.is_finite() and abs(value) < LARGEST[name]:
            rounded = value.quantize(FIGURE_STEP, ROUND_HALF_UP)
            checked[name] = value if value == rounded else rounded
        if not value.is_finite() or abs(checked[name]) >= LARGEST[name]:
            raise Refused(f"This {name.replace('_', ' ')} is not a number a budget can hold.", code="too_large")
    return checked


def _place(project: Project, fields: dict[str, Any]) -> int:
    """Right after the section's last position, so that the gap has room for the next ones; after everything, if there
    is no such section."""
    live = Position.objects.filter(project=project, removed_in__isnull=True)
    same = live.filter(**{name: fields.get(name, "") for name in ("object_code", "section")})
    last = same.aggregate(last=Max("ordinal"))["last"]
    if last is None:
        return int(live.aggregate(last=Max("ordinal"))["last"] or 0) + ORDINAL_GAP
    following = live.filter(ordinal__gt=last).aggregate(next=Min("ordinal"))["next"]
    return int(last) + ORDINAL_GAP if following is None else min(int(last) + 1, int(following) - 1)


def _edited(project: Project, actor: User, details: dict[str, Any]) -> BudgetVersion:
    version = close_version(
        project=project, trigger=BudgetVersion.Trigger.USER_EDIT, actor_id=actor.pk, details=details
    )
    request_audit(project=project, actor=actor)
    return version


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
