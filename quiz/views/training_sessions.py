"""Training calls as pages: lists of them, one with its review, and what waits for a coach."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..api.filters import PERIODS
from ..models import TrainingSession, TrainingTemplate
from ..services.training import reports, reviewing
from ..services.training.assigning import people_of
from ..services.training.presenting import listed_sessions, session_view, whole_session
from ..training_exceptions import BadForm, BadReview
from . import training_session_told as telling
from .training_shell import shown, standing_of, uuid_of

PAGE = 30
STATES = {
    "": "All",
    "done": "Graded",
    "working": "Being worked on",
    "failed": "Failed",
    "review": "Waiting for a coach",
    "closed": "Closed",
}
WORKING = [status for status in TrainingSession.Status.values if status not in ("done", "failed")]


@page
@require_safe
def sessions(request: PageRequest) -> HttpResponse:
    standing = standing_of(request)
    wish = {name: request.GET.get(name, "") for name in ("state", "period", "template", "user")}
    rows = _wished(listed_sessions(request.user), wish).order_by("-created_at", "-id")
    templates = TrainingTemplate.objects.visible_to(request.user).order_by("name", "pk")
    people = [person for each in standing.coached for person in people_of(organisation_id=each.pk)]
    context: dict[str, Any] = {
        "page_obj": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "wish": wish,
        "is_filtered": any(wish.values()),
        "states": STATES,
        "periods": {name: f"The last {days} days" for name, days in PERIODS.items()},
        "templates": templates.only("name"),
        "people": sorted({person.pk: person for person in people}.values(), key=str),
    }
    return shown(request, "training/sessions.html", context, standing=standing)


@page
@require_safe
def review(request: PageRequest) -> HttpResponse:
    """What waits for a coach, longest waiting first; and calls of which nobody has said whose they are."""
    standing = standing_of(request)
    standing.require_coach()
    coached = listed_sessions(request.user).filter(organisation__in=standing.coached)
    unnamed = coached.filter(user__isnull=True, closed_at__isnull=True).order_by("-created_at", "-id")
    context = {
        "page_obj": Paginator(coached.to_review(), PAGE).get_page(request.GET.get("page")),
        "unnamed": unnamed[:PAGE],
    }
    return shown(request, "training/review.html", context, standing=standing)


@page
@require_safe
def session(request: PageRequest, session_id: UUID) -> HttpResponse:
    return _session(request, session_id)


@page
@require_POST
def submit(request: PageRequest, session_id: UUID) -> HttpResponse:
    reviewing.submit_for_review(session_id=session_id, actor=request.user)
    messages.success(request, "Your coaches have been asked for a review.")
    return redirect("training:session", session_id)


@page
@require_POST
def note(request: PageRequest, session_id: UUID) -> HttpResponse:
    """A new note, or with `note` one's own in other words. Back to its turn."""
    text, note_id = request.POST.get("text", ""), uuid_of(request.POST.get("note"))
    if note_id:
        row = reviewing.edit_note(note_id=note_id, text=text, actor=request.user)
    else:
        told = request.POST.get("turn", "")
        turn = int(told) if told.isascii() and told.isdigit() and len(told) < 9 else None
        row = reviewing.add_note(session_id=session_id, text=text, turn=turn, actor=request.user)
    return redirect(f"{telling.address_of(session_id)}#note-{row.pk}")


@page
@require_POST
def note_delete(request: PageRequest, session_id: UUID, note_id: UUID) -> HttpResponse:
    reviewing.delete_note(note_id=note_id, actor=request.user)
    messages.info(request, "The note is gone.")
    return redirect("training:session", session_id)


@page
@require_POST
def override(request: PageRequest, session_id: UUID) -> HttpResponse:
    """What the coach has scored otherwise than before. What can't be so is shown in the form, with what was typed."""
    view = session_view(whole_session(session_id=session_id, user=request.user), request.user)
    try:
        scores = telling.given_scores(view, request.POST)
        feedback = telling.given_feedback(view, request.POST)
        if not scores and feedback is None:
            raise BadForm("Nothing is different from what you have scored before.")
        reviewing.override(
            session_id=session_id,
            scores=scores,
            feedback=feedback,
            seen=request.POST.get("seen", ""),
            actor=request.user,
        )
    except BadReview as error:
        return _session(request, session_id, typed=request.POST, errors=error.extra.get("errors", {}))
    except BadForm as error:
        return _session(request, session_id, typed=request.POST, errors={"form": [str(error)]})
    messages.success(request, "Your grade counts from now on.")
    return redirect(f"{telling.address_of(session_id)}#grades")


@page
@require_POST
def close(request: PageRequest, session_id: UUID) -> HttpResponse:
    reviewing.close_session(session_id=session_id, actor=request.user)
    messages.success(request, "The review is finished.")
    return redirect("training:session", session_id)


@page
@require_POST
def reopen(request: PageRequest, session_id: UUID) -> HttpResponse:
    reviewing.reopen(session_id=session_id, actor=request.user)
    return redirect("training:session", session_id)


@page
@require_POST
@costly
def process(request: PageRequest, session_id: UUID) -> HttpResponse:
    reviewing.process_again(session_id=session_id, actor=request.user)
    return redirect("training:session", session_id)


@page
@require_POST
@costly
def report(request: PageRequest, session_id: UUID) -> HttpResponse:
    """The page shows how far it is, and then the file."""
    reports.start_report(session_id=session_id, actor=request.user)
    return redirect("training:session", session_id)


@page
@require_POST
@costly
def correct(request: PageRequest, session_id: UUID) -> HttpResponse:
    """Who it was, which speaker, of which template: what differs from what is known."""
    known = whole_session(session_id=session_id, user=request.user)
    template_id, user_id = uuid_of(request.POST.get("template")), uuid_of(request.POST.get("user"))
    speaker = request.POST.get("learner_speaker", "")
    if user_id and (user_id != known.user_id or (speaker and speaker != known.learner_speaker)):
        reviewing.say_who_it_was(
            session_id=session_id, user_id=user_id, learner_speaker=speaker or None, actor=request.user
        )
    if template_id and template_id != known.template_id:
        reviewing.change_template(session_id=session_id, template_id=template_id, actor=request.user)
    return redirect("training:session", session_id)


def _wished(rows: Any, wish: dict[str, str]) -> Any:
    """What the filters leave; what they do not know is no filter."""
    state = wish["state"]
    if state == "working":
        rows = rows.filter(status__in=WORKING)
    elif state in ("done", "failed"):
        rows = rows.filter(status=state)
    elif state == "review":
        rows = rows.filter(submitted_for_review=True, closed_at__isnull=True)
    elif state == "closed":
        rows = rows.filter(closed_at__isnull=False)
    return telling.within(rows, wish)


def _session(
    request: PageRequest, session_id: UUID, *, typed: Any = None, errors: dict[str, Any] | None = None
) -> HttpResponse:
    row = whole_session(session_id=session_id, user=request.user)
    view = session_view(row, request.user)
    context = telling.context_of(row, view, request, typed=typed, errors=errors or {})
    status = 400 if errors else 200
    return shown(request, "training/session.html", context, standing=standing_of(request), status=status)
