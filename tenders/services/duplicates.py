"""Tenders that say the same as others, published earlier, whoever published them: found after imports, by a job.

Marks of 64 bits are compared that agree in one band of 16 at least, which an index finds; never all with all. A pair
counts only if nothing stated tells the two apart (`analysis.similar.may_be_same`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from jobs.models import Job
from jobs.services import enqueue

from ..analysis import Subject
from ..analysis.similar import BANDS, NEAR, may_be_same, simhash
from ..models import Duplicate, Fingerprint, Source, Tender

if TYPE_CHECKING:
    from accounts.models import User

FIND = "tenders.find_duplicates"
CHUNK = 500
LONGEST = 20_000  # characters of a description that count
MOST_NEAR = 50  # near ones that are looked at in one band: of a text that hundreds share, the earliest
SHOWN = 10
NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # of what does not say when it was published
Report = Callable[[int, int, str], None]
_LOCK = 0x6D75  # of pg_advisory_xact_lock
_STATED = ("title", "country", "buyer_name", "value_amount", "value_currency", "deadline_at")

_STALE = f"""
SELECT t.key, t.id, t.source_id, t.published_at, t.content_hash, t.title, left(t.description, {LONGEST})
FROM tenders_tender t LEFT JOIN tenders_fingerprint f ON f.tender_id = t.id
WHERE t.source_id = %s AND t.key > %s AND f.content_hash IS DISTINCT FROM t.content_hash ORDER BY t.key LIMIT {CHUNK}
"""  # noqa: S608 - our own constants


_IN_BAND = """
(SELECT f.tender_id, f.source_id, f.published_at FROM tenders_fingerprint f WHERE f.mark IS NOT NULL
 AND ((f.mark >> {shift}) & 65535) = ((c.mark >> {shift}) & 65535)
 AND (f.published_at, f.tender_id) {side} (c.published_at, c.tender_id)
 AND bit_count((f.mark # c.mark)::bit(64)) <= {near} ORDER BY f.published_at, f.tender_id LIMIT {most})
"""


def _near(side: str) -> str:
    """Those near a fingerprint `c`, published before it ("<") or after it (">"), the earliest first."""
    bands = " UNION ".join(
        _IN_BAND.format(shift=16 * band, side=side, near=NEAR, most=MOST_NEAR) for band in range(BANDS)
    )
    stated = ", ".join(f"{row}.{name}" for row in ("one", "other") for name in _STATED)
    return f"""
SELECT c.tender_id, near.tender_id, c.source_id, near.source_id, {stated}
FROM tenders_fingerprint c CROSS JOIN LATERAL ({bands}) near
JOIN tenders_tender one ON one.id = c.tender_id JOIN tenders_tender other ON other.id = near.tender_id
WHERE c.tender_id = ANY(%s) ORDER BY c.tender_id, near.published_at, near.tender_id
"""  # noqa: S608 - our own constants


_EARLIER, _LATER = _near("<"), _near(">")


@dataclass(slots=True)
class Found:
    """`tenders`: whose words were looked at; `pairs`: those that stand for them now."""

    tenders: int = 0
    pairs: int = 0


def queue_finding(source: Source) -> Job:
    """After an import. Each gets a job of its own: one that runs may have passed what has come since."""
    return enqueue(
        kind=FIND,
        params={"source_id": str(source.pk)},
        organisation=source.organisation,
        subject=("tender_source", source.pk),
        about=source.name,
        priority=Job.Priority.LOW,
    )


def find_duplicates(*, source_ids: Iterable[UUID], report: Report) -> Found:
    """Of the tenders of these sources that are new, or have changed since, among all tenders.

    Each chunk is a transaction, one at a time over all processes (advisory lock), since of two that are new neither
    would see the other. Stopped and begun again, it goes on; a second run finds nothing to do.
    """
    found = Found()
    for source_id in source_ids:
        last: str | None = ""
        while last is not None:
            last = _chunk(source_id, last, found)
            report(found.tenders, 0, f"Compared {found.tenders:,} tenders")
    return found


@transaction.atomic
def _chunk(source_id: UUID, after: str, found: Found) -> str | None:
    """The key up to which it has come; None at the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_STALE, [source_id, after])
        rows = cursor.fetchall()
    if not rows:
        return None
    prints = [_fingerprint(*row) for row in rows]
    changed = [each.tender_id for each in prints]
    touching = Duplicate.objects.filter(Q(later__in=changed) | Q(earlier__in=changed))
    widowed = set(touching.values_list("later_id", flat=True))  # they may have another one before them
    touching.delete()
    Fingerprint.objects.bulk_create(
        prints,
        update_conflicts=True,
        unique_fields=["tender"],
        update_fields=["published_at", "mark", "content_hash"],
    )
    marked = [each.tender_id for each in prints if each.mark is not None]
    found.tenders += len(rows)
    found.pairs += _pair(_EARLIER, sorted({*marked, *widowed}), is_later=True)
    found.pairs += _pair(_LATER, marked, is_later=False)
    return str(rows[-1][0])


def _fingerprint(
    key: str, tender_id: UUID, source_id: UUID, published_at: datetime | None, content: str, title: str, text: str
) -> Fingerprint:
    mark = simhash(Subject(title=title, description=text))
    signed = mark - (1 << 64) if mark is not None and mark >= 1 << 63 else mark
    return Fingerprint(
        tender_id=tender_id,
        source_id=source_id,
        published_at=published_at or NEVER,
        mark=signed,
        content_hash=content,
    )


def _pair(sql: str, tender_ids: Sequence[UUID], *, is_later: bool) -> int:
    """Pairs of these with those near them; how many are new."""
    if not tender_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(tender_ids)])
        rows = cursor.fetchall()
    pairs: dict[tuple[UUID, UUID], Duplicate] = {}
    for one, other, source, other_source, *stated in rows:
        later, earlier, source_id = (one, other, other_source) if is_later else (other, one, source)
        if (later, source_id) not in pairs and may_be_same(
            _stated(stated[: len(_STATED)]), _stated(stated[len(_STATED) :])
        ):
            pairs[later, source_id] = Duplicate(later_id=later, earlier_id=earlier, source_id=source_id)
    known = Duplicate.objects.filter(later__in=[later for later, _ in pairs]).values_list("later_id", "source_id")
    fresh = [pairs[each] for each in pairs.keys() - set(known)]
    Duplicate.objects.bulk_create(fresh, batch_size=1000)
    return len(fresh)


