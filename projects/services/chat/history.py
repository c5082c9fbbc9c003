"""Reading the chat of a project, newest last."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ...exceptions import Missing
from ...models import ChatMessage, Project
from ...querysets import OfVisibleProjectQuerySet

PAGE = 30


@dataclass(frozen=True, slots=True)
class Stretch:
    """`messages`: oldest first. `earlier`: the id to ask for what came before; None: nothing did."""

    messages: list[ChatMessage]
    earlier: UUID | None


def messages_of(project: Project) -> OfVisibleProjectQuerySet:
    """Without the whole lists of actions, which may be long."""
    rows: OfVisibleProjectQuerySet = ChatMessage.objects.filter(project=project)
    return rows.select_related("author", "decided_by", "question__author").defer("actions", "question__actions")


def stretch(*, project: Project, before: UUID | None = None, limit: int = PAGE) -> Stretch:
    """The newest messages, or those before one. Raises Missing. Two queries at most."""
    rows = messages_of(project).order_by("-created_at", "-id")
    if before is not None:
        at = ChatMessage.objects.filter(pk=before, project=project).values_list("created_at", flat=True).first()
        if at is None:
            raise Missing("There is no such message.", code="message_not_found")
        rows = rows.filter(created_at__lt=at)
    found = list(rows[: limit + 1])
    shown = found[:limit][::-1]
    return Stretch(shown, shown[0].pk if len(found) > limit else None)


def message_of(*, project: Project, message_id: UUID) -> ChatMessage:
    """Raises Missing."""
    found: ChatMessage | None = messages_of(project).filter(pk=message_id).first()
    if found is None:
        raise Missing("There is no such message.", code="message_not_found")
    return found
