"""What organisations' other systems are told of tenders. Called in the transaction of what is told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from jobs.webhooks import declare, emit, link_to

from .models import SavedSearch, Source

MATCHED = "tender.matched"
IMPORTED, IMPORT_FAILED = "tender_source.imported", "tender_source.import_failed"
SOURCE: dict[str, Any] = {
    "source_id": "2c7f4a11-98e2-4a53-8d0e-1b5b6f0d9a42",
    "source": "Contracts Finder",
    "import_id": "c1d3a1f6-2a0e-4b0c-9d55-0d8a4cf1b6aa",
    "link": "https://plumbline.example/tenders/imports/c1d3a1f6-2a0e-4b0c-9d55-0d8a4cf1b6aa/",
}

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

declare(
    IMPORTED,
    description=(
        "Notices of one of your sources were read. `fetched` = `created` + `updated` + `unchanged` + `rejected`; "
        "`error`: what ended the file before its end; `import_id` null: fetched from the source's address, where "
        "nothing is told as long as nothing has changed."
    ),
    example=SOURCE | {"fetched": 1200, "created": 310, "updated": 12, "unchanged": 876, "rejected": 2, "error": ""},
)
declare(
    IMPORT_FAILED,
    description="Notices of one of your sources could not be read or fetched. The same failure again is not told.",
    example=SOURCE | {"error": "The publisher answered 404: there is nothing at this address. Look at the address."},
)
COUNTS = ("fetched", "created", "updated", "unchanged", "rejected")


def tell_matched(*, search: SavedSearch, count: int, tender_ids: list[str], link: str) -> None:
    data = {"search_id": str(search.pk), "search": search.name, "count": count, "tender_ids": tender_ids, "link": link}
    emit(event_type=MATCHED, organisation_id=search.organisation_id, data=lambda: data)


def tell_imported(*, source: Source, counts: dict[str, Any], import_id: UUID | None = None) -> None:
    """`counts` has at least COUNTS, and `error` where there is one."""
    told = {name: counts[name] for name in COUNTS} | {"error": counts.get("error", "")}
    _tell_of_source(IMPORTED, source, import_id, told)


def tell_import_failed(*, source: Source, message: str, import_id: UUID | None = None) -> None:
    _tell_of_source(IMPORT_FAILED, source, import_id, {"error": message[:500]})


def _tell_of_source(event_type: str, source: Source, import_id: UUID | None, told: dict[str, Any]) -> None:
    """Of shared sources nobody is told: they are the site's."""
    if source.organisation_id is None:
        return

    def data() -> dict[str, Any]:
        listing = str(settings.SITE_URL).rstrip("/") + reverse("tenders:imports")
        named = {
            "source_id": str(source.pk),
            "source": source.name,
            "import_id": str(import_id) if import_id else None,
            "link": link_to("tenders:import", import_id) if import_id else listing,
        }
        return named | told

    emit(event_type=event_type, organisation_id=source.organisation_id, data=data)
