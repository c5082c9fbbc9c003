"""Tenders as they look after an import, written straight into the tables: minimal, never random."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import Organisation
from tenders.models import CompanyProfile, Enrichment, Score, Source, Tender, TenderRelease
from tenders.services.indexing import index_words

_numbers = count(1)


def make_source(organisation: Organisation | None = None, name: str = "") -> Source:
    """Shared, unless it is an organisation's."""
    return Source.objects.create(organisation=organisation, name=name or f"Source {next(_numbers)}")


def make_tender(source: Source | None = None, title: str = "Resurfacing of road II/385", **fields: Any) -> Tender:
    """Open for ten more days; found by its words; with one release unless `releases` gives others."""
    releases = fields.pop("releases", None)
    number = next(_numbers)
    values: dict[str, Any] = {
        "key": f"ocds-made-{number}",
        "title": title,
        "description": "Milling and a new wearing course over 3.2 km.",
        "language": "en",
        "country": "CZ",
        "buyer_name": "County of Vysočina",
        "cpv_main": "45233220",
        "cpv_codes": ["45233220"],
        "value_amount": Decimal("1250000.50"),
        "value_currency": "CZK",
        "published_at": datetime(2026, 11, 1, 8, tzinfo=UTC),
        "deadline_at": timezone.now() + timedelta(days=10, hours=1),
        "url": "https://example.com/notice",
        "content_hash": f"{number:032x}",
    }
    tender = Tender.objects.create(source=source or make_source(), **(values | fields))
    for index, raw in enumerate(releases or [{"ocid": tender.key, "tender": {"title": title}}]):
        make_release(tender, raw, index)
    index_words()
    return tender


def make_release(tender: Tender, raw: dict[str, Any], index: int = 0) -> TenderRelease:
    at = datetime(2026, 11, 1 + index, 8, tzinfo=UTC)
    return TenderRelease.objects.create(
        tender=tender,
        release_id=f"{tender.key}-{index}",
        published_at=at,
        tags=["tender" if index == 0 else "tenderUpdate"],
        digest=f"{tender.pk.hex[:28]}{index:04}",
        raw=raw | {"date": at.isoformat(), "ocid": tender.key},
    )


def make_score(tender: Tender, organisation: Organisation, score: float = 0.8, **result: Any) -> Score:
    """An assessment by rules against the profile as it is now."""
    profile = CompanyProfile.objects.filter(organisation=organisation).first()
    revision = profile.revision if profile else 0
    grade = "high" if score >= 0.65 else "medium" if score >= 0.4 else "low"
    values: dict[str, Any] = {
        "relevance": grade,
        "score": score,
        "factors": [
            {"name": "cpv", "weight": 0.4, "value": 1.0, "contribution": 0.4, "why": "Roads are what you build."},
            {"name": "deadline", "weight": 0.1, "value": 0.0, "contribution": 0.0, "why": "It is too near."},
        ],
        "summary": "A road gets a new surface.",
        "keywords": ["road", "surface"],
    }
    values |= result
    enrichment = Enrichment.objects.create(
        tender=tender,
        organisation=organisation,
        method="rules",
        analyser="rules 1",
        content_hash=tender.content_hash,
        profile_revision=revision,
        result=values,
        confidence=0.7,
    )
    return Score.objects.create(
        tender=tender,
        organisation=organisation,
        enrichment=enrichment,
        relevance=grade,
        relevance_score=score,
        keywords=values["keywords"],
        summary=values["summary"],
        content_hash=tender.content_hash,
        profile_revision=revision,
    )
