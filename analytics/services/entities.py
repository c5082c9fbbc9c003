"""Entities, brought up to date from where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.utils import timezone

from jobs.services import enqueue

from ..exceptions import SourceMissing
from ..models import DemandBucket, DemandDay, Entity, StoredVocabulary
from ..registry import Described, EntitySource, source_named
from ..search.codes import normal
from ..search.words import words_of
from ..streams.scoring import score_at
from ..webhooks import Named, tell_updated
from . import live
from .counting import clock
from .embeddings import current_embedder, is_due, text_of
from .raw import raw_cursor
from .totals import Change, Key, change_totals

REINDEX = "analytics.reindex"
LEARN = "analytics.fit_embedding"
CHUNK = 500  # keys read, compared and written at once
LONGEST_NAME, LONGEST_URL, LONGEST_TEXT = 300, 300, 20_000

# In id order, like everybody who locks entities and their demand.
LOCK = """
SELECT e.source_id, e.id, e.content_hash, e.organisation_id, e.entity_type, e.needs_update, d.query_count, d.rank
FROM analytics_entity e LEFT JOIN analytics_entitydemand d ON d.entity_id = e.id
WHERE e.source = %s AND e.source_id = ANY(%s) ORDER BY e.id FOR UPDATE OF e
"""
LOCK_DEMAND = """
SELECT entity_id, query_count, rank FROM analytics_entitydemand WHERE entity_id = ANY(%s) ORDER BY entity_id FOR UPDATE
"""
COLUMNS = """unnest(%s::text[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::text[], %s::text[], %s::text[])
    AS v (source_id, organisation, name, code, url, body, data, content, named, words, embedding)"""
# The words come ready made: the server only has to count their places.
SEARCH = "setweight(to_tsvector('simple', v.named), 'A') || setweight(to_tsvector('simple', v.words), 'B')"
# Somebody else may have made one meanwhile: theirs stands, and their reading is as new as ours.
INSERT = f"""
INSERT INTO analytics_entity (id, entity_type, source, source_id, organisation_id, name, code, url, text, data,
    content_hash, search, embedding, model_version, demand_score, needs_update, created_at, updated_at)
SELECT gen_random_uuid(), %s, %s, v.source_id, v.organisation, v.name, v.code, v.url, v.body, v.data::jsonb, v.content,
    {SEARCH}, v.embedding::halfvec, %s, 0, false, %s, %s
FROM {COLUMNS}
ON CONFLICT (source, source_id) DO NOTHING
RETURNING organisation_id
"""
UPDATE = f"""
UPDATE analytics_entity e SET entity_type = %s, organisation_id = v.organisation, name = v.name, code = v.code,
    url = v.url, text = v.body, data = v.data::jsonb, content_hash = v.content, search = {SEARCH},
    embedding = v.embedding::halfvec, model_version = %s, needs_update = false, updated_at = %s
FROM {COLUMNS} WHERE e.source = %s AND e.source_id = v.source_id
"""
TOUCH = "UPDATE analytics_entity SET needs_update = false, updated_at = %s WHERE id = ANY(%s)"
FOLLOW = """
UPDATE analytics_entitydemand d SET organisation_id = e.organisation_id, entity_type = e.entity_type,
    needs_update = false, refreshed_at = e.updated_at
FROM analytics_entity e WHERE e.id = d.entity_id AND d.entity_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(mine + theirs for mine, theirs in zip(self._values(), other._values(), strict=True)))

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {name}" for name, count in asdict(self).items())

    def _values(self) -> tuple[int, int, int, int]:
        return self.created, self.updated, self.unchanged, self.removed


@dataclass(frozen=True, slots=True)
class Held:
    """A row as it is, locked."""

    id: UUID
    content_hash: str
    organisation_id: UUID | None
    entity_type: str
    needs_update: bool


