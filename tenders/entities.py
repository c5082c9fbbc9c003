"""What search and demand know of tenders: the tenders, and the companies that publish them. People are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.db import connection, transaction
from django.urls import reverse

from analytics.registry import Described, EntitySource, register
from analytics.services.signals import publish_updates

from .models import Tender

TENDERS = "tenders.tender"
TOLD_AT_ONCE = 10_000
BUYERS = "tenders.buyer"
LONGEST = 20_000
AT_ONCE = 5000
TITLES = 5  # of a buyer's newest tenders

# One for each spelling that differs by more than case; of a private source the organisation's own.
_BUYER_KEY = "md5(coalesce(s.organisation_id::text, '') || ' ' || lower(t.buyer_name))"
_BUYERS = "tenders_tender t JOIN tenders_source s ON s.id = t.source_id WHERE t.buyer_name <> ''"
_BUYER_KEYS = f"SELECT DISTINCT {_BUYER_KEY} AS key FROM {_BUYERS} AND {_BUYER_KEY} > %s ORDER BY key LIMIT %s"
_BUYERS_READ = f"""
SELECT {_BUYER_KEY} AS key, min(t.buyer_name), s.organisation_id, count(*), max(t.country),
    (array_agg(t.title ORDER BY t.published_at DESC NULLS LAST, t.id))[1:{TITLES}]
FROM {_BUYERS} AND {_BUYER_KEY} = ANY(%s) GROUP BY 1, 3
"""


def tender_keys() -> Iterator[str]:
    return (str(key) for key in Tender.objects.order_by("pk").values_list("pk", flat=True).iterator(2000))


def read_tenders(keys: Sequence[str]) -> Iterable[Described]:
    rows = Tender.objects.filter(pk__in=list(map(UUID, keys))).select_related("source")
    for tender in rows.defer("documents"):
        codes = " ".join(dict.fromkeys([tender.cpv_main, *map(str, tender.cpv_codes), *map(str, tender.unspsc_codes)]))
        lots = " ".join(str(lot.get("title") or "") for lot in tender.lots if isinstance(lot, dict))
        told = [tender.description, lots, tender.buyer_name, codes]
        yield Described(
            source_id=str(tender.pk),
            name=tender.title,
            text="\n".join(part for part in told if part.strip())[:LONGEST],
            url=reverse("tenders:detail", args=[tender.pk]),
            code=tender.key,
            organisation_id=tender.source.organisation_id,
            data={"buyer": tender.buyer_name, "country": tender.country, "deadline_at": _iso(tender.deadline_at)},
        )


def refresh_tenders(keys: Sequence[str]) -> str:
    """Fetch again the sources with an address that they are from, and have read again what is out of date of their
    assessments; what is being done, in words. What changes is told as by any import."""
    from .services import fetching, runs  # they tell of changes by this module

    ids = list(map(UUID, keys))
    sources = set(Tender.objects.filter(pk__in=ids).values_list("source_id", flat=True))
    fetched, read = fetching.start_wanted(source_ids=sources), runs.read_wanted(tender_ids=ids)
    return f"{len(fetched)} of {len(sources)} sources being fetched, {len(read)} assessments being made anew"


def buyer_keys() -> Iterator[str]:
    after = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_BUYER_KEYS, [after, AT_ONCE])
            keys = [row[0] for row in cursor.fetchall()]
        yield from keys
        if len(keys) < AT_ONCE:
            return
        after = keys[-1]


def read_buyers(keys: Sequence[str]) -> Iterable[Described]:
    with connection.cursor() as cursor:
        cursor.execute(_BUYERS_READ, [list(keys)])
        rows = cursor.fetchall()
    for key, name, organisation_id, count, country, titles in rows:
        wanted = urlencode({"buyer": f'"{name}"'})
        yield Described(
            source_id=key,
            name=name,
            text=f"Publishes tenders: {count}. Such as: " + "; ".join(titles),
            url=f"{reverse('tenders:search')}?{wanted}"[:300],
            organisation_id=organisation_id,
            data={"tenders": count, "country": country},
        )


def tell_changed(*, source_id: UUID, since: datetime) -> None:
    """Of a source that was read: what has come or changed since then is to be read again. In constant memory: the ids
    of 200,000 tenders took 40 MB. Buyers that are new wait for the night."""
    rows = Tender.objects.filter(source_id=source_id, changed_at__gte=since).order_by("pk").values_list("pk", flat=True)

    def tell() -> None:
        last: UUID | None = None
        while keys := list((rows.filter(pk__gt=last) if last else rows)[:TOLD_AT_ONCE]):
            publish_updates(source=TENDERS, source_ids=[str(key) for key in keys])
            last = keys[-1]

    transaction.on_commit(tell)


def tell_gone(keys: Sequence[UUID]) -> None:
    """On commit: these tenders were removed."""
    transaction.on_commit(lambda: publish_updates(source=TENDERS, source_ids=[str(key) for key in keys]) and None)


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


register(
    EntitySource(
        name=TENDERS,
        entity_type="tender",
        label="Tender",
        read=read_tenders,
        keys=tender_keys,
        refresh=refresh_tenders,
    )
)
register(EntitySource(name=BUYERS, entity_type="company", label="Company", read=read_buyers, keys=buyer_keys))
