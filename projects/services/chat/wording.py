"""What a model is asked, and what of its answer is believed: quotes and figures that stand in the passages; changes
whose targets and figures stand in the message. Without one, and with anything that does not hold, `remark` says why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

import structlog
from django.conf import settings
from pydantic import BaseModel, Field

import ai
from accounts.exceptions import PlumblineError, Temporary
from analytics.search.folding import folded
from analytics.services.answering_model import KEPT_S, PLACE_S, ModelAnswer, SourceOf, cited_sources, is_configured
from analytics.services.searching import Hit

from ...models import Project
from .commands import LEAST_PERCENT, MOST_PERCENT, Command, Operation, Unclear
from .drafting import target_from
from .language import FIGURE, figure_of
from .passages import Passage

__all__ = ["Worded", "is_configured", "model_answer", "model_changes"]
MOST_CHANGES = 20
AWAY = "The model gave no answer in time; this is the best passage instead."
USELESS = "The model gave no answer that could be used; this is the best passage instead."
UNPROVED = "What the model said is not shown: its quotes or its figures are not in the sources."
NO_CHANGES = "The model gave nothing that could be used; write the change as in the examples."
log = structlog.get_logger(__name__)


class ModelChange(BaseModel):
    operation: Literal["set_price", "set_quantity", "scale_price", "scale_quantity", "delete"]
    target_kind: Literal["position", "section", "all"]
    target: str = Field(description="Copied from the message.", max_length=200)
    value: str = Field(description="Copied from the message; empty for delete.", max_length=40)


class ModelChanges(BaseModel):
    """What a message asks to be changed in the budget."""

    is_change: bool = Field(description="Does it ask for a change?")
    changes: list[ModelChange] = Field(max_length=MOST_CHANGES)


@dataclass(frozen=True, slots=True)
class Worded:
    """`text` "": nothing that may be shown, for the reason in `remark`, or, without one, because the model says that
    the passages do not answer it. `used`: how many of the passages it cites, from the first on."""

    text: str
    used: int = 0
    model: str = ""
    remark: str = ""


def model_answer(*, project: Project, question: str, passages: list[Passage]) -> Worded:
    """Never raises what models and their limits raise. Not inside a transaction."""
    sources = [_source(passage) for passage in passages]
    fenced = "\n".join(ai.data(each.whole, f"passage {number}") for number, each in enumerate(sources, 1))
    prompt = ai.prompts.load("projects", "chat_answer").fill(question=ai.data(question, "question"), passages=fenced)
    try:
        told = ai.ask(
            ModelAnswer,
            prompt,
            purpose="projects.chat_answer",
            max_tokens=900,
            queue="high",
            organisation=project.organisation_id,
            cache_s=KEPT_S,
            wait_s=PLACE_S,
            within_s=settings.ANSWER_WITHIN_S,
        )
    except PlumblineError as error:
        log.info("chat_without_model", code=error.code, error=str(error))
        return Worded("", remark=AWAY if isinstance(error, Temporary) else USELESS)
    if not told.value.is_answered:
        return Worded("", model=told.model)
    cited = cited_sources(told.value, question, sources)
    if not cited:
        log.info("chat_answer_not_proved", call=str(told.call_id))
        return Worded("", model=told.model, remark=UNPROVED)
    return Worded(told.value.answer.strip(), len(cited), told.model)


def _source(passage: Passage) -> SourceOf:
    cited = passage.citation
    name = f"{cited['title']} {cited['place']}".strip()
    hit = Hit(
        uuid4(), cited["kind"], cited["kind"], name, "", cited["url"], "", passage.is_exact, 0.0, passage.covered, 0.0
    )
    return SourceOf(hit, passage.text)


def model_changes(*, project: Project, message: str, language: str) -> tuple[list[Command | Unclear], str, str]:
    """Commands, the model's name, and a remark where there are none. [] and no remark: it says that no change is asked
    for. Not inside a transaction."""
    prompt = ai.prompts.load("projects", "chat_changes").fill(message=ai.data(message, "message"))
    try:
        told = ai.ask(
            ModelChanges,
            prompt,
            purpose="projects.chat_changes",
            max_tokens=900,
            queue="high",
            organisation=project.organisation_id,
            cache_s=KEPT_S,
            wait_s=PLACE_S,
            within_s=settings.ANSWER_WITHIN_S,
        )
    except PlumblineError as error:
        log.info("chat_changes_without_model", code=error.code, error=str(error))
        return [], "", NO_CHANGES
    if not told.value.is_change:
        return [], told.model, ""
    commands = [_command(change, message, language) for change in told.value.changes]
    if not commands or any(command is None for command in commands):
        log.info("chat_changes_not_proved", call=str(told.call_id))
        return [], told.model, NO_CHANGES
    return [command for command in commands if command is not None], told.model, ""


def _command(change: ModelChange, message: str, language: str) -> Command | None:
    """None: a target or a figure that the message does not name."""
    plain = _plain(message)
    is_named = change.target_kind == "all" or _stands_in(_plain(change.target), plain)
    operation: Operation = change.operation
    if not is_named:
        return None
    target = target_from(change.target_kind, change.target)
    if operation == "delete":
        return Command(operation, target, None, message)
    value = figure_of(change.value, language) if change.value.strip() else None
    known = {figure_of(found[0], language) for found in re.finditer(FIGURE, message)}
    if value is None or not {value, -value, abs(value)} & known:
        return None
    if operation.startswith("scale") and not LEAST_PERCENT <= value <= MOST_PERCENT:
        return None
    return Command(operation, target, value, message)


def _stands_in(name: str, plain: str) -> bool:
    """As words of their own: the 3 of 350 is no position."""
    return bool(name and re.search(rf"(?<![\w.,]){re.escape(name)}(?!\w|[.,]\w)", plain))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", folded(text)).strip()