def refresh(
    *,
    source: str | None = None,
    source_ids: Sequence[str] = (),
    entity_ids: Sequence[UUID] = (),
    is_asked_for: bool = True,
    report: Callable[[int, int, str], None] | None = None,
) -> Counts:
    """Read these things anew: keys of a source, or entities. What is gone there is removed here.

    `is_asked_for`: also what has not changed counts as refreshed now; without it such rows are left untouched, unless
    they wait for an update. A transaction for each 500; safe to run twice at once. SourceMissing.
    """
    wanted = _by_source(source, source_ids, entity_ids)
    total, counts = sum(map(len, wanted.values())), Counts()
    done = 0
    for name, keys in wanted.items():
        found = source_named(name)
        if found is None:
            raise SourceMissing(f"There is no source of entities named {name!r}.")
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            counts += refresh_chunk(source=found, source_ids=chunk, is_asked_for=is_asked_for)
            done += len(chunk)
            if report:
                report(done, total, f"Refreshed {done:,} of {total:,}: {counts}")
    _begin_index()
    return counts


def _begin_index() -> None:
    """A site that was never indexed is, once the first of its things has changed; one that has outgrown what it was
    taught is taught anew."""
    if not StoredVocabulary.objects.exists():
        enqueue(kind=REINDEX, params={}, queue="low", dedupe_key=REINDEX)
    elif is_due():
        enqueue(kind=LEARN, params={}, queue="low", dedupe_key=LEARN)


def refresh_chunk(*, source: EntitySource, source_ids: Sequence[str], is_asked_for: bool) -> Counts:
    """As `refresh`, of at most 500 keys. The source is read before anything is locked; whose webhooks want to know of
    what has changed is written in the same transaction."""
    described = {each.source_id: each for each in source.read(source_ids)}
    hashes = {key: content_hash(each) for key, each in described.items()}
    with transaction.atomic():
        held = _lock(source.name, list({*source_ids, *described}))
        new = [each for key, each in described.items() if key not in held]
        changed = [each for key, each in described.items() if key in held and held[key].content_hash != hashes[key]]
        same = [held[key] for key in described if key in held and held[key].content_hash == hashes[key]]
        gone = [row for key, row in held.items() if key not in described]
        touched = [row for row in same if is_asked_for or row.needs_update]
        changes: dict[Key, Change] = {}
        now = timezone.now()
        _keep_totals(changes, [held[each.source_id] for each in changed], touched, gone, described, held, source)
        _remove(gone)
        _write_changed(source, changed, hashes, now)
        _touch(touched, now)
        _follow([held[each.source_id].id for each in changed] + [row.id for row in touched])
        created = _create(source, new, hashes, now)
        for organisation_id in created:
            changes.setdefault((organisation_id, source.entity_type), Change()).entities += 1
        change_totals(changes)
        live.moved_on_commit({key[0] for key in changes} | {row.organisation_id for row in touched})
        tell_updated([_named(held[each.source_id].id, source, each) for each in map(_cut, changed)])
    return Counts(len(created), len(changed), len(same), len(gone))


def _named(entity_id: UUID, source: EntitySource, each: Described) -> Named:
    return Named(each.organisation_id, entity_id, source.entity_type, each.name, each.url)


