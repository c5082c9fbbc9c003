"""Answers with their sources: passages as they stand, or a model's words bound to them; or that nothing fits."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone
from pydantic import BaseModel, Field

import ai
from accounts.exceptions import PlumblineError
from accounts.models import User
from accounts.querysets import acting_organisation_id

from ..models import Entity
from ..search.folding import folded
from ..search.passages import PASSAGE, Piece, best_passage, marked
from .candidates import Asked
from .searching import Found, Hit, cleaned, found_for, seen_by
from .signals import QuerySignal, publish_queries

LONGEST = 10_000  # characters of a question
LOOKED_AT = 300  # of them are searched with
MOST_SOURCES = 5
# The best hit must hold so much of the question, by weight of its words; or mean much the same, and hold some of it.
LEAST_COVERED = 0.5
LEAST_ALIKE, LEAST_BESIDE = 0.6, 0.25
KEPT_S = 3600.0
NOTHING = "Nothing that is indexed here answers this."
_SPACES = re.compile(r"\s+")


class Quote(BaseModel):
    source: int = Field(description="Number of the passage.", ge=1, le=MOST_SOURCES)
    words: str = Field(description="Word for word from that passage, at most a sentence.", max_length=500)


class ModelAnswer(BaseModel):
    """What the passages say to the question; nothing that they do not say."""

    is_answered: bool = Field(description="Do the passages answer the question?")
    answer: str = Field(
        description="Two or three sentences; after each, its passages' numbers as [1].", max_length=1500
    )
    quotes: list[Quote] = Field(description="What the answer rests on.", max_length=MOST_SOURCES)


@dataclass(frozen=True, slots=True)
class SourceOf:
    """A passage, and where it is from."""

    entity: Hit
    passage: str
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answered:
    """`is_extract`: the answer is a passage as it stands. Without sources nothing was found, and the answer says so."""

    answer: str
    sources: list[SourceOf]
    found: Found
    retrieval: str
    is_extract: bool
    is_found: bool
    took_ms: float


def answer(*, user: User, question: str, is_signal: bool = True) -> Answered:
    """Of what the user may see. Publishes a signal for each entity that is shown, or one that nothing was found.

    Not inside a transaction where a model is configured. BadQuestion.
    """
    began = time.perf_counter()
    asked_text = cleaned(question, longest=LONGEST)
    searched = asked_text[:LOOKED_AT]
    found = found_for(seen=seen_by(user), question=searched, limit=20)
    chosen = _chosen(found)
    sources = _sources(chosen, found.asked)
    words, sources, is_extract = _worded(user, searched, sources)
    if is_signal:
        _publish(user, asked_text, sources)
    took_ms = round((time.perf_counter() - began) * 1000, 1)
    return Answered(words, sources, found, found.retrieval, is_extract, bool(sources), took_ms)


def is_answer(hit: Hit) -> bool:
    """Does it hold enough of what was asked?"""
    if hit.is_exact or hit.covered >= LEAST_COVERED:
        return True
    return hit.alike >= LEAST_ALIKE and hit.covered >= LEAST_BESIDE


def _chosen(found: Found) -> list[Hit]:
    """Those that answer; where the best is named by its code, those alone."""
    fitting = [hit for hit in found.hits if is_answer(hit)]
    if fitting and fitting[0].is_exact and not fitting[-1].is_exact:
        fitting = [hit for hit in fitting if hit.is_exact or hit.covered >= 0.99]
    best = max((hit.covered for hit in fitting), default=0.0)
    return [hit for hit in fitting if hit.is_exact or hit.covered >= 0.7 * best][:MOST_SOURCES]


def _sources(hits: list[Hit], asked: Asked) -> list[SourceOf]:
    texts = dict(Entity.objects.filter(pk__in=[hit.id for hit in hits]).values_list("pk", "text"))
    told = []
    for hit in hits:
        passage = best_passage(texts.get(hit.id, ""), asked.weights, length=PASSAGE) or hit.name
        told.append(SourceOf(hit, passage, marked(passage, asked.stems)))
    return told


def _worded(user: User, question: str, sources: list[SourceOf]) -> tuple[str, list[SourceOf], bool]:
    if not sources:
        return NOTHING, [], True
    extract = sources[0].passage, sources, True
    if not is_model_asked():
        return extract
    try:
        told = _ask(user, question, sources)
    except PlumblineError:  # the model is away, declined, or said nothing valid: the passages stand for themselves
        return extract
    if not told.is_answered:
        return NOTHING, [], False
    cited = _cited(told, sources)
    return (told.answer, cited, False) if cited else extract


def is_model_asked() -> bool:
    """Does an answer cost a call of a model?"""
    return bool(ai.state()["model"])


def _ask(user: User, question: str, sources: list[SourceOf]) -> ModelAnswer:
    passages = "\n".join(
        ai.data(f"passage {number}", f"{each.entity.name}\n{each.passage}") for number, each in enumerate(sources, 1)
    )
    prompt = ai.prompts.load("analytics", "answer").fill(question=ai.data("question", question), passages=passages)
    return ai.ask(
        ModelAnswer,
        prompt,
        purpose="analytics.answer",
        max_tokens=700,
        queue="high",
        organisation=acting_organisation_id(user),
        cache_s=KEPT_S,
        wait_s=5.0,
    ).value


def _cited(told: ModelAnswer, sources: list[SourceOf]) -> list[SourceOf]:
    """Sources whose quotes stand in them. A quote that does not is worth nothing: then none is."""
    cited: dict[int, SourceOf] = {}
    for quote in told.quotes:
        if not 1 <= quote.source <= len(sources):
            return []
        source = sources[quote.source - 1]
        if not quote.words.strip() or _plain(quote.words) not in _plain(f"{source.entity.name}\n{source.passage}"):
            return []
        cited[quote.source] = source
    numbers = {int(number) for number in re.findall(r"\[(\d+)\]", told.answer)}
    # The numbers in the answer are those of the list as shown: it is left whole up to the last one cited.
    if not cited or not numbers <= cited.keys():
        return []
    return sources[: max(cited)]


def _plain(text: str) -> str:
    return _SPACES.sub(" ", folded(text)).strip(" .…\"'")


def _publish(user: User, question: str, sources: list[SourceOf]) -> None:
    shared: dict[str, Any] = {
        "query": question,
        "user_id": user.pk,
        "organisation_id": acting_organisation_id(user),
        "timestamp": timezone.now(),
    }
    shown: list[tuple[UUID | None, str]] = [(each.entity.id, each.entity.entity_type) for each in sources]
    publish_queries(
        [
            QuerySignal(entity_id=entity_id, entity_type=entity_type, found=bool(sources), **shared)
            for entity_id, entity_type in shown or [(None, "")]
        ]
    )
