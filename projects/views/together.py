"""Several people in one project: who is here, what changed under somebody's hands, and what has happened so far."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import PageRequest, page

from ..models import Position
from ..services.access import visible_project
from ..services.presence import arrive, leave
from ..services.timeline import KINDS, actors_of, timeline
from .states import opened


@page
@require_POST
def here(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The page says that its reader is here, or (`gone`) no longer; told are the others. For htmx and a beacon."""
    project = visible_project(project_id=project_id, user=request.user)
    if request.POST.get("gone"):
        leave(project_id=project.pk, user=request.user)
        return HttpResponse(status=204)
    editing = request.POST.get("editing", "")[:36]
    others = arrive(project_id=project.pk, user=request.user, editing=editing)
    context = {"project": project, "others": others, "busy": [each for each in others if each.editing]}
    return render(request, "projects/_here.html", context)


@page
@require_safe
def seen_json(request: PageRequest, project_id: UUID, lineage: UUID) -> JsonResponse:
    """{"seen": id of the position's current row, null: it is gone}: a form that began with another one is behind."""
    project = visible_project(project_id=project_id, user=request.user)
    rows = Position.objects.filter(project=project, lineage=lineage, removed_in__isnull=True)
    return JsonResponse({"seen": rows.values_list("pk", flat=True).first()})


@page
@require_safe
def history(request: PageRequest, project_id: UUID) -> HttpResponse:
    """Who changed what, and why; by kind and person."""
    project, context = opened(request, project_id, tab="history")
    people = actors_of(project)
    who = request.GET.get("who", "")
    actor_id = next((pk for pk, _ in people if str(pk) == who), None)
    kind = request.GET.get("kind", "")
    chosen = kind if kind in KINDS else ""
    before = request.GET.get("before", "")
    happenings, following = timeline(project=project, kind=chosen, actor_id=actor_id, before=before)
    context |= {
        "happenings": happenings,
        "following": following,
        "is_first": not before,
        "kinds": KINDS.items(),
        "people": people,
        "chosen_kind": chosen,
        "chosen_who": actor_id,
    }
    part = request.htmx and request.htmx.target == "history"
    return render(request, "projects/_history.html" if part else "projects/history.html", context)
