"""One position: beside the table or on a page of its own; edited, added, deleted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pages import PageRequest, page

from ..exceptions import EditConflict, PositionNotFound, Refused
from ..forms import AddPositionForm, PositionForm
from ..models import Position, Project
from ..services.access import editable_project, visible_project
from ..services.building import made_of
from ..services.editing import add_position, delete_position, edit_position
from ..services.enriching.taking_over import suggestions_of
from .answers import done, told
from .report import Lineage, columns_of, history_of, lineage_of, sheet_of
from .sections import tree_of
from .table import filters_of


@page
@require_safe
def position(request: PageRequest, project_id: UUID, lineage: UUID) -> HttpResponse:
    project = visible_project(project_id=project_id, user=request.user)
    return _shown(request, project, lineage, version=filters_of(request.GET).version)


def _shown(
    request: PageRequest, project: Project, lineage: UUID, *, version: int | None = None, **extra: Any
) -> HttpResponse:
    """The position beside the table for htmx, else its page."""
    context = position_context(request, project, lineage_of(project, lineage, version)) | {"version": version} | extra
    name = "projects/_position.html" if request.htmx else "projects/position.html"
    return render(request, name, context)


def position_context(request: PageRequest, project: Project, found: Lineage) -> dict[str, Any]:
    can_write = Project.objects.editable_by(request.user).filter(pk=project.pk).exists()
    row = found.row
    return {
        "project": project,
        "row": row,
        "verdict": getattr(row, "verdict", None),
        "lineage": found,
        "columns": columns_of(row),
        "sheet": sheet_of(row),
        "history": history_of(found, project),
        "made": made_of(row),
        "suggestions": suggestions_of(row),
        "can_write": can_write,
        "can_change": can_write and found.is_current and project.status != Project.Status.ARCHIVED,
    }


@page
@require_http_methods(["GET", "POST"])
def edit(request: PageRequest, project_id: UUID, lineage: UUID) -> HttpResponse:
    """`seen` is the row that the person had before them: only what differs from it is changed, and if someone was
    faster both values are shown."""
    project = editable_project(project_id=project_id, user=request.user)
    if request.method == "GET":
        row = _current(project, lineage)
        return _form(request, project, row, PositionForm.of(row))
    seen = _seen(request, project, lineage)
    form = PositionForm(request.POST)
    if not form.is_valid():
        return _form(request, project, seen, form, status=422)
    changes = form.changes_from(seen)
    try:
        version = edit_position(
            project_id=project.pk,
            lineage=lineage,
            actor=request.user,
            seen=seen.pk,
            changes=changes,
            reason=form.cleaned_data["reason"],
        )
    except EditConflict as conflict:
        return _form(request, project, seen, form, status=409, conflict=_both(conflict, project, lineage))
    return _after(request, project, lineage, f"Saved as version {version.number}.")


def _both(conflict: EditConflict, project: Project, lineage: UUID) -> dict[str, Any]:
    """Field by field: theirs and yours, so that the person can choose; saving again is based on their row."""
    current, yours = conflict.extra["current"], conflict.extra["yours"]
    row = _current(project, lineage)
    form = PositionForm.of(row)
    return {
        "message": str(conflict),
        "row": row,
        "fields": [
            {
                "name": name,
                "label": form[name].label,
                "theirs": _plain(name, current[name]),
                "yours": _plain(name, value),
                "differs": _plain(name, current[name]) != _plain(name, value),
            }
            for name, value in yours.items()
        ],
    }


def _plain(name: str, value: Any) -> str:
    """Equal figures read alike: 351.0000 and 351."""
    if value in (None, ""):
        return ""
    return f"{Decimal(value).normalize():f}" if name in ("quantity", "unit_price") else str(value)


@page
@require_POST
def resolve(request: PageRequest, project_id: UUID, lineage: UUID) -> HttpResponse:
    """After a conflict: for each field, `keep_<field>` says "mine" (then `<field>` holds it) or "theirs"."""
    project = editable_project(project_id=project_id, user=request.user)
    seen = _seen(request, project, lineage)
    form = PositionForm(_merged(request, seen))
    if not form.is_valid():
        return _form(request, project, seen, form, status=422)
    changes = form.changes_from(seen)
    if not changes:
        return _after(request, project, lineage, "Kept as it was: nothing was changed.", level="info")
    reason = form.cleaned_data["reason"]
    try:
        version = edit_position(
            project_id=project.pk, lineage=lineage, actor=request.user, seen=seen.pk, changes=changes, reason=reason
        )
    except EditConflict as conflict:
        return _form(request, project, seen, form, status=409, conflict=_both(conflict, project, lineage))
    return _after(request, project, lineage, f"Saved as version {version.number}.")


def _merged(request: PageRequest, row: Position) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(row, name) for name in PositionForm.VALUES}
    chosen = [name for name in PositionForm.VALUES if request.POST.get(f"keep_{name}") == "mine"]
    return values | {name: request.POST.get(name, "") for name in [*chosen, "reason"]}


def _form(
    request: PageRequest,
    project: Project,
    row: Position,
    form: PositionForm,
    *,
    status: int = 200,
    conflict: dict[str, Any] | None = None,
) -> HttpResponse:
    context = {"project": project, "row": row, "form": form, "conflict": conflict, "seen": row.pk}
    name = "projects/_edit.html" if request.htmx else "projects/edit.html"
    response = render(request, name, context, status=status)
    if status != 200:
        response["X-Refused"] = "form"
    return response


def _seen(request: PageRequest, project: Project, lineage: UUID) -> Position:
    """Rows are never changed, so what the person saw can be read again."""
    value = request.POST.get("seen", "")
    row: Position | None = None
    if value.isascii() and value.isdigit() and len(value) < 19:
        row = Position.objects.filter(project=project, lineage=lineage, pk=int(value)).first()
    if row is None:
        raise Refused("The form does not say which state of the position it was filled in for.", code="seen_missing")
    return row


def _current(project: Project, lineage: UUID) -> Position:
    current = Position.objects.filter(project=project, lineage=lineage, removed_in__isnull=True)
    row: Position | None = current.first()
    if row is None:
        raise PositionNotFound("This position is not in the budget any more.")
    return row


def _after(
    request: PageRequest, project: Project, lineage: UUID, message: str, *, level: str = "success"
) -> HttpResponse:
    """The position as it is now."""
    if not request.htmx:
        return done(request, message, reverse("projects:position", args=[project.pk, lineage]), level=level)
    project.refresh_from_db()
    return told(_shown(request, project, lineage), message, level=level)


@page
@require_http_methods(["GET", "POST"])
def delete(request: PageRequest, project_id: UUID, lineage: UUID) -> HttpResponse:
    project = editable_project(project_id=project_id, user=request.user)
    if request.method == "GET":
        row = _current(project, lineage)
        context = {"project": project, "row": row}
        return render(request, "projects/_delete.html" if request.htmx else "projects/delete.html", context)
    seen = _seen(request, project, lineage)
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:500]
    version = delete_position(project_id=project.pk, lineage=lineage, actor=request.user, seen=seen.pk, reason=reason)
    message = f"Deleted in version {version.number}. Earlier versions keep it."
    if not request.htmx:
        return done(request, message, reverse("projects:detail", args=[project.pk]))
    project.refresh_from_db()
    return told(_shown(request, project, lineage), message)


@page
@require_http_methods(["GET", "POST"])
def add(request: PageRequest, project_id: UUID) -> HttpResponse:
    project = editable_project(project_id=project_id, user=request.user)
    nodes = [node for node in tree_of(project) if node.section or node.object_code] if project.version_number else []
    places = [("", "At the end of the budget"), *((node.key, node.indented) for node in nodes)]
    if request.method == "GET":
        wanted = filters_of(request.GET).section
        form = AddPositionForm(places=places, initial={"place": wanted, "kind": "work", "billing": "normal"})
        return _add_form(request, project, form)
    form = AddPositionForm(request.POST, places=places)
    if not form.is_valid():
        return _add_form(request, project, form, status=422)
    fields = form.values()
    place = next((node for node in nodes if node.key == form.cleaned_data["place"]), None)
    if place is not None:
        rows = Position.objects.filter(project=project, removed_in__isnull=True, object_code=place.object_code)
        name = rows.values_list("object_name", flat=True).first() or ""
        fields |= {"object_code": place.object_code, "object_name": name, "section": place.section}
    version, lineage = add_position(
        project_id=project.pk, actor=request.user, fields=fields, reason=form.cleaned_data["reason"]
    )
    return _after(request, project, lineage, f"Added in version {version.number}.")


def _add_form(request: PageRequest, project: Project, form: AddPositionForm, *, status: int = 200) -> HttpResponse:
    name = "projects/_add.html" if request.htmx else "projects/add.html"
    response = render(request, name, {"project": project, "form": form}, status=status)
    if status != 200:
        response["X-Refused"] = "form"
    return response
