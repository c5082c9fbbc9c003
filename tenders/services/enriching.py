"""Reading tenders for an organisation: an assessment each, by the rules or by a model, written once.

Enrichment rows are never changed; the Score points at the newest. Two readings of one tender for one organisation at
once: the second finds the advisory lock held and leaves it alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypedDict
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from ..analysis import METHOD, SCHEMA_VERSION, Assessment, Profile, analyse
from ..analysis.languages import language_of
from ..models import Enrichment, Score, Tender
from . import corpora, modelling, selecting

Report = Callable[[int, int, str], None]
Finish = Callable[[Any], None]
Finishing = Callable[[], AbstractContextManager[Finish]]
_SCORE_FIELDS = (
    "enrichment", "relevance", "relevance_score", "keywords", "summary", "content_hash", "profile_revision",
    "ai_processed_at",
)  # fmt: skip


class EnrichResult(TypedDict):
    """What a job says of itself. `read`: tenders that got a row; `skipped`: those that were current, gone, or being
    read by another job just now."""

    read: int
    skipped: int
    high: int
    medium: int
    low: int
    method: str
    fell_back: str
    cost_usd: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One tender's assessment, and what it took."""

    tender: Tender
    assessment: Assessment
    method: str = Enrichment.Method.RULES
    analyser: str = METHOD
    fell_back: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)
    latency_ms: int = 0
    is_cached: bool = False


def by_rules(tender: Tender, profile: Profile, *, now: dt.datetime | None = None) -> Assessment:
    """Nothing is written."""
    subject = corpora.subject_of(tender)
    language = subject.language or language_of(subject.text)
    return analyse(subject, profile, corpus=corpora.corpus_of(language), now=now or timezone.now())


def enrich_some(
    *,
    organisation_id: UUID,
    tender_ids: Sequence[UUID],
    job_id: UUID | None = None,
    report: Report | None = None,
    finishing: Finishing,
) -> EnrichResult:
    """By the rules, many at a time; all are written in the transaction of `finishing()`. What is current by then is
    left out, so a second run of the same job writes nothing twice."""
    profile = selecting.profile_for(organisation_id)
    wanted = selecting.unread(organisation_id, by_model=False, revision=profile.revision).filter(pk__in=tender_ids)
    tenders = list(wanted.defer("documents"))
    readings = []
    for number, tender in enumerate(tenders, 1):
        readings.append(Reading(tender, by_rules(tender, profile)))
        if report:
            report(number, len(tenders), f"Read {number:,} of {len(tenders):,} tenders")
    with finishing() as finish:
        result = result_of(readings, skipped=len(tender_ids) - len(readings))
        write(organisation_id=organisation_id, profile=profile, readings=readings, job_id=job_id)
        finish(result)
    return result


def enrich(
    *,
    tender_id: UUID,
    organisation_id: UUID,
    job_id: UUID | None = None,
    again: bool = False,
    fell_back: bool = False,
    finishing: Finishing,
) -> EnrichResult:
    """One tender, by the model that is configured, else by the rules. again: also if it is current. fell_back: also if
    the rules stood in for the model.

    The model is asked outside of any transaction. Raises what `modelling.ask` raises: then nothing is written, and the
    job is tried again.
    """
    profile = selecting.profile_for(organisation_id)
    with _alone(organisation_id, tender_id) as is_alone:
        reading = None
        if is_alone:
            tender = _tender(tender_id, organisation_id, profile, again=again, fell_back=fell_back)
            reading = tender and read(tender, profile, organisation_id=organisation_id)
        with finishing() as finish:
            readings = [reading] if reading else []
            result = result_of(readings, skipped=1 - len(readings))
            write(organisation_id=organisation_id, profile=profile, readings=readings, job_id=job_id)
            finish(result)
    return result


def read(tender: Tender, profile: Profile, *, organisation_id: UUID) -> Reading:
    """Nothing is written."""
    if not modelling.is_configured():
        return Reading(tender, by_rules(tender, profile))
    answer = modelling.ask(
        subject=corpora.subject_of(tender),
        profile=profile,
        organisation_id=organisation_id,
        fallback=lambda: by_rules(tender, profile),
    )
    is_model = answer.method == "model"
    return Reading(
        tender,
        answer.value,
        method=Enrichment.Method.MODEL if is_model else Enrichment.Method.RULES,
        analyser=name_of(answer) if is_model else METHOD,
        fell_back="" if is_model else (answer.error or "No model is configured.")[:300],
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        cost_usd=answer.cost_usd,
        latency_ms=answer.latency_ms,
        is_cached=answer.is_cached,
    )


