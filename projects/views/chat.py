"""A project's chat as a page: the history, asking, and deciding on what is proposed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.pacing import costly, count_call
from accounts.pages import PageRequest, page

from ..exceptions import Conflict, Missing
from ..models import ChatMessage, Project
from ..services.access import visible_project
from ..services.chat import asking, deciding, history, wording
from .answers import told
from .states import opened

EXAMPLES = (
    ("What is the total?", "Co se změnilo v poslední verzi?", "Die 5 teuersten Positionen", "Red findings"),
    ("Set the price of 1 to 350", "Zvyš oddíl 2 o 5 %", "Ändere die Menge von 3 auf 12,5"),
)


@page
@require_safe
def chat(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The newest messages; earlier ones with `?before=` of the first that is shown, for htmx as a part."""
    project, context = opened(request, project_id, tab="chat")
    before = _id(request.GET.get("before", ""))
    context |= {
        "stretch": history.stretch(project=project, before=before),
        "is_earlier": before is not None,
        "examples": EXAMPLES,
        "longest": asking.LONGEST,
        "has_model": wording.is_configured(),
        "prefilled": request.GET.get("q", "").replace("\x00", "")[: asking.LONGEST],
    }
    part = request.htmx and before is not None
    return render(request, "projects/_chat_messages.html" if part else "projects/chat.html", context)


@page
@require_POST
def ask(request: PageRequest, project_id: UUID) -> HttpResponse:
    """The question and the place of its answer, for htmx; without it, back to the page. Counted as expensive where it
    may cost a call of a model."""
    visible_project(project_id=project_id, user=request.user)
    _count(request)
    exchange = asking.ask(project_id=project_id, actor=request.user, message=request.POST.get("message", ""))
    return _exchange(request, project_id, exchange)


@page
@require_POST
def again(request: PageRequest, project_id: UUID, message_id: UUID) -> HttpResponse:
    visible_project(project_id=project_id, user=request.user)
    _count(request)
    exchange = asking.ask_again(project_id=project_id, message_id=message_id, actor=request.user)
    return _exchange(request, project_id, exchange)


@page
@require_safe
def message(request: PageRequest, project_id: UUID, message_id: UUID) -> HttpResponse:
    """One message alone, for htmx."""
    project = visible_project(project_id=project_id, user=request.user)
    found = history.message_of(project=project, message_id=message_id)
    return render(request, "projects/_chat_message.html", _context(request, project, found))


@page
@require_safe
def message_page(request: PageRequest, message_id: UUID) -> HttpResponse:
    """Where a message stands, for links that know nothing but the message."""
    found = ChatMessage.objects.visible_to(request.user).filter(pk=message_id).values_list("project_id", flat=True)
    project_id = found.first()
    if project_id is None:
        raise Missing("There is no such message.", code="message_not_found")
    return redirect(f"{reverse('projects:chat', args=[project_id])}#message-{message_id}")


@page
@require_POST
@costly
def apply(request: PageRequest, project_id: UUID, message_id: UUID) -> HttpResponse:
    """A proposal that does not fit the budget any more is shown as outdated, and why."""
    try:
        decided, version = deciding.apply_proposal(
            project_id=project_id,
            message_id=message_id,
            actor=request.user,
            is_confirmed=request.POST.get("confirm") == "yes",
        )
    except Conflict as error:
        if not request.htmx:
            raise
        return _decided(request, project_id, message_id, str(error), level="warning")
    return _decided(request, project_id, decided.pk, f"Applied: this is version {version.number}.")


@page
@require_POST
def refuse(request: PageRequest, project_id: UUID, message_id: UUID) -> HttpResponse:
    decided = deciding.refuse_proposal(project_id=project_id, message_id=message_id, actor=request.user)
    return _decided(request, project_id, decided.pk, "Refused. Nothing was changed.", level="info")


def _count(request: PageRequest) -> None:
    """Raises TooManyCalls."""
    if wording.is_configured():
        count_call(request, user_id=request.user.pk, name="expensive")


def _exchange(request: PageRequest, project_id: UUID, exchange: asking.Exchange) -> HttpResponse:
    if not request.htmx:
        return redirect(f"{reverse('projects:chat', args=[project_id])}#message-{exchange.answer.pk}")
    project = visible_project(project_id=project_id, user=request.user)
    messages = [
        history.message_of(project=project, message_id=each.pk) for each in (exchange.question, exchange.answer)
    ]
    context = _context(request, project) | {"stretch": history.Stretch(messages, None)}
    return render(request, "projects/_chat_messages.html", context)


def _decided(
    request: PageRequest, project_id: UUID, message_id: UUID, text: str, *, level: str = "success"
) -> HttpResponse:
    if not request.htmx:
        return redirect(f"{reverse('projects:chat', args=[project_id])}#message-{message_id}")
    project = visible_project(project_id=project_id, user=request.user)
    found = history.message_of(project=project, message_id=message_id)
    response = render(request, "projects/_chat_message.html", _context(request, project, found))
    return told(response, text, level=level)


def _context(request: PageRequest, project: Project, found: ChatMessage | None = None) -> dict[str, Any]:
    can_write = Project.objects.editable_by(request.user).filter(pk=project.pk).exists()
    can_edit = can_write and project.status != Project.Status.ARCHIVED
    return {"project": project, "message": found, "can_edit": can_edit}


def _id(text: str) -> UUID | None:
    """Missing for what is no id."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Missing("There is no such message.", code="message_not_found") from None
