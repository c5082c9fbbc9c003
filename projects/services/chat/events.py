"""What is said of the chat on the project's channel. The tables hold it all: who misses an event reads them."""

from __future__ import annotations

from jobs.events import publish, publish_on_commit

from ...models import ChatMessage

TOLD = 300  # characters of a message


def tell_message(message: ChatMessage) -> None:
    """On commit: a message has come, or is another now."""
    publish_on_commit(
        f"project:{message.project_id}",
        "chat_message",
        {
            "project_id": str(message.project_id),
            "message_id": str(message.pk),
            "question_id": str(message.question_id) if message.question_id else None,
            "author": message.role,
            "status": message.status,
            "proposal": message.proposal,
            "text": message.message[:TOLD],
        },
    )


def tell_delta(message: ChatMessage, *, step: str, text: str = "") -> None:
    """Now: how far an answer is. `text` is all of it so far, so that a lost event loses nothing."""
    publish(
        f"project:{message.project_id}",
        "chat_delta",
        {"project_id": str(message.project_id), "message_id": str(message.pk), "step": step, "text": text},
    )
