"""A batch of releases into the database: what is new, what changes, and what was known before. All in bulk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from ..readers import Rejected, compile_releases, notice_of
from . import rows

_SET = ", ".join(f"{name} = staged.{name}" for name in rows.TENDER_COLUMNS)


@dataclass(slots=True)
class Known:
    """A tender that is stored."""

    id: UUID
    content_hash: str
    digests: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Batch:
    """What one round writes, and how it counts."""

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


def prepare(arrived: Sequence[rows.Arrived], *, source_id: UUID, import_id: UUID, country: str) -> Batch:
    """What to write for these releases; nothing is written yet."""
    batch = Batch(keys={each.key for each in arrived})
    known = known_tenders(source_id, list(batch.keys), [each.digest for each in arrived])
    fresh = _fresh(arrived, known, batch)
    earlier = stored_releases([known[key].id for key in fresh if key in known])
    context = _Context(source_id, import_id, country, datetime.now(UTC).isoformat())
    for key, releases in fresh.items():
        tender = known.get(key)
        _prepare_tender(batch, releases, tender, earlier.get(tender.id, []) if tender else [], context)
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


class _Context:
    """What all rows of a batch share, as COPY writes it."""

    def __init__(self, source_id: UUID, import_id: UUID, country: str, now: str) -> None:
        self.country, self.now = country, now
        self.source = str(source_id)
        self.release_tail = f"\t{import_id}\t{now}\n".encode()


def _prepare_tender(
    batch: Batch, arrived: list[rows.Arrived], tender: Known | None, earlier: list[dict[str, Any]], context: _Context
) -> None:
    published = [*earlier, *(orjson.loads(each.text) for each in arrived)]
    try:
        notice = notice_of(published[0] if len(published) == 1 else compile_releases(published))
    except ValueError as error:
        # The tender stays as its earlier releases say; these can be looked at among what was rejected.
        batch.rejected += [Rejected(each.number, str(error), raw=each.text[:4000].decode()) for each in arrived]
        return
    if context.country and not notice.country:
        notice = notice._replace(country=context.country)
    written = rows.tender_values(notice)
    tender_id = str(tender.id) if tender else rows.new_id()
    line = f"{tender_id}\t{written}\t{rows.content_hash(written)}\t{len(published)}\t{context.now}\n"
    if tender is None:
        key = rows.escaped(arrived[0].key)
        batch.new_tenders.append(f"{context.source}\t{key}\t{context.now}\t{line}".encode())
        batch.created += 1
        batch.updated += len(arrived) - 1
    else:
        batch.changed_tenders.append(line.encode())
        batch.updated += len(arrived)
    batch.qualities[(*map(bool, _stated(notice)), *notice.flags)] += 1
    batch.releases += [rows.release_line(each, tender_id=tender_id, tail=context.release_tail) for each in arrived]


QUALITY_FIELDS = ("description", "country", "buyer_name", "cpv_main", "value_amount", "published_at", "deadline_at")
_stated = attrgetter(*QUALITY_FIELDS)


def quality_of(batch: Batch) -> Counter[str]:
    """By field: the batch's tenders that state it; by flag: those that carry it."""
    found: Counter[str] = Counter()
    size = len(QUALITY_FIELDS)
    for pattern, count in batch.qualities.items():
        stated = (name for name, is_stated in zip(QUALITY_FIELDS, pattern[:size], strict=True) if is_stated)
        for name in (*stated, *pattern[size:]):
            found[name] += count
    return found


def write(batch: Batch) -> None:
    """One transaction: tenders and their releases, or nothing of them.

    It does not wait for the disk. Should the server lose power, the last batches may be gone, whole; the file's import
    has not ended then, and reading it again brings them. Once it has, its record's own commit, which waits, has taken
    all before it to the disk; so has any other's that saw these rows.
    """
    columns = ", ".join(rows.TENDER_COLUMNS)
    tail = f"id, {columns}, content_hash, releases_count, changed_at"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        if batch.new_tenders:
            _copy(cursor, f"tenders_tender (source_id, key, created_at, {tail})", batch.new_tenders)
        if batch.changed_tenders:
            _change(cursor, tail, batch.changed_tenders)
        _copy(cursor, f"tenders_tenderrelease ({', '.join(rows.RELEASE_COLUMNS)})", batch.releases)


def _change(cursor: Any, tail: str, lines: list[bytes]) -> None:
    """A release that changes nothing people read counts, and leaves the rest as it was: the words stay indexed."""
    cursor.execute(
        f"CREATE TEMP TABLE staged ON COMMIT DROP AS SELECT {tail} FROM tenders_tender WITH NO DATA"  # noqa: S608
    )
    _copy(cursor, f"staged ({tail})", lines)
    cursor.execute(
        f"UPDATE tenders_tender t SET {_SET}, content_hash = staged.content_hash, "  # noqa: S608 - our own names
        "releases_count = staged.releases_count, changed_at = staged.changed_at, search = NULL "
        "FROM staged WHERE t.id = staged.id AND t.content_hash <> staged.content_hash"
    )
    cursor.execute(
        "UPDATE tenders_tender t SET releases_count = staged.releases_count "
        "FROM staged WHERE t.id = staged.id AND t.releases_count <> staged.releases_count"
    )


def _copy(cursor: Any, target: str, lines: list[bytes]) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for block in _blocks(lines):
            copy.write(block)


def _blocks(lines: list[bytes]) -> Iterator[bytes]:
    for at in range(0, len(lines), 200):
        yield b"".join(lines[at : at + 200])
