"""Who is to hold a call of which template by when: for coaches."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.pages import PageRequest, page

from ..models import TrainingTemplate
from ..services.training import assigning
from ..services.training.assigning import people_of
from ..services.training.presenting import listed_assignments
from ..training_exceptions import BadAssignment, BadForm, NothingToJudgeBy, TemplateArchived
from .training_shell import Standing, moment_of, shown, standing_of, uuid_of

PAGE = 30
STATES = {"open": "Open", "late": "Overdue", "done": "Completed", "withdrawn": "Withdrawn", "all": "All"}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def assignments(request: PageRequest) -> HttpResponse:
    """POST: assign to all who are ticked. What can't be so is said above the form, which keeps what was chosen."""
    standing = standing_of(request)
    standing.require_coach()
    if request.method != "POST":
        return _list(request, standing)
    template_id = uuid_of(request.POST.get("template"))
    ids = [pk for pk in (uuid_of(told) for told in request.POST.getlist("user")) if pk]
    try:
        if template_id is None:
            raise BadForm("Choose a template.")
        done = assigning.assign(
            template_id=template_id,
            user_ids=ids,
            due_at=moment_of(request.POST.get("due_at", "")),
            note=request.POST.get("note", ""),
            actor=request.user,
        )
    except (BadAssignment, BadForm, NothingToJudgeBy, TemplateArchived) as error:
        told = [text for several in error.extra.get("errors", {}).values() for text in several] or [str(error)]
        return _list(request, standing, problems=told)
    number = len(done.created)
    text = f"Assigned to {number} {'person' if number == 1 else 'people'}."
    if done.already:
        text += f" {len(done.already)} had it already."
    messages.success(request, text)
    return redirect("training:assignments")


@page
@require_POST
def change(request: PageRequest, assignment_id: UUID) -> HttpResponse:
    """Withdraw it, or give it another day."""
    if request.POST.get("do") == "withdraw":
        assigning.withdraw(assignment_id=assignment_id, actor=request.user)
        messages.info(request, "Withdrawn.")
    else:
        due_at = moment_of(request.POST.get("due_at", ""))
        assigning.change_assignment(assignment_id=assignment_id, actor=request.user, due_at=due_at)
        messages.success(request, "The day is changed; they have been told.")
    return redirect("training:assignments")


def _list(request: PageRequest, standing: Standing, *, problems: list[str] | None = None) -> HttpResponse:
    state = request.GET.get("state", "")
    state = state if state in STATES else "open"
    rows = listed_assignments(request.user).filter(organisation__in=standing.coached)
    templates = TrainingTemplate.objects.in_use().filter(organisation__in=standing.coached).order_by("name", "pk")
    people = {person.pk: person for each in standing.coached for person in people_of(organisation_id=each.pk)}
    context: dict[str, Any] = {
        "page_obj": Paginator(_in_state(rows, state), PAGE).get_page(request.GET.get("page")),
        "state": state,
        "states": STATES,
        "templates": templates.only("name"),
        "people": sorted(people.values(), key=str),
        "now": timezone.now(),
        "problems": problems or [],
        "chosen": {
            "template": request.POST.get("template") or request.GET.get("template", ""),
            "users": request.POST.getlist("user"),
            "due_at": request.POST.get("due_at", ""),
            "note": request.POST.get("note", ""),
        },
    }
    status = 400 if problems else 200
    return shown(request, "training/assignments.html", context, standing=standing, status=status)


def _in_state(rows: Any, state: str) -> Any:
    if state == "open":
        return rows.open().order_by("due_at", "-created_at", "-id")
    if state == "late":
        return rows.open().filter(due_at__lte=timezone.now()).order_by("due_at", "-id")
    if state == "done":
        return rows.filter(completed_at__isnull=False)
    return rows.filter(withdrawn_at__isnull=False) if state == "withdrawn" else rows