def _stated(values: Sequence[Any]) -> Subject:
    return Subject(**dict(zip(_STATED, values, strict=True)))


def published_also(tender: Tender, *, user: User) -> list[Tender]:
    """Where else it is published, of what the user may see: the earliest first, at most SHOWN."""
    pairs = Duplicate.objects.visible_to(user)
    first = list(pairs.filter(later=tender).values_list("earlier_id", flat=True))
    others = set(pairs.filter(earlier__in=[tender.pk, *first]).values_list("later_id", flat=True)) | set(first)
    rows = Tender.objects.visible_to(user).filter(pk__in=others - {tender.pk}).select_related("source")
    near = [other for other in rows.defer("description", "lots") if _are_same(tender, other)]
    return sorted(near, key=lambda other: (other.published_at or NEVER, other.pk))[:SHOWN]


def _are_same(one: Tender, other: Tender) -> bool:
    """Two that are like a third need not be like each other."""
    return may_be_same(*(_stated([getattr(each, name) for name in _STATED]) for each in (one, other)))


def with_duplicates(tender_ids: Sequence[UUID], *, user: User) -> set[UUID]:
    """Those of them that are published somewhere else, too, where the user can see it. One query."""
    pairs = Duplicate.objects.visible_to(user).filter(Q(later__in=tender_ids) | Q(earlier__in=tender_ids))
    found = {each for pair in pairs.values_list("later_id", "earlier_id") for each in pair}
    return found.intersection(tender_ids)
