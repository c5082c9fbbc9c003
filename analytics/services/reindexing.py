"""All entities anew, from all sources; and the words they are made of, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organisation, User
from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import SourceMissing
from ..models import Entity, StoredVocabulary
from ..registry import EntitySource, source_named, sources
from ..search.vocabulary import packed
from . import embeddings
from .entities import CHUNK, LEARN, REINDEX, Counts, refresh_chunk

Report = Callable[[int, int, str], None]

SEEN = "CREATE TEMPORARY TABLE IF NOT EXISTS analytics_seen (source_id text PRIMARY KEY)"
SEE = "INSERT INTO analytics_seen SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
# Not what was made meanwhile. By key, so that no cursor is held.
UNSEEN = """
SELECT source_id FROM analytics_entity e WHERE source = %s AND created_at < %s AND source_id > %s
    AND NOT EXISTS (SELECT FROM analytics_seen s WHERE s.source_id = e.source_id)
ORDER BY source_id LIMIT %s
"""
FORGOTTEN = "SELECT DISTINCT source FROM analytics_entity WHERE NOT source = ANY(%s)"


def start_reindex(*, actor: User, source: str | None = None) -> Job:
    """Queue it; the one that is under way already, if there is one. SourceMissing."""
    if source is not None and source_named(source) is None:
        raise SourceMissing(f"There is no source named {source!r}.")
    params = {"source": source} if source else {}
    return enqueue(kind=REINDEX, params=params, actor=actor, dedupe_key=":".join(filter(None, (REINDEX, source))))


def start_fitting(*, actor: User) -> Job:
    """As `start_reindex`."""
    return enqueue(kind=LEARN, params={}, actor=actor, dedupe_key=LEARN)


def reindex(*, source: str | None = None, report: Report | None = None) -> Counts:
    """Read everything anew, of one source or of all; what has not changed is left untouched, what is gone is removed.

    In constant memory, a transaction for each 500. Stopped half way it has done half, and begun again it passes over
    that fast: unchanged things are compared, not written. SourceMissing.
    """
    if source is not None and source_named(source) is None:
        known = ", ".join(each.name for each in sources())
        raise SourceMissing(f"There is no source named {source!r}. There are: {known}.")
    wanted = [each for each in sources() if source in (None, each.name)]
    expected = Entity.objects.filter(source__in=[each.name for each in wanted]).count()
    counts = Counts()
    for each in wanted:
        counts = _reindex(each, counts, expected, report)
    if source is None:
        remove_forgotten()
    count_words()
    if embeddings.is_due():
        embeddings.fit_embedding(report=report)
    else:
        embeddings.embed_missing(report=report)
    return counts


def learn(*, report: Report | None = None) -> str:
    """Count the words of what there is and fit a model on it; the model's version, "" where there is too little."""
    count_words()
    return embeddings.fit_embedding(report=report)


def _reindex(source: EntitySource, counts: Counts, expected: int, report: Report | None) -> Counts:
    began_at = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(SEEN)
        cursor.execute("TRUNCATE analytics_seen")
    for keys in _chunks(source.keys()):
        with connection.cursor() as cursor:
            cursor.execute(SEE, [keys])
        counts += refresh_chunk(source=source, source_ids=keys, is_asked_for=False)
        _tell(report, counts, expected, source)
    after = ""
    while keys := _unseen(source.name, began_at, after):
        counts += refresh_chunk(source=source, source_ids=keys, is_asked_for=False)  # reads again: none goes by mistake
        _tell(report, counts, expected, source)
        after = keys[-1]
    return counts


def remove_forgotten() -> int:
    """Remove what is of sources that are no longer registered; how many."""
    with connection.cursor() as cursor:
        cursor.execute(FORGOTTEN, [[each.name for each in sources()]])
        names = [row[0] for row in cursor.fetchall()]
    removed = 0
    for name in names:
        nothing = EntitySource(name=name, entity_type="", label="", read=lambda keys: (), keys=lambda: iter(()))
        while keys := list(Entity.objects.filter(source=name).values_list("source_id", flat=True)[:CHUNK]):
            removed += refresh_chunk(source=nothing, source_ids=keys, is_asked_for=False).removed
    return removed


def count_words() -> int:
    """Count anew which words entities hold, the shared ones and each organisation's own; how many vocabularies."""
    owners: list[UUID | None] = [None, *Entity.objects.order_by().values_list("organisation", flat=True).distinct()]
    for owner in dict.fromkeys(owners):
        _count_words(owner)
    StoredVocabulary.objects.exclude(organisation=None).exclude(
        organisation__in=[owner for owner in owners if owner]
    ).delete()
    return len(dict.fromkeys(owners))


def _count_words(owner: UUID | None) -> None:
    whose = "IS NULL" if owner is None else f"= ''{owner}''"
    documents = Entity.objects.filter(organisation=owner).count()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT word, ndoc FROM ts_stat('SELECT search FROM analytics_entity WHERE organisation_id {whose}')"
        )
        words = packed(dict(cursor.fetchall()))
    organisation = Organisation.objects.get(pk=owner) if owner else None
    StoredVocabulary.objects.update_or_create(
        organisation=organisation, defaults={"documents": documents, "words": words, "counted_at": timezone.now()}
    )


def _unseen(source: str, before: Any, after: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(UNSEEN, [source, before, after, CHUNK])
        return [row[0] for row in cursor.fetchall()]


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    walking = iter(keys)
    while chunk := list(islice(walking, CHUNK)):
        yield chunk


def _tell(report: Report | None, counts: Counts, expected: int, source: EntitySource) -> None:
    if report:
        done = counts.created + counts.updated + counts.unchanged + counts.removed
        report(done, max(expected, done + 1), f"{source.label}: {counts}")
