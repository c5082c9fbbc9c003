"""Answers with their sources: passages as they stand, or a model's words bound to them; or that nothing fits."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.querysets import acting_organisation_id

from ..models import Entity
from ..search.passages import PASSAGE, best_passage, marked
from . import answering_model
from .answering_model import MOST_SOURCES, SourceOf, pieces_of
from .candidates import Asked
from .searching import Found, Hit, cleaned, found_for, seen_by
from .signals import QuerySignal, publish_queries

LONGEST = 10_000  # characters of a question
LOOKED_AT = 300  # of them are searched with
# The best hit must hold so much of the question, by weight of its words; or mean much the same, and hold some of it.
LEAST_COVERED = 0.5
LEAST_ALIKE, LEAST_BESIDE = 0.6, 0.25
NOTHING = "Nothing that is indexed here answers this."
OFTEN = "You have asked the model often just now; this is the best passage instead."


@dataclass(frozen=True, slots=True)
class Answered:
    """`is_extract`: the answer is a passage as it stands. `model`: which one worded it, or says that nothing fits;
    `remark`: why the one that was asked did not. Without sources nothing was found, and the answer says so."""

    answer: str
    sources: list[SourceOf]
    found: Found
    retrieval: str
    is_extract: bool
    is_found: bool
    took_ms: float
    model: str = ""
    remark: str = ""

    @property
    def answered_by(self) -> str:
        """model, extract or nobody."""
        return "nobody" if not self.is_found else "extract" if self.is_extract else "model"

    @property
    def pieces(self) -> list[tuple[str, int]]:
        """For pages: text, and numbers of sources."""
        return pieces_of(self.answer)


def answer(*, user: User, question: str, is_signal: bool = True, has_model: bool = True) -> Answered:
    """Of what the user may see. Publishes a signal for each entity that is shown, or one that nothing was found.

    `has_model` False: the model is not to be asked, and the answer says so. Not inside a transaction where one is
    configured. BadQuestion.
    """
    began = time.perf_counter()
    asked_text = cleaned(question, longest=LONGEST)
    searched = asked_text[:LOOKED_AT]
    found = found_for(seen=seen_by(user), question=searched, limit=20)
    answered = _worded(user, searched, _sources(_chosen(found), found.asked), found, has_model)
    if is_signal:
        _publish(user, asked_text, answered.sources)
    return replace(answered, took_ms=round((time.perf_counter() - began) * 1000, 1))


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


def _worded(user: User, question: str, sources: list[SourceOf], found: Found, has_model: bool) -> Answered:
    """Without its time."""
    if not sources:
        return Answered(NOTHING, [], found, found.retrieval, is_extract=True, is_found=False, took_ms=0)
    extract = Answered(sources[0].passage, sources, found, found.retrieval, is_extract=True, is_found=True, took_ms=0)
    if not is_model_asked():
        return extract
    if not has_model:
        return replace(extract, remark=OFTEN)
    said = answering_model.ask(user=user, question=question, sources=sources)
    if not said.sources:
        return replace(extract, answer=NOTHING, sources=[], is_extract=False, is_found=False, model=said.model)
    if said.answer is None:
        return replace(extract, remark=said.remark)
    return replace(extract, answer=said.answer, sources=said.sources, is_extract=False, model=said.model)


def is_model_asked() -> bool:
    """Does an answer cost a call of a model?"""
    return answering_model.is_configured()


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
