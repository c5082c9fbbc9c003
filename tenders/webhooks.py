"""What organisations' other systems are told of tenders. Called in the transaction of what is told."""

from __future__ import annotations

from jobs.webhooks import declare, emit

from .models import SavedSearch

MATCHED = "tender.matched"

declare(
    MATCHED,
    description="New tenders fit somebody's saved search. `tender_ids`: at most 20 of them, the newest.",
    example={
        "search_id": "5b8f7c1e-6c0d-4c39-9b0a-2f1d6f1f0a77",
        "search": "Roads in Moravia",
        "count": 3,
        "tender_ids": ["0f2c8a54-8f0b-4f0e-9a55-5a1f6d1b7c11"],
        "link": "https://plumbline.example/tenders/searches/5b8f7c1e-6c0d-4c39-9b0a-2f1d6f1f0a77/",
    },
)


def tell_matched(*, search: SavedSearch, count: int, tender_ids: list[str], link: str) -> None:
    data = {"search_id": str(search.pk), "search": search.name, "count": count, "tender_ids": tender_ids, "link": link}
    emit(event_type=MATCHED, organisation_id=search.organisation_id, data=data)
