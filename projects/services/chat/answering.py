"""Answering one question, as a job: a command becomes a proposal, a question of figures is computed, the rest is looked
up in passages; and what nothing supports is not answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from ...exceptions import Missing, ProjectNotFound
from ...models import ChatMessage, Project
from ..access import visible_project
from ..document_text import queue_missing
from . import wording
from .commands import Unclear, commands_in
from .drafting import proposal_for
from .events import tell_delta, tell_message
from .figures import reply_to
from .language import language_of
from .passages import Passage, passages_for, unread_documents
from .phrases import say
from .proposing import UNCONFIRMED
from .reply import CLARIFY, COMPUTED, EXTRACT, MODEL, NOBODY, Reply
from .understanding import intent_of

SHOWN = 50  # rows of a proposal that pages show; `actions` has them all
Finishing = Callable[[], AbstractContextManager[Callable[[Any], None]]]
Step = Callable[[str], None]
_SENTENCE = re.compile(r"\S.*?(?:[.!?…](?=\s)|\n|$)", re.S)


def answer_question(*, message_id: UUID, checkpoint: Callable[[], None], finishing: Finishing) -> None:
    """Fill in the answer. Done again after a kill it answers once: only what still waits is written. Raises Missing."""
    waiting = ChatMessage.objects.select_related("project__organisation", "question__author").filter(pk=message_id)
    answer: ChatMessage | None = waiting.first()
    if answer is None or answer.question is None:
        raise Missing("The question has been deleted.", code="message_not_found")
    if answer.status != ChatMessage.Status.WAITING:
        return

    def step(text: str) -> None:
        checkpoint()
        tell_delta(answer, step=text)

    reply = _reply(answer, step)
    _stream(answer, reply.text)
    with finishing() as finish:
        locked = ChatMessage.objects.select_for_update(of=("self",)).filter(
            pk=message_id, status=ChatMessage.Status.WAITING
        )
        kept = locked.first()
        if kept is not None:
            _store(kept, reply)
            tell_message(kept)
        finish({"message_id": str(message_id), "source": reply.source})


def record_failure(*, message_id: UUID, message: str) -> None:
    """The job ended without an answer; asking again is offered. In the transaction that ends the job."""
    answer = ChatMessage.objects.select_for_update().filter(pk=message_id, status=ChatMessage.Status.WAITING).first()
    if answer is not None:
        answer.status = ChatMessage.Status.FAILED
        answer.message = f"This question was not answered: {message or 'something went wrong'} Ask it again."
        answer.save(update_fields=["status", "message"])
        tell_message(answer)


def _reply(answer: ChatMessage, step: Step) -> Reply:
    question = answer.question
    assert question is not None
    language = language_of(question.message)
    if question.author is None:
        return Reply(say(language, "nobody"), NOBODY)
    try:  # they may have left the organisation since they asked
        project = visible_project(project_id=answer.project_id, user=question.author)
    except ProjectNotFound:
        return Reply(say(language, "nobody"), NOBODY, remark="Who asked does not see this project any more.")
    return compose(project=project, message=question.message, earlier=_earlier(question), step=step)


def compose(*, project: Project, message: str, earlier: dict[str, Any] | None = None, step: Step) -> Reply:
    """The answer to a message in a project that its author sees. Writes nothing. Not inside a transaction where a model
    is configured."""
    language = language_of(message)
    if commands := commands_in(message, language):
        step("Looking up what is to be changed")
        return _changes(project, message, language, commands, step)
    if intent := intent_of(message, earlier):
        step("Computing")
        return reply_to(project=project, intent=intent, language=language)
    if wording.is_configured() and _may_be_change(message):
        step("Asking the model what is to be changed")
        told, model, _ = wording.model_changes(project=project, message=message, language=language)
        if told:
            return proposal_for(project=project, commands=told, language=language, message=message, model=model)
    return _looked_up(project, message, language, step)


def _changes(project: Project, message: str, language: str, commands: list[Any], step: Step) -> Reply:
    if not any(isinstance(each, Unclear) for each in commands) or not wording.is_configured():
        return proposal_for(project=project, commands=commands, language=language, message=message)
    step("Asking the model what is to be changed")
    told, model, remark = wording.model_changes(project=project, message=message, language=language)
    reply = proposal_for(
        project=project, commands=told or commands, language=language, message=message, model=model if told else ""
    )
    return reply if told else replace(reply, remark=remark)


def _may_be_change(message: str) -> bool:
    return not message.rstrip().endswith("?") and any(letter.isdigit() for letter in message)


def _looked_up(project: Project, message: str, language: str, step: Step) -> Reply:
    step("Looking through documents, positions, findings and clauses")
    with transaction.atomic():
        being_read = queue_missing(project_id=project.pk)
    passages = passages_for(project=project, question=message)
    remark = _unread(unread_documents(project), being_read)
    if not passages:
        return Reply(say(language, "nobody"), NOBODY, remark=remark, confidence=Decimal(0))
    if wording.is_configured():
        step(f"Asking the model, which is given {len(passages)} passages")
        told = wording.model_answer(project=project, question=message, passages=passages)
        if told.text:
            cited = [passage.citation for passage in passages[: told.used]]
            return Reply(told.text, MODEL, cited, remark=remark, model=told.model, confidence=_confidence(passages))
        if not told.remark:
            return Reply(say(language, "nobody"), NOBODY, remark=remark, model=told.model, confidence=Decimal(0))
        remark = " ".join(filter(None, (told.remark, remark)))
    return replace(_extract(passages, language), remark=remark)


def _extract(passages: list[Passage], language: str) -> Reply:
    best = passages[0]
    cited = best.citation
    place = f", {cited['place']}" if cited["place"] and cited["kind"] != "clause" else ""
    text = f"{say(language, 'extract', title=cited['title'], place=place)}\n{best.text}"
    return Reply(text, EXTRACT, [each.citation for each in passages], confidence=_confidence(passages))


def _confidence(passages: list[Passage]) -> Decimal:
    """A heuristic: how much of the question the best passage holds."""
    return Decimal("1") if passages[0].is_exact else Decimal(str(round(min(1.0, passages[0].covered), 2)))


def _unread(names: list[str], being_read: int) -> str:
    if not names:
        return ""
    listed = ", ".join(names[:5]) + ("…" if len(names) > 5 else "")
    if being_read:
        return f"Not looked through yet, being read now: {listed}. Ask again in a moment."
    return f"Not looked through, for there is no text that could be read: {listed}."


def _earlier(question: ChatMessage) -> dict[str, Any] | None:
    """What the same person asked before, if the database answered it."""
    before = ChatMessage.objects.filter(
        project_id=question.project_id,
        role=ChatMessage.Role.ASSISTANT,
        question__author_id=question.author_id,
        created_at__lt=question.created_at,
    )
    contexts = before.order_by("-created_at").values_list("context", flat=True)
    found: dict[str, Any] | None = next(iter(contexts[:1]), None)
    return (found or {}).get("intent")


def _stream(answer: ChatMessage, text: str) -> None:
    """The answer sentence by sentence, once it is known to hold."""
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    for end in ends[:40]:
        tell_delta(answer, step="", text=text[:end])


def _store(answer: ChatMessage, reply: Reply) -> None:
    answer.message, answer.status, answer.source = reply.text, ChatMessage.Status.DONE, reply.source
    answer.type = "proposal" if reply.plan else "computed" if reply.source == COMPUTED else "text"
    answer.citations = list(reply.citations)
    answer.confidence = reply.confidence
    answer.positions = [each["id"] for each in reply.citations if each["kind"] == "position"]
    answer.documents = [each["id"] for each in reply.citations if each["kind"] == "document"]
    answer.context = {
        "how": reply.how,
        "remark": reply.remark,
        "model": reply.model,
        "intent": reply.intent,
        "candidates": reply.candidates if reply.source == CLARIFY else [],
        "table": {"columns": reply.table.columns, "rows": reply.table.rows, "numeric": reply.table.numeric}
        if reply.table
        else None,
    }
    if plan := reply.plan:
        answer.proposal, answer.based_on_version = ChatMessage.Proposal.PROPOSED, plan.based_on
        answer.actions = plan.actions
        answer.context |= {
            "operations": plan.operations,
            "count": len(plan.actions),
            "delta": str(plan.delta),
            "total_before": str(plan.total_before),
            "total_after": str(plan.total_after),
            "shown": plan.actions[:SHOWN],
            "needs_confirming": len(plan.actions) > UNCONFIRMED,
        }
    answer.save()
