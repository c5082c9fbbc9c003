"""The assessment by rules: no model, no network, the same answer each time for the same notice, profile and corpus."""

from __future__ import annotations

import datetime as dt

from . import factors, facts, keywords, terms
from .corpus import Corpus
from .guessing import category_of, guess_cpv
from .languages import language_of
from .schema import Assessment, Factor, checked, relevance_of
from .subject import Profile, Subject

METHOD = "rules 1"  # a change of what it says gets the next number
_EMPTY = "The profile is empty: relevance can't be told. Describe the firm to have tenders graded."


def analyse(subject: Subject, profile: Profile, *, corpus: Corpus | None = None, now: dt.datetime) -> Assessment:
    """corpus: of the notice's language. now: with a zone; deadlines are held against it. Some milliseconds each."""
    corpus = corpus or Corpus()
    language = subject.language or language_of(subject.text)
    reading = terms.Reading(subject, language, corpus)
    weights = keywords.weights_of(subject, language, corpus)
    reasons, score, confidence = grade(subject, profile, reading, now)
    result = Assessment(
        relevance=relevance_of(score),
        score=score,
        confidence=confidence,
        factors=reasons,
        category=category_of(subject),
        summary=keywords.summary(subject, language, weights),
        keywords=keywords.keywords(subject, language, corpus, weights),
        language=language,
        key_dates=facts.key_dates(reading.text, language),
        qualifications=facts.qualifications(reading.text),
        stated_value=facts.stated_value(subject),
        risks=facts.risks(reading.text),
        cpv_suggestions=[] if subject.cpv_codes or subject.cpv_main else guess_cpv(subject, language, corpus),
    )
    return checked(result, reading.text)[0]


def grade(
    subject: Subject, profile: Profile, reading: terms.Reading, now: dt.datetime
) -> tuple[list[Factor], float, float]:
    """(factors, score, confidence). The contributions, and no more, add up to the score before it is cut to 0-1."""
    if profile.is_empty:
        return [Factor(name="profile", weight=0.5, value=1.0, contribution=0.5, why=_EMPTY)], 0.5, 0.1
    topic, share = _topic(subject, profile, reading)
    circumstances = [
        found or _not_asked(name, weight)
        for name, weight, found in (
            ("region", factors.REGION, factors.region(subject, profile)),
            ("value", factors.VALUE, factors.value(subject, profile)),
            ("deadline", factors.DEADLINE, factors.deadline(subject, profile, now)),
        )
    ]
    against = [found for found in (terms.against(reading, profile), factors.foreign(subject, profile)) if found]
    reasons = [*topic, *circumstances, *against]
    score = sum(factor.contribution for factor in reasons)
    told = sum(
        factor.weight for factor in circumstances if "not state" not in factor.why and "states no" not in factor.why
    )
    return reasons, round(min(1.0, max(0.0, score)), 4), round(min(1.0, 0.6 * share + told), 2)


def _topic(subject: Subject, profile: Profile, reading: terms.Reading) -> tuple[list[Factor], float]:
    """CPV and terms, and how sure they make us (0-1). One alone takes both weights; neither can't be: a profile that
    is not empty has terms or codes, and codes that meet a notice without any leave the topic open (half)."""
    by_cpv, by_terms = factors.cpv(subject, profile), terms.terms(reading, profile)
    if by_cpv and by_terms:
        return [by_cpv, by_terms], 1.0
    alone = by_cpv or by_terms
    if alone:
        full = {"weight": factors.TOPIC, "contribution": round(factors.TOPIC * alone.value, 4)}
        return [alone.model_copy(update=full)], 0.7
    why = "The notice states no CPV, and the profile names nothing but codes: its topic can't be compared."
    half = Factor(name="cpv", weight=factors.TOPIC, value=0.5, contribution=factors.TOPIC / 2, why=why)
    return [half], 0.1


def _not_asked(name: str, weight: float) -> Factor:
    why = "The profile does not ask for it."
    return Factor(name=name, weight=weight, value=1.0, contribution=weight, why=why)
