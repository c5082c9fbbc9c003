"""The shape of an assessment, whoever made it: the rules or a model. Stored as JSON in Enrichment.result.

A change that readers of stored rows would notice gets a new SCHEMA_VERSION.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SCHEMA_VERSION = 1
SUMMARY_WORDS = 80
MOST_KEYWORDS = 10
HIGH_FROM, MEDIUM_FROM = 0.65, 0.40  # of the score
_SPACE = re.compile(r"\s+")

Relevance = Literal["high", "medium", "low"]


def relevance_of(score: float) -> Relevance:
    return "high" if score >= HIGH_FROM else "medium" if score >= MEDIUM_FROM else "low"


def _short_summary(value: Any) -> Any:
    if isinstance(value, str) and len(words := value.split()) > SUMMARY_WORDS:
        return " ".join(words[:SUMMARY_WORDS]) + "…"
    return value


def _few_keywords(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kept = {word.strip().casefold(): word.strip()[:60] for word in value if isinstance(word, str) and word.strip()}
    return list(kept.values())[:MOST_KEYWORDS]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)


class Factor(_Strict):
    """One reason for the score. `contribution` = weight × value; a negative weight speaks against the tender."""

    name: str = Field(description="cpv, terms, region, value, deadline, negative_terms, country or your own")
    weight: float = Field(ge=-1, le=1, description="How much it counts; negative: it speaks against the tender")
    value: float = Field(ge=0, le=1, description="How far it holds")
    contribution: float = Field(default=0, ge=-1, le=1, description="weight x value")
    why: str = Field(description="One plain sentence")
    quote: str = Field(default="", description="Copied letter for letter from the notice; empty if none")


class KeyDate(_Strict):
    what: str = Field(description="What happens then, in a few words")
    on: dt.date
    quote: str = Field(description="Copied letter for letter from the notice")


class Fact(_Strict):
    """A qualification that bidders need, or a risk."""

    text: str
    quote: str = Field(description="Copied letter for letter from the notice")


class StatedValue(_Strict):
    amount: Decimal = Field(ge=0)
    currency: str = Field(default="", max_length=3, description="ISO 4217; empty if not stated")
    quote: str = Field(default="", description="Copied letter for letter; empty: from the notice's own field")


class CpvSuggestion(_Strict):
    """A guess, where the publisher gave no CPV: right in a quarter to two fifths of cases, never used for the score."""

    code: str = Field(max_length=8)
    why: str


class Assessment(_Strict):
    """What a notice is about and how far it fits a firm's profile, with the reasons."""

    relevance: Relevance
    score: float = Field(ge=0, le=1)
    confidence: float = Field(default=0.5, ge=0, le=1, description="How sure this is, given what is stated")
    factors: list[Factor] = Field(default_factory=list)
    category: str = Field(default="", description="works, goods or services, and what kind, in a few words")
    summary: Annotated[str, BeforeValidator(_short_summary)] = Field(
        default="", description=f"At most {SUMMARY_WORDS} words, in the notice's language"
    )
    keywords: Annotated[list[str], BeforeValidator(_few_keywords)] = Field(
        default_factory=list, description=f"3 to {MOST_KEYWORDS}, in the notice's language"
    )
    language: str = Field(default="", max_length=2, description="ISO 639-1, of the notice's text")
    key_dates: list[KeyDate] = Field(default_factory=list)
    qualifications: list[Fact] = Field(default_factory=list, description="What bidders must have or prove")
    stated_value: StatedValue | None = None
    risks: list[Fact] = Field(default_factory=list, description="What may cost a bidder money or the award")
    cpv_suggestions: list[CpvSuggestion] = Field(
        default_factory=list, max_length=3, description="Only where the notice states no CPV"
    )


Quoted = TypeVar("Quoted", KeyDate, Fact)


def checked(assessment: Assessment, text: str) -> tuple[Assessment, int]:
    """The assessment without what it can't prove, and how many things were dropped.

    A fact whose quote is not literally in `text` (spaces aside) is dropped; of a factor only the quote is. What
    contributes is worked out anew, and the grade follows from the score: the two never contradict each other.
    """
    plain = _plain(text)

    def proven(items: list[Quoted]) -> list[Quoted]:
        return [item for item in items if item.quote and _plain(item.quote) in plain]

    factors = [_factor(factor, plain) for factor in assessment.factors]
    value = assessment.stated_value
    if value is not None and value.quote and _plain(value.quote) not in plain:
        value = None
    result = assessment.model_copy(
        update={
            "relevance": relevance_of(assessment.score),
            "factors": factors,
            "key_dates": proven(assessment.key_dates),
            "qualifications": proven(assessment.qualifications),
            "risks": proven(assessment.risks),
            "stated_value": value,
        }
    )
    return result, _dropped(assessment, result)


def _factor(factor: Factor, plain: str) -> Factor:
    quote = factor.quote if factor.quote and _plain(factor.quote) in plain else ""
    return factor.model_copy(update={"quote": quote, "contribution": round(factor.weight * factor.value, 4)})


def _dropped(before: Assessment, after: Assessment) -> int:
    lists = sum(
        len(getattr(before, name)) - len(getattr(after, name)) for name in ("key_dates", "qualifications", "risks")
    )
    quotes = sum(bool(a.quote) and not b.quote for a, b in zip(before.factors, after.factors, strict=True))
    return lists + quotes + (before.stated_value is not None and after.stated_value is None)


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
