"""What the chat's tests share: asking and having it answered."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from accounts.models import User
from projects.models import ChatMessage, Project
from projects.services.chat.asking import ask

Asks = Callable[..., ChatMessage]


@pytest.fixture
def asked(drain: Callable[[], int]) -> Asks:
    """`asked(project, user, text)`: the answer, once the jobs have run."""

    def answer_to(project: Project, user: User, text: str) -> ChatMessage:
        exchange = ask(project_id=project.pk, actor=user, message=text)
        drain()
        return answer_of(exchange.answer.pk)

    return answer_to


def answer_of(message_id: UUID) -> ChatMessage:
    answer: ChatMessage = ChatMessage.objects.get(pk=message_id)
    assert answer.status == ChatMessage.Status.DONE, answer.message
    return answer
