"""Asking: the question and the place of its answer are written at once; a job answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from jobs.models import Job
from jobs.services import enqueue

from ...exceptions import Conflict, Missing, Refused
from ...models import ChatMessage, Project
from ..access import visible_project
from .events import tell_message

if TYPE_CHECKING:
    from accounts.models import User

ANSWER = "chat.answer"
LONGEST = 4_000  # characters of a message
MOST_WAITING = 3  # questions of one person in one project


@dataclass(frozen=True, slots=True)
class Exchange:
    question: ChatMessage
    answer: ChatMessage
    job: Job


def ask(*, project_id: UUID, actor: User, message: str) -> Exchange:
    """Whoever sees the project may ask. Raises ProjectNotFound, Refused("invalid_message"),
    Conflict("answers_pending")."""
    project = visible_project(project_id=project_id, user=actor)
    text = checked_message(message)
    with transaction.atomic():
        # One after the other in a project: so the order of what is asked is that of its times.
        Project.objects.select_for_update(of=("self",), no_key=True).filter(pk=project.pk).first()
        _check_waiting(project, actor)
        now = timezone.now()
        question = ChatMessage.objects.create(
            project=project, author=actor, role=ChatMessage.Role.USER, message=text, created_at=now
        )
        answer = ChatMessage(
            project=project,
            role=ChatMessage.Role.ASSISTANT,
            status=ChatMessage.Status.WAITING,
            question=question,
            created_at=now + timedelta(microseconds=1),
        )
        job = enqueue(
            kind=ANSWER,
            params={"message_id": str(answer.pk)},
            actor=actor,
            organisation=project.organisation,
            subject=("chat_message", answer.pk),
            about=f"{project.name}: {text}"[:200],
            dedupe_key=f"{ANSWER}:{answer.pk}",
        )
        answer.job_id = job.pk
        answer.save(force_insert=True)
        tell_message(question)
        tell_message(answer)
    return Exchange(question, answer, job)


def ask_again(*, project_id: UUID, message_id: UUID, actor: User) -> Exchange:
    """The question of an answer once more: of a proposal that is outdated, or of an answer that failed.

    Raises as `ask`, and Missing.
    """
    visible_project(project_id=project_id, user=actor)
    found = ChatMessage.objects.filter(pk=message_id, project_id=project_id).select_related("question").first()
    if found is None or (question := found.question) is None:
        raise Missing("There is no such answer.", code="message_not_found")
    return ask(project_id=project_id, actor=actor, message=question.message)


def checked_message(message: str) -> str:
    """Refused("invalid_message")."""
    text = message.replace("\r\n", "\n").strip()
    problem = ""
    if not text:
        problem = "Write a question, or what is to be changed."
    elif len(text) > LONGEST:
        problem = f"A message has at most {LONGEST:,} characters; this one has {len(text):,}."
    elif "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        problem = "This message holds characters that no text has. Type it anew."
    if problem:
        raise Refused(problem, code="invalid_message", extra={"errors": {"message": [problem]}})
    return text


def _check_waiting(project: Project, actor: User) -> None:
    waiting = ChatMessage.objects.filter(
        project=project, status=ChatMessage.Status.WAITING, question__author=actor
    ).count()
    if waiting >= MOST_WAITING:
        raise Conflict(
            f"{waiting} of your questions are still being answered. Wait for an answer.", code="answers_pending"
        )