class Asked(Protocol):
    """An answer of a model, or the row of its call."""

    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def prompt_name(self) -> str: ...
    @property
    def prompt_version(self) -> int: ...
    @property
    def prompt_hash(self) -> str: ...


def name_of(asked: Asked) -> str:
    """Of the analyser."""
    prompt = f"{asked.prompt_name} v{asked.prompt_version} ({asked.prompt_hash})"
    return f"{asked.provider} {asked.model}, {prompt}"[:120]


def _tender(tender_id: UUID, organisation_id: UUID, profile: Profile, *, again: bool, fell_back: bool) -> Tender | None:
    """None: it is gone, not for this organisation, or has been read as it is."""
    if again:
        found = selecting.visible_to_organisation(organisation_id)
    else:
        found = selecting.unread(
            organisation_id, by_model=modelling.is_configured(), revision=profile.revision, fell_back=fell_back
        )
    tender: Tender | None = found.filter(pk=tender_id).defer("documents").first()
    return tender


@contextmanager
def _alone(organisation_id: UUID, tender_id: UUID) -> Iterator[bool]:
    """An advisory lock of the session, which goes with the process; False: another one reads this tender just now."""
    key = (organisation_id.int ^ tender_id.int) % (1 << 63)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


@transaction.atomic
def write(*, organisation_id: UUID, profile: Profile, readings: Sequence[Reading], job_id: UUID | None) -> None:
    """Two statements, whatever the number. In the order of the tenders: two who write the same rows wait, never
    for each other. What people said of a score (thumbs) stays."""
    now = timezone.now()
    rows = [_enrichment(reading, organisation_id, profile, job_id, now) for reading in _ordered(readings)]
    Enrichment.objects.bulk_create(rows, batch_size=500)
    scores = [_score(row, now) for row in rows]
    Score.objects.bulk_create(
        scores,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["organisation", "tender"],
        update_fields=_SCORE_FIELDS,
    )


def _ordered(readings: Sequence[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda reading: reading.tender.pk)


def _enrichment(
    reading: Reading, organisation_id: UUID, profile: Profile, job_id: UUID | None, now: dt.datetime
) -> Enrichment:
    return Enrichment(
        tender=reading.tender,
        organisation_id=organisation_id,
        method=reading.method,
        analyser=reading.analyser,
        fell_back=reading.fell_back,
        schema_version=SCHEMA_VERSION,
        content_hash=reading.tender.content_hash,
        profile_revision=profile.revision,
        result=reading.assessment.model_dump(mode="json"),
        confidence=reading.assessment.confidence,
        tokens_in=reading.tokens_in,
        tokens_out=reading.tokens_out,
        cost_usd=reading.cost_usd,
        latency_ms=reading.latency_ms,
        is_cached=reading.is_cached,
        job_id=job_id,
        created_at=now,
    )


def _score(row: Enrichment, now: dt.datetime) -> Score:
    return Score(
        tender_id=row.tender_id,
        organisation_id=row.organisation_id,
        enrichment=row,
        relevance=row.result["relevance"],
        relevance_score=row.result["score"],
        keywords=row.result["keywords"],
        summary=row.result["summary"],
        content_hash=row.content_hash,
        profile_revision=row.profile_revision,
        ai_processed_at=now,
    )


def result_of(readings: Sequence[Reading], *, skipped: int) -> EnrichResult:
    grades = [reading.assessment.relevance for reading in readings]
    methods = sorted({str(reading.method) for reading in readings})
    return EnrichResult(
        read=len(readings),
        skipped=skipped,
        high=grades.count("high"),
        medium=grades.count("medium"),
        low=grades.count("low"),
        method=", ".join(methods),
        fell_back=next((reading.fell_back for reading in readings if reading.fell_back), ""),
        cost_usd=str(sum((reading.cost_usd for reading in readings), Decimal(0))),
    )
