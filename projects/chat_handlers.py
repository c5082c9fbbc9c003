"""Background jobs of the chat, and of the texts that it looks through."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse

from jobs.registry import register, register_subject
from jobs.run import Run

from .services import document_text
from .services.chat import answering, asking


def answer_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    """Whatever ended the job: the message says so."""
    answering.record_failure(message_id=UUID(params["message_id"]), message=error.get("message", ""))


@register(
    asking.ANSWER,
    queue="high",
    timeout_s=180,
    subject_type="chat_message",
    title="Answer a question",
    on_failed=answer_failed,
    concurrency=4,
)
def answer(run: Run, params: dict[str, Any]) -> None:
    """params: message_id, of the answer that waits."""
    answering.answer_question(message_id=UUID(params["message_id"]), checkpoint=run.checkpoint, finishing=run.finishing)


@register(
    document_text.READ_TEXT,
    queue="low",
    isolated=True,
    timeout_s=600,
    memory_mb=1024,
    subject_type="document",
    title="Read a document’s text",
)
def read_text(run: Run, params: dict[str, Any]) -> None:
    """params: document_id."""
    document_text.read_text(document_id=UUID(params["document_id"]), report=run.report, finishing=run.finishing)


register_subject("chat_message", url=lambda message_id: reverse("projects:chat-message-page", args=[message_id]))
