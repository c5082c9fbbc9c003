"""Where training begins: what one is to do, one's latest calls, and bringing one in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..models import Assignment, TrainingTemplate
from ..services.training import intake, organisation
from ..services.training.assigning import people_of
from ..services.training.presenting import listed_assignments, listed_sessions
from ..training_exceptions import BadForm, FileTooLarge
from .training_shell import Standing, moment_of, shown, standing_of, uuid_of

LATEST, ASSIGNED = 8, 30


@page
@require_safe
def overview(request: PageRequest) -> HttpResponse:
    standing = standing_of(request)
    open_ones = listed_assignments(request.user).open().filter(user=request.user)
    mine = listed_sessions(request.user).filter(user=request.user).order_by("-created_at", "-id")
    context: dict[str, Any] = {
        "assignments": open_ones.order_by("due_at", "created_at")[:ASSIGNED],
        "latest": mine[:LATEST],
        "now": timezone.now(),
        "coached": _coached(request, standing),
        **_choices(request, standing),
    }
    return shown(request, "training/overview.html", context, standing=standing)


@page
@require_POST
@costly
def upload(request: PageRequest) -> HttpResponse:
    """A file, or words that were pasted; to the call's page, which shows how far it is."""
    standing = standing_of(request)
    told = request.POST
    assignment_id = uuid_of(told.get("assignment"))
    home = _home_of_assignment(request, assignment_id) or str(standing.written_one(told.get("organisation", "")).pk)
    name, data = _transcript(request)
    session = intake.upload_transcript(
        actor=request.user,
        organisation_id=standing.written_one(home).pk,
        data=data,
        name=name,
        template_id=None if assignment_id else uuid_of(told.get("template")),
        assignment_id=assignment_id,
        user_id=None if assignment_id else uuid_of(told.get("user")),
        learner_speaker=told.get("learner_speaker", ""),
        started_at=moment_of(told.get("started_at", "")),
    )
    messages.success(request, "The call has arrived and is being worked on.")
    return redirect("training:session", session.pk)


def _transcript(request: PageRequest) -> tuple[str, bytes]:
    file = request.FILES.get("file")
    if isinstance(file, UploadedFile):
        if (file.size or 0) > settings.TRANSCRIPT_LIMIT_BYTES:
            raise FileTooLarge(f"A transcript has at most {filesizeformat(settings.TRANSCRIPT_LIMIT_BYTES)}.")
        return file.name or "transcript.txt", file.read()
    pasted = request.POST.get("words", "").strip()
    if not pasted:
        raise BadForm("Choose a file, or paste what was said.")
    return "transcript.txt", pasted.encode()


def _home_of_assignment(request: PageRequest, assignment_id: Any) -> str:
    if assignment_id is None:
        return ""
    row = Assignment.objects.visible_to(request.user).filter(pk=assignment_id).values_list("organisation_id", flat=True)
    return str(row.first() or "")


def _choices(request: PageRequest, standing: Standing) -> dict[str, Any]:
    """For the form of a new call."""
    rows = TrainingTemplate.objects.in_use().filter(organisation__in=standing.written)
    people = [person for each in standing.coached for person in people_of(organisation_id=each.pk)]
    return {
        "templates": rows.select_related("organisation").order_by("name", "pk"),
        "people": sorted({person.pk: person for person in people}.values(), key=str),
        "chosen_assignment": request.GET.get("assignment", ""),
        "limit": settings.TRANSCRIPT_LIMIT_BYTES,
    }


def _coached(request: PageRequest, standing: Standing) -> dict[str, Any] | None:
    """A coach's figures of the last 30 days, of the organisation joined first among those coached."""
    if not standing.is_coach:
        return None
    scope = organisation.scope_of(user=request.user, organisation_id=standing.coached[0].pk)
    told = organisation.figures_of(scope=scope, period=organisation.FIRST_PERIOD)
    late = Assignment.objects.open().filter(organisation__in=standing.coached, due_at__lte=timezone.now())
    return {"scope": scope, "now": told.now, "before": told.before, "late": late.count()}