def content_hash(each: Described) -> str:
    told = [each.name, each.code, each.text, each.url, str(each.organisation_id or ""), each.data]
    body = orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def _by_source(source: str | None, source_ids: Sequence[str], entity_ids: Sequence[UUID]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    if source is not None:
        wanted[source] = list(dict.fromkeys(source_ids))
    rows = Entity.objects.filter(pk__in=list(entity_ids)).order_by("pk").values_list("source", "source_id")
    for name, key in rows if entity_ids else ():
        wanted.setdefault(name, []).append(key)
    return wanted


def _lock(source: str, source_ids: Sequence[str]) -> dict[str, Held]:
    with raw_cursor() as cursor:
        rows = cursor.execute(LOCK, [source, list(source_ids)]).fetchall()
    return {row[0]: Held(*row[1:6]) for row in rows}


def _keep_totals(
    changes: dict[Key, Change],
    changed: list[Held],
    touched: list[Held],
    gone: list[Held],
    described: dict[str, Described],
    held: dict[str, Held],
    source: EntitySource,
) -> None:
    """What leaves a key of the totals, and what joins another: with all that was asked for it."""
    staying = {row.id for row in changed}
    moving = {row.id: described[key] for key, row in held.items() if row.id in staying}
    demand = _demand_of([row.id for row in (*changed, *gone, *touched)])  # locked in one go, before any is written
    for row in (*changed, *gone):
        leaving = Change(entities=1, needing=int(row.needs_update))
        leaving.add(demand.get(row.id, Change()))
        changes.setdefault((row.organisation_id, row.entity_type), Change()).add(leaving, -1)
        if row.id in moving:
            leaving.needing = 0
            changes.setdefault((moving[row.id].organisation_id, source.entity_type), Change()).add(leaving)
    for row in touched:
        changes.setdefault((row.organisation_id, row.entity_type), Change()).needing -= int(row.needs_update)


def _demand_of(ids: list[UUID]) -> dict[UUID, Change]:
    """Locked, so that nothing is counted in between."""
    if not ids:
        return {}
    now, half_life = timezone.now(), clock().half_life_days
    with raw_cursor() as cursor:
        rows = cursor.execute(LOCK_DEMAND, [ids]).fetchall()
    return {
        entity_id: Change(queries=count, asked=1, demand=score_at(rank, now, half_life))
        for entity_id, count, rank in rows
    }


def _remove(gone: list[Held]) -> None:
    if gone:
        ids = [row.id for row in gone]
        DemandBucket.objects.filter(entity_id__in=ids).delete()
        DemandDay.objects.filter(entity_id__in=ids).delete()
        Entity.objects.filter(pk__in=ids).delete()


def _write_changed(source: EntitySource, changed: list[Described], hashes: dict[str, str], now: datetime) -> None:
    if changed:
        columns, version = _columns(changed, hashes)
        with raw_cursor() as cursor:
            cursor.execute(UPDATE, [source.entity_type, version, now, *columns, source.name])


def _create(source: EntitySource, new: list[Described], hashes: dict[str, str], now: datetime) -> list[UUID | None]:
    """Organisations of those that were made."""
    if not new:
        return []
    columns, version = _columns(new, hashes)
    with raw_cursor() as cursor:
        rows = cursor.execute(INSERT, [source.entity_type, source.name, version, now, now, *columns]).fetchall()
    return [row[0] for row in rows]


def _touch(rows: list[Held], now: datetime) -> None:
    if rows:
        with raw_cursor() as cursor:
            cursor.execute(TOUCH, [now, [row.id for row in rows]])


def _follow(ids: list[UUID]) -> None:
    if ids:
        with raw_cursor() as cursor:
            cursor.execute(FOLLOW, [ids])


def _columns(rows: Iterable[Described], hashes: dict[str, str]) -> tuple[list[list[Any]], str]:
    """Lists for COLUMNS, and the version of the embeddings."""
    told = [_cut(each) for each in rows]
    embedder = current_embedder()
    vectors: Any = embedder.encode([text_of(each.name, each.text) for each in told]) if embedder else []
    placed = [_vector(row) for row in vectors] if embedder else [None] * len(told)
    return [
        [each.source_id for each in told],
        [each.organisation_id for each in told],
        [each.name for each in told],
        [normal(each.code) for each in told],
        [each.url for each in told],
        [each.text for each in told],
        [orjson.dumps(each.data, default=str).decode() for each in told],
        [hashes[each.source_id] for each in told],
        [" ".join(words_of(f"{each.name} {each.code}")) for each in told],
        [" ".join(words_of(each.text)) for each in told],
        placed,
    ], embedder.version if embedder else ""


def _vector(row: Any) -> str | None:
    """As pgvector reads it. None: the model knows no word of the text."""
    return "[" + ",".join(f"{value:.5g}" for value in row.tolist()) + "]" if row.any() else None


def _cut(each: Described) -> Described:
    """What the columns hold; PostgreSQL's text has no NUL."""
    return Described(
        source_id=each.source_id,
        name=each.name.replace("\x00", "").strip()[:LONGEST_NAME] or each.source_id,
        text=each.text.replace("\x00", "").strip()[:LONGEST_TEXT],
        url=each.url[:LONGEST_URL],
        code=each.code.replace("\x00", ""),
        organisation_id=each.organisation_id,
        data=each.data,
    )
