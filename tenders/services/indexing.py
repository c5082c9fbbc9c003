"""The index of tenders, for search: written after an import, apart from it, since words cost more than all the rest."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from django.db import connection, connections, transaction

from .wording import folded

CHUNK = 1000
WRITERS = 2  # the server makes the words; more than it has cores would only wait
LONGEST = 100_000  # characters of a description: a vector holds one megabyte
FIRST = UUID(int=0)
Row = tuple[UUID, str, str | None, str | None, str | None, str | None]
_COLUMNS = (
    "source_id, country, cpv_main, buyer_name, status, value_amount, value_currency, published_at, deadline_at, "
    "created_at"
)
# Texts in plain letters are left with the server, whose words have no capitals anyway: only the others need folding.
_FOLDED = ", ".join(
    f"CASE WHEN octet_length({name}) <> length({name}) THEN left({name}, {LONGEST}) END"
    for name in ("title", "buyer_name", "key", "description")
)
_TAKE = f"""
SELECT id, content_hash, {_FOLDED} FROM tenders_unindexed JOIN tenders_tender ON id = tender_id
WHERE tender_id > %s ORDER BY tender_id LIMIT %s
"""  # noqa: S608 - our own constants
# The tender is held meanwhile: who changes it waits, and takes it out of the index again (migrations/0006_index). One
# that is being changed right now, or has been since it was read, is left to whoever changes it.
_GIVE = f"""
WITH held AS MATERIALIZED (
  SELECT id, {_COLUMNS}, title, key, description, a, buyer, b, c
  FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS given (given_id, content, a, buyer, b, c)
  JOIN tenders_tender t ON t.id = given_id AND t.content_hash = content FOR SHARE OF t SKIP LOCKED),
worded AS (
  SELECT *, to_tsvector('simple', coalesce(buyer, buyer_name)) AS of_buyer FROM held),
made AS (
  INSERT INTO tenders_tenderindex (tender_id, {_COLUMNS}, words, buyer_words)
  SELECT id, {_COLUMNS}, setweight(to_tsvector('simple', coalesce(a, title)), 'A') || setweight(of_buyer, 'B')
    || setweight(to_tsvector('simple', coalesce(b, key)), 'B')
    || setweight(to_tsvector('simple', coalesce(c, left(description, {LONGEST}))), 'C'), of_buyer
  FROM worded ON CONFLICT (tender_id) DO NOTHING)
DELETE FROM tenders_unindexed WHERE tender_id IN (SELECT id FROM held)
"""  # noqa: S608 - our own constants
# By key, row by row: a table that was filled a moment ago is not analysed yet, and would be read whole for each chunk.
# Without waiting for the disk: what a server that loses power forgets is not indexed, and still waits for it.
_HOW = (
    "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; "
    "SET LOCAL synchronous_commit = off"
)


def index_words(*, report: Callable[[int, int, str], None] | None = None) -> int:
    """Index the tenders that are not yet; how many. Safe to run twice at once, and to be stopped: it goes on."""
    count = 0
    for done in _indexed(_chunks()):
        count += done
        if report:
            report(count, 0, f"Indexed the words of {count:,} tenders")
    return count


def _chunks() -> Iterator[list[Row]]:
    """On from the last chunk's end: the index still leads to what has left the table, which would be passed over."""
    rows: list[Row] = []
    while not rows or len(rows) == CHUNK:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_HOW)
            cursor.execute(_TAKE, [rows[-1][0] if rows else FIRST, CHUNK])
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
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(_writer()) for _ in range(WRITERS)]
        under_way: list[Future[int]] = []
        for number, rows in enumerate(itertools.chain([first], chunks)):
            under_way.append(writers[number % WRITERS].submit(_index, rows))
            if len(under_way) > WRITERS:
                yield under_way.pop(0).result()
        for future in under_way:
            yield future.result()


@contextlib.contextmanager
def _writer() -> Iterator[ThreadPoolExecutor]:
    """One thread, whose connection ends with it."""
    with ThreadPoolExecutor(1, thread_name_prefix="tenders-words") as writer:
        try:
            yield writer
        finally:
            writer.submit(connections.close_all).result()


def _index(rows: list[Row]) -> int:
    ids, contents, *texts = zip(*rows, strict=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HOW)
        plain = ([text and folded(text) for text in column] for column in texts)
        cursor.execute(_GIVE, [list(ids), list(contents), *plain])
        return int(cursor.rowcount)
