"""A model's answer to a question, bound to passages: what it is asked, and what of its answer is believed.

Whatever it says is looked up: each quote must stand in its passage letter for letter (but for case, accents and
blanks), each number it cites must have a quote, and each figure it names must be in a passage that it cites or in the
question. One thing that does not hold, and nothing of the answer is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from pydantic import BaseModel, Field

import ai
from accounts.exceptions import PlumblineError, Temporary
from accounts.models import User
from accounts.querysets import acting_organisation_id
from ai import configuration

from ..search.folding import folded
from ..search.passages import Piece
from .searching import Hit

MOST_SOURCES = 5
KEPT_S = 3600.0
PLACE_S = 5.0  # that somebody waits for a place among the calls in flight
AWAY = "The model gave no answer in time; this is the best passage instead."
USELESS = "The model gave no answer that could be used; this is the best passage instead."
UNPROVED = "What the model said is not shown: its quotes or its figures are not in the sources."
log = structlog.get_logger(__name__)

_SPACES = re.compile(r"\s+")
_CITED = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")  # [1], [1, 2]
_GROUPED = re.compile(r"(\d{1,3}(?:[.,\u00a0\u202f ]\d{3}(?!\d))+)(?:[.,](\d+))?")  # 1,000 and 1 000.50
_FIGURE = re.compile(rf"{_GROUPED.pattern}|\d+(?:[.,]\d+)*")
_SEPARATORS = re.compile(r"[.,\u00a0\u202f ]")


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

    @property
    def whole(self) -> str:
        """As the model is shown it."""
        return f"{self.entity.name}\n{self.passage}"


@dataclass(frozen=True, slots=True)
class Said:
    """`answer` None: nothing that may be shown, for the reason in `remark`. Without `sources` the model says that the
    passages do not answer it."""

    answer: str | None
    sources: list[SourceOf]
    model: str = ""
    remark: str = ""


def is_configured() -> bool:
    """Does an answer cost a call of a model?"""
    return configuration.current() is not None


def ask(*, user: User, question: str, sources: list[SourceOf]) -> Said:
    """Never raises what models and their limits raise. Takes ANSWER_WITHIN_S at most. Not inside a transaction."""
    try:
        told = _asked(user, question, sources)
    except PlumblineError as error:
        log.info("answer_without_model", code=error.code, error=str(error))
        return Said(None, sources, remark=AWAY if isinstance(error, Temporary) else USELESS)
    value = told.value
    if not value.is_answered:
        return Said(None, [], told.model)
    cited = cited_sources(value, question, sources)
    if not cited:
        log.info("answer_not_proved", call=str(told.call_id))
        return Said(None, sources, told.model, UNPROVED)
    return Said(value.answer.strip(), cited, told.model)


def _asked(user: User, question: str, sources: Sequence[SourceOf]) -> ai.Answer[ModelAnswer]:
    passages = "\n".join(ai.data(each.whole, f"passage {number}") for number, each in enumerate(sources, 1))
    prompt = ai.prompts.load("analytics", "answer").fill(question=ai.data(question, "question"), passages=passages)
    return ai.ask(
        ModelAnswer,
        prompt,
        purpose="analytics.answer",
        max_tokens=700,
        queue="high",
        organisation=acting_organisation_id(user),
        cache_s=KEPT_S,
        wait_s=PLACE_S,
        within_s=settings.ANSWER_WITHIN_S,
    )


def cited_sources(told: ModelAnswer, question: str, sources: list[SourceOf]) -> list[SourceOf]:
    """The sources up to the last one that the answer cites: its numbers are those of the list as shown. []: something
    of it does not hold."""
    quoted: set[int] = set()
    for quote in told.quotes:
        if not 1 <= quote.source <= len(sources):
            return []
        words = _plain(quote.words)
        if not words or words not in _plain(sources[quote.source - 1].whole):
            return []
        quoted.add(quote.source)
    cited = {int(number) for found in _CITED.findall(told.answer) for number in re.findall(r"\d+", found)}
    if not cited or not cited <= quoted:
        return []
    known: set[str] = set().union(*_figures("\n".join([question, *(sources[each - 1].whole for each in cited)])))
    if not all(forms & known for forms in _figures(_CITED.sub(" ", told.answer))):
        return []
    return sources[: max(cited)]


def pieces_of(answer: str) -> list[tuple[str, int]]:
    """The answer in pieces: (text, 0), or ("[1]", 1) for a number of the list."""
    pieces: list[tuple[str, int]] = []
    at = 0
    for found in _CITED.finditer(answer):
        if found.start() > at:
            pieces.append((answer[at : found.start()], 0))
        pieces += [(f"[{number}]", int(number)) for number in re.findall(r"\d+", found[1])]
        at = found.end()
    return [*pieces, (answer[at:], 0)] if at < len(answer) else pieces


def _plain(text: str) -> str:
    return _SPACES.sub(" ", folded(text)).strip(" .…\"'“”„«»")


def _figures(text: str) -> list[set[str]]:
    """Of each figure in the text how it may be written: 0,5 and 0.5; 1,000 and 1 000 and 1000."""
    return [_forms(found[0]) for found in _FIGURE.finditer(folded(text))]


def _forms(figure: str) -> set[str]:
    forms = {figure.replace(",", ".")}
    if grouped := _GROUPED.fullmatch(figure):
        rest = f".{grouped[2]}" if grouped[2] else ""
        forms.add(_SEPARATORS.sub("", grouped[1]) + rest)
    return forms
