"""The words of tenders, for search: built after an import, apart from it, since they cost more than all the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from django.db import connection, connections, transaction

from .wording import folded

CHUNK = 1000
WRITERS = 2  # the server makes the words; more than it has cores would only wait
LONGEST = 100_000  # characters of a description: a vector holds one megabyte
FIRST = UUID(int=0)
Row = tuple[UUID, str, str, str, str]
# On from the last chunk's end: the index still leads to what was indexed before, which would be passed over each time.
_TAKE = """
SELECT id, content_hash, title, buyer_name || ' ' || key, left(description, %s) FROM tenders_tender
WHERE search IS NULL AND id > %s ORDER BY id LIMIT %s
"""
# Without locks: a tender that has changed since it was read stays without words, for whoever changed it.
_GIVE = """
UPDATE tenders_tender t SET search = setweight(to_tsvector('simple', words.a), 'A')
    || setweight(to_tsvector('simple', words.b), 'B') || setweight(to_tsvector('simple', words.c), 'C')
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[]) AS words (id, content, a, b, c)
WHERE t.id = words.id AND t.content_hash = words.content
"""
# By key, row by row: a table that was filled a moment ago is not analysed yet, and would be read whole for each chunk.
_BY_KEY = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off"


def index_words(*, report: Callable[[int, int, str], None] | None = None) -> int:
    """Index the tenders that are not yet; how many. Safe to run twice at once."""
    count = 0
    for done in _indexed(_chunks()):
        count += done
        if report:
            report(count, 0, f"Indexed the words of {count:,} tenders")
    return count


def _chunks() -> Iterator[list[Row]]:
    rows: list[Row] = []
    while not rows or len(rows) == CHUNK:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_BY_KEY)
            cursor.execute(_TAKE, [LONGEST, rows[-1][0] if rows else FIRST, CHUNK])
            rows = cursor.fetchall()
        if not rows:
            return
        yield rows


def _indexed(chunks: Iterator[list[Row]]) -> Iterator[int]:
    """How many of each chunk were indexed. A few are done here and now, many by connections of their own."""
    first = next(chunks, [])
    if len(first) < CHUNK:
        yield _index(first) if first else 0
        return
    with ThreadPoolExecutor(WRITERS, thread_name_prefix="tenders-words") as writers:
        under_way: list[Future[int]] = [writers.submit(_index_apart, first)]
        for rows in chunks:
            under_way.append(writers.submit(_index_apart, rows))
            if len(under_way) > WRITERS:
                yield under_way.pop(0).result()
        for future in under_way:
            yield future.result()


def _index_apart(rows: list[Row]) -> int:
    try:
        return _index(rows)
    finally:
        connections.close_all()


def _index(rows: list[Row]) -> int:
    ids, contents, *texts = zip(*rows, strict=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BY_KEY)
        cursor.execute(_GIVE, [list(ids), list(contents), *([folded(text) for text in column] for column in texts)])
        return int(cursor.rowcount)
