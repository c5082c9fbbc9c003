"""Background jobs of enrichment: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse

from jobs.registry import register, register_cron, register_subject
from jobs.run import Run

from .services import enriching, runs

# Attempts are few seconds apart where a model is busy, and a quarter of an hour where an operator must mend something:
# a weekend of that is 300.
_MOST_RETRIES = 300


@register(runs.ONE, queue="default", concurrency=20, max_retries=_MOST_RETRIES, timeout_s=900, title="Read a tender")
def enrich(run: Run, params: dict[str, Any]) -> None:
    """params: tender_id, organisation_id, and optionally again."""
    enriching.enrich(
        tender_id=UUID(params["tender_id"]),
        organisation_id=UUID(params["organisation_id"]),
        job_id=run.job_id,
        again=bool(params.get("again")),
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


@register("tenders.enrich_nightly", queue="low", title="Have new tenders read")
def enrich_nightly(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    started = runs.start_for_all(limit=params.get("limit"))
    return {"runs": len(started), "tenders": sum(each["total_tenders"] for each in started)}


@register_cron("enrich_tenders")
def enrich_from_outside(query: dict[str, str]) -> dict[str, Any]:
    """`?limit=` (50 unless told), `?organisation=`."""
    from .api.enrichment import cron_answer

    return cron_answer(query)


register_subject(runs.SUBJECT, url=lambda organisation_id: reverse("tenders:enrichment"))
