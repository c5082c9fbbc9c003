"""Reading hundreds of tenders as one batch of the provider's: half the price, answered within a day.

One job per batch. It hands the questions over, and comes again every minute until they are answered; what is known of
the batch is in the database, so it may die anywhere. All is written in one transaction with the job's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from ai.exceptions import BatchesMissing
from ai.models import ModelBatch
from ai.services import batching
from ai.services.batching import Outcome
from jobs.services import enqueue

from ..analysis import METHOD, Assessment, Profile
from ..models import Enrichment, Score, Tender
from . import corpora, modelling, selecting
from .enriching import EnrichResult, Finishing, Reading, by_rules, name_of, result_of, write

PER_BATCH = 500  # tenders; their prompts are some megabytes, and their money is taken all at once


def require() -> None:
    """Raises BatchesMissing."""
    if not modelling.takes_batches():
        raise BatchesMissing("The configured model takes no batches. Start the run without mode=batch.")


def enrich_in_bulk(
    *,
    key: UUID,
    organisation_id: UUID,
    tender_ids: Sequence[UUID],
    job_id: UUID | None = None,
    fell_back: bool = False,
    finishing: Finishing,
) -> EnrichResult:
    """`key`: of the batch, made when the job was asked for. Raises ai.BatchUnderWay until there are answers, and what
    `batching.submit` raises; nothing has been written then, and the job is tried again."""
    profile = selecting.profile_for(organisation_id)
    batch = batching.find(key)
    if batch is None or batch.status == ModelBatch.Status.SUBMITTING:
        wanted = selecting.unread(organisation_id, by_model=True, revision=profile.revision, fell_back=fell_back)
        tenders = list(wanted.filter(pk__in=tender_ids).defer("documents"))
        if tenders or batch is not None:
            batch = _submit(key, organisation_id, profile, tenders)
    readings: list[Reading] = []
    outcomes: list[Outcome[Assessment]] = []
    if batch is not None:
        batch = batching.look(batch=batch)
        outcomes = batching.results(batch=batch, schema=Assessment)
        profile = replace(profile, revision=batch.context["profile_revision"])
        readings = _readings(outcomes, organisation_id, profile)
    with finishing() as finish:
        if batch is not None and not batching.record(batch=batch, outcomes=outcomes):
            readings = []
        result = result_of(readings, skipped=len(tender_ids) - len(readings))
        write(organisation_id=organisation_id, profile=profile, readings=readings, job_id=job_id)
        finish(result)
    return result


def abandon(*, key: UUID) -> None:
    """The job has been cancelled, or has failed: nobody will fetch the answers. In the transaction that ends it."""
    enqueue(kind="ai.cancel_batch", params={"key": str(key)}, dedupe_key=f"ai.cancel_batch:{key}")


def _submit(key: UUID, organisation_id: UUID, profile: Profile, tenders: Sequence[Tender]) -> ModelBatch:
    return batching.submit(
        key=key,
        schema=Assessment,
        items=[
            batching.Item(
                f"{tender.pk} {tender.content_hash}", modelling.prompt_of(corpora.subject_of(tender), profile)
            )
            for tender in tenders
        ],
        purpose=modelling.PURPOSE,
        max_tokens=modelling.MAX_TOKENS,
        organisation_id=organisation_id,
        context={"profile_revision": profile.revision},
    )


def _readings(outcomes: Sequence[Outcome[Assessment]], organisation_id: UUID, profile: Profile) -> list[Reading]:
    """Of those tenders that are still as they were sent, and that the model has not read meanwhile in another way."""
    if not outcomes:
        return []
    sent = dict(outcome.call.reference.split() for outcome in outcomes)
    tenders = Tender.objects.filter(pk__in=sent).defer("documents")
    as_sent = {str(tender.pk): tender for tender in tenders if tender.content_hash == sent[str(tender.pk)]}
    read_since = Score.objects.filter(
        organisation_id=organisation_id,
        tender__in=list(as_sent.values()),
        enrichment__method=Enrichment.Method.MODEL,
        profile_revision__gte=profile.revision,
        ai_processed_at__gte=min(outcome.call.created_at for outcome in outcomes),
    )
    done = {str(pk) for pk in read_since.values_list("tender_id", flat=True)}
    pairs = ((outcome, outcome.call.reference.split()[0]) for outcome in outcomes)
    return [_reading(outcome, as_sent[key], profile) for outcome, key in pairs if key in as_sent.keys() - done]


def _reading(outcome: Outcome[Assessment], tender: Tender, profile: Profile) -> Reading:
    call = outcome.call
    figures = Reading(
        tender,
        by_rules(tender, profile) if outcome.value is None else outcome.value,
        analyser=METHOD,
        fell_back=outcome.error[:300],
        tokens_in=call.tokens_in,
        tokens_out=call.tokens_out,
        cost_usd=call.cost_usd,
        latency_ms=call.latency_ms,
    )
    if outcome.value is None:
        return figures
    value, _ = modelling.checked_against(corpora.subject_of(tender), outcome.value)
    return replace(figures, assessment=value, method=Enrichment.Method.MODEL, analyser=name_of(call))
