"""A batch of releases into the database: what is new, what changes, and what was known before. All in bulk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from ..readers import Rejected
from . import rows
from .blocks import Block
from .blocks import mapped as mapped_from

PARTS = 600  # joined at once: some hundred KB

TENDERS = ("id", *rows.TENDER_LINE, "source_id", "created_at", "changed_at")
RELEASES = ("tender_id", *rows.RELEASE_LINE, "imported_by_id", "received_at")
_SET = ", ".join(f"{name} = staged.{name}" for name in rows.TENDER_COLUMNS)


@dataclass(slots=True)
class Known:
    """A tender that is stored."""

    id: UUID
    content_hash: str
    digests: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Batch:
    """What one round writes, as parts of lines one after the other, and how it counts."""

    tender_end: bytes
    release_end: bytes
    keys: set[str] = field(default_factory=set)
    new_tenders: list[bytes] = field(default_factory=list)
    changed_tenders: list[bytes] = field(default_factory=list)
    releases: list[bytes] = field(default_factory=list)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    qualities: Counter[tuple[Any, ...]] = field(default_factory=Counter)

    @property
    def is_empty(self) -> bool:
        return not self.releases


def known_tenders(source_id: UUID, keys: Sequence[str], digests: Sequence[str]) -> dict[str, Known]:
    """Tenders of the source under these keys, each with those of the digests that it has. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, id, content_hash FROM tenders_tender WHERE source_id = %s AND key = ANY(%s)",
            [source_id, list(keys)],
        )
        known = {key: Known(tender_id, content) for key, tender_id, content in cursor.fetchall()}
        if known:
            cursor.execute(
                "SELECT tender_id, digest FROM tenders_tenderrelease WHERE tender_id = ANY(%s) AND digest = ANY(%s)",
                [[tender.id for tender in known.values()], list(digests)],
            )
            by_id = {tender.id: tender for tender in known.values()}
            for tender_id, digest in cursor.fetchall():
                by_id[tender_id].digests.add(digest)
    return known


def stored_releases(tender_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Everything that was published of these tenders before."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tender_id, raw FROM tenders_tenderrelease WHERE tender_id = ANY(%s) ORDER BY id",
            [list(tender_ids)],
        )
        for tender_id, text in cursor.fetchall():
            found.setdefault(tender_id, []).append(orjson.loads(text))
    return found


def prepare(block: Block, *, source_id: UUID, import_id: UUID, country: str) -> Batch:
    """What to write for these releases; nothing is written yet."""
    now = datetime.now(UTC).isoformat()
    batch = Batch(f"\t{source_id}\t{now}\t{now}\n".encode(), f"\t{import_id}\t{now}\n".encode())
    if not block.releases:
        return batch
    batch.keys = {each.key for each in block.releases}
    known = known_tenders(source_id, list(batch.keys), [each.digest for each in block.releases])
    fresh = _fresh(block.releases, known, batch)
    earlier = stored_releases([known[key].id for key in fresh if key in known])
    ids = rows.new_ids()
    for key, releases in fresh.items():
        tender, mapped = known.get(key), block.tenders.get(key)
        if tender or mapped is None or mapped.releases != len(releases):
            published = [*(earlier.get(tender.id, ()) if tender else ()), *(orjson.loads(r.text) for r in releases)]
            try:
                mapped = mapped_from(published, key=key, country=country)
            except ValueError as error:
                # The tender stays as its earlier releases say; these can be looked at among what was rejected.
                batch.rejected += [Rejected(r.number, str(error), raw=r.text[:4000].decode()) for r in releases]
                continue
        _add(batch, releases, tender, mapped, str(tender.id) if tender else next(ids))
    return batch


def _fresh(arrived: Sequence[rows.Arrived], known: dict[str, Known], batch: Batch) -> dict[str, list[rows.Arrived]]:
    """By key, without those that are stored, or that the file says twice."""
    fresh: dict[str, list[rows.Arrived]] = {}
    seen: set[tuple[str, str]] = set()
    for each in arrived:
        tender = known.get(each.key)
        named = (each.key, each.digest)
        if named in seen or (tender and each.digest in tender.digests):
            batch.unchanged += 1
        else:
            seen.add(named)
            fresh.setdefault(each.key, []).append(each)
    return fresh


def _add(batch: Batch, releases: list[rows.Arrived], tender: Known | None, mapped: rows.Mapped, tender_id: str) -> None:
    start = f"{tender_id}\t".encode()
    if tender is None:
        batch.new_tenders += (start, mapped.line, batch.tender_end)
        batch.created += 1
        batch.updated += len(releases) - 1
    else:
        batch.changed_tenders += (start, mapped.line, batch.tender_end)
        batch.updated += len(releases)
    batch.qualities[mapped.quality] += 1
    for each in releases:
        batch.releases += (start, each.line, batch.release_end)


def quality_of(batch: Batch) -> Counter[str]:
    """By field: the batch's tenders that state it; by flag: those that carry it."""
    found: Counter[str] = Counter()
    size = len(rows.QUALITY_FIELDS)
    for pattern, count in batch.qualities.items():
        stated = (name for name, is_stated in zip(rows.QUALITY_FIELDS, pattern[:size], strict=True) if is_stated)
        for name in (*stated, *pattern[size:]):
            found[name] += count
    return found


def write(batch: Batch) -> None:
    """One transaction: tenders and their releases, or nothing of them.

    It does not wait for the disk. Should the server lose power, the last batches may be gone, whole; the file's import
    has not ended then, and reading it again brings them. Once it has, its record's own commit, which waits, has taken
    all before it to the disk; so has any other's that saw these rows.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        if batch.new_tenders:
            _copy(cursor, "tenders_tender", TENDERS, batch.new_tenders)
        if batch.changed_tenders:
            _change(cursor, batch.changed_tenders)
        _copy(cursor, "tenders_tenderrelease", RELEASES, batch.releases)


def _change(cursor: Any, parts: list[bytes]) -> None:
    """A release that changes nothing people read counts, and leaves the rest as it was: the tender stays indexed."""
    columns = ", ".join(TENDERS)
    cursor.execute(
        f"CREATE TEMP TABLE staged ON COMMIT DROP AS SELECT {columns} FROM tenders_tender WITH NO DATA"  # noqa: S608
    )
    _copy(cursor, "staged", TENDERS, parts)
    cursor.execute(
        f"UPDATE tenders_tender t SET {_SET}, content_hash = staged.content_hash, "  # noqa: S608 - our own names
        "releases_count = staged.releases_count, changed_at = staged.changed_at "
        "FROM staged WHERE t.id = staged.id AND t.content_hash <> staged.content_hash"
    )
    cursor.execute(
        "UPDATE tenders_tender t SET releases_count = staged.releases_count "
        "FROM staged WHERE t.id = staged.id AND t.releases_count <> staged.releases_count"
    )


def _copy(cursor: Any, table: str, columns: Sequence[str], parts: list[bytes]) -> None:
    with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for at in range(0, len(parts), PARTS):
            copy.write(b"".join(parts[at : at + PARTS]))
