"""An assessment by the language model that is configured; by the rules where it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from django.utils import timezone

import ai
from ai import configuration
from ai.services import batching

from ..analysis import Assessment, Profile, Subject, checked
from ..analysis.factors import stripped

MOST_TEXT = 12_000  # characters of a notice that are sent
MAX_TOKENS = 2000
CACHE_S = 7 * 24 * 3600
PURPOSE = "tenders.assess"


def is_configured() -> bool:
    return configuration.current() is not None


def takes_batches() -> bool:
    return batching.takes_batches()


def ask(
    *, subject: Subject, profile: Profile, organisation_id: UUID, fallback: Callable[[], Assessment]
) -> ai.Answer[Assessment]:
    """Always a valid assessment, its quotes checked against what was sent.

    Raises what only passes with time, and costs nothing to wait for, so that the run waits instead of having the rules
    stand in a thousand times: ProviderRefused (until an operator resumes), BudgetSpent (until tomorrow), no place
    among the calls in flight, limits that can't be reached.
    """
    from jobs.limits import LimitBusy, LimitUnreachable, PlaceLost

    answer = ai.ask(
        Assessment,
        prompt_of(subject, profile),
        purpose=PURPOSE,
        max_tokens=MAX_TOKENS,
        organisation=organisation_id,
        cache_s=CACHE_S,
        fallback=fallback,
        raises=(ai.ProviderRefused, ai.BudgetSpent, LimitBusy, LimitUnreachable, PlaceLost),
    )
    if answer.method != "model":
        return answer
    value, dropped = checked_against(subject, answer.value)
    adjusted = (*answer.adjusted, f"{dropped} without a quote that is in the notice") if dropped else answer.adjusted
    return replace(answer, value=value, adjusted=adjusted)


def prompt_of(subject: Subject, profile: Profile) -> ai.Prompt:
    return ai.prompts.load("tenders", "assess").fill(
        today=timezone.now().date().isoformat(),
        profile=ai.data(_profile(profile), "profile"),
        fields=ai.data(_fields(subject), "fields"),
        notice=ai.data(subject.text[:MOST_TEXT], "notice"),
    )


def checked_against(subject: Subject, value: Assessment) -> tuple[Assessment, int]:
    """What the publisher states and what was sent go before what a model makes of it; how many facts were dropped."""
    return checked(_as_published(value, subject), subject.text[:MOST_TEXT])


def _as_published(value: Assessment, subject: Subject) -> Assessment:
    """What the publisher states goes before what a model makes of it."""
    changes: dict[str, object] = {}
    if subject.language:
        changes["language"] = subject.language
    if subject.cpv_main or subject.cpv_codes:
        changes["cpv_suggestions"] = []
    else:
        kept = [guess for guess in value.cpv_suggestions if len(stripped(guess.code)) >= 2]
        changes["cpv_suggestions"] = kept
    return value.model_copy(update=changes)


def _profile(profile: Profile) -> str:
    said = {
        "CPV codes": ", ".join(profile.cpv_codes),
        "Words": ", ".join(profile.keywords),
        "Not wanted": ", ".join(profile.negative_keywords),
        "Countries": ", ".join(profile.countries),
        "Regions": ", ".join(profile.regions),
        "Smallest contract": f"{profile.value_min} {profile.value_currency}" if profile.value_min is not None else "",
        "Largest contract": f"{profile.value_max} {profile.value_currency}" if profile.value_max is not None else "",
        "Days that a bid takes": str(profile.days_to_prepare),
        "In its own words": profile.capabilities,
    }
    return _lines(said)


def _fields(subject: Subject) -> str:
    value = f"{subject.value_amount} {subject.value_currency}" if subject.value_amount is not None else ""
    said = {
        "Buyer": subject.buyer_name,
        "Country": subject.country,
        "Regions": ", ".join(subject.regions),
        "Kind": subject.category,
        "Main CPV": subject.cpv_main,
        "All CPV": ", ".join(subject.cpv_codes),
        "Value": value,
        "Published": subject.published_at.isoformat() if subject.published_at else "",
        "Deadline": subject.deadline_at.isoformat() if subject.deadline_at else "",
        "Language": subject.language,
    }
    return _lines(said)


def _lines(said: dict[str, str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in said.items() if text) or "Nothing."
