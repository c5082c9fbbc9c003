"""Background jobs of enrichment: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse

from jobs.registry import register, register_cron, register_subject
from jobs.run import Run

from .services import enriching, in_bulk, runs

# Attempts are few seconds apart where a model is busy, and a quarter of an hour where an operator must mend something:
# a weekend of that is 300.
_MOST_RETRIES = 300


@register(runs.ONE, queue="default", concurrency=20, max_retries=_MOST_RETRIES, timeout_s=900, title="Read a tender")
def enrich(run: Run, params: dict[str, Any]) -> None:
    """params: tender_id, organisation_id, and optionally again, fell_back."""
    enriching.enrich(
        tender_id=UUID(params["tender_id"]),
        organisation_id=UUID(params["organisation_id"]),
        job_id=run.job_id,
        again=bool(params.get("again")),
        fell_back=bool(params.get("fell_back")),
        finishing=run.finishing,
    )


@register(runs.SOME, queue="default", timeout_s=1800, title="Read tenders")
def enrich_some(run: Run, params: dict[str, Any]) -> None:
    """params: tender_ids, organisation_id."""
    enriching.enrich_some(
        tender_ids=[UUID(each) for each in params["tender_ids"]],
        organisation_id=UUID(params["organisation_id"]),
        job_id=run.job_id,
        report=run.report,
        finishing=run.finishing,
    )


# Every minute of a day and more, beside the weekend as above.
_MOST_LOOKS = 2500


def _abandon(params: dict[str, Any], error: dict[str, Any]) -> None:
    in_bulk.abandon(key=UUID(params["key"]))


@register(
    runs.IN_BULK,
    queue="default",
    concurrency=4,
    max_retries=_MOST_LOOKS,
    timeout_s=1800,
    title="Read tenders in bulk",
    on_failed=_abandon,
)
def enrich_in_bulk(run: Run, params: dict[str, Any]) -> None:
    """params: key, tender_ids, organisation_id, and optionally fell_back."""
    in_bulk.enrich_in_bulk(
        key=UUID(params["key"]),
        tender_ids=[UUID(each) for each in params["tender_ids"]],
        organisation_id=UUID(params["organisation_id"]),
        job_id=run.job_id,
        fell_back=bool(params.get("fell_back")),
        finishing=run.finishing,
    )


@register("tenders.enrich_nightly", queue="low", title="Have new tenders read")
def enrich_nightly(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    started = runs.start_nightly(limit=params.get("limit"))
    return {"runs": len(started), "tenders": sum(each["total_tenders"] for each in started)}


@register_cron("enrich_tenders")
def enrich_from_outside(query: dict[str, str]) -> dict[str, Any]:
    """`?limit=` (50 unless told), `?organisation=`, `?fell_back=`, `?mode=`."""
    from .api.enrichment import cron_answer

    return cron_answer(query)


register_subject(runs.SUBJECT, url=lambda organisation_id: reverse("tenders:enrichment"))
