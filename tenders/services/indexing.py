"""The words of tenders, for search: built after an import, apart from it, since COPY into an indexed vector takes ten
times as long."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection, transaction

from .wording import folded

CHUNK = 1000
LONGEST = 100_000  # characters of a description: a vector holds one megabyte
_TAKE = """
SELECT id, title, buyer_name || ' ' || key, left(description, %s) FROM tenders_tender
WHERE search IS NULL LIMIT %s FOR UPDATE SKIP LOCKED
"""
_GIVE = """
UPDATE tenders_tender t SET search = setweight(to_tsvector('simple', words.a), 'A')
    || setweight(to_tsvector('simple', words.b), 'B') || setweight(to_tsvector('simple', words.c), 'C')
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS words (id, a, b, c) WHERE t.id = words.id
"""


def index_words(*, report: Callable[[int, int, str], None] | None = None) -> int:
    """Index the tenders that are not yet; how many. Safe to run twice at once: rows are shared between the two."""
    count = 0
    while done := _index_some():
        count += done
        if report:
            report(count, 0, f"Indexed the words of {count:,} tenders")
    return count


def _index_some() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, [LONGEST, CHUNK])
        taken = cursor.fetchall()
        if taken:
            ids, *texts = zip(*taken, strict=True)
            cursor.execute(_GIVE, [list(ids), *([folded(text) for text in column] for column in texts)])
    return len(taken)
