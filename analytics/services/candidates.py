"""What a search looks at closely: by code, by words, by meaning. A few hundred rows, however many there are.

Of words that few entities hold, all that hold them; of a word that is everywhere, those asked for most: ranking every
match of a common word took 84 ms at 100,000 texts, ranking 500 takes 3 (2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from ..search.vocabulary import Vocabulary
from . import embeddings

MOST = 1000  # by words that are not everywhere
MOST_COMMON = 500  # of words that are
COMMON_FROM = 2000  # entities that hold a word; or
COMMON_SHARE = 0.05  # of all
MOST_WORDS = 16  # of a question: the rarest
MOST_MEANT = 50
LEAST_MEANT = 0.2  # cosine: below it nothing is alike

# Per word how well it is held (weights of places, over the logarithm of the length), times how rare it is.
RANK = "ts_rank('{{0.1, 0.2, 0.5, 1}}', search, %s::tsquery, 1) * %s::float8"
WORDS = """
SELECT id, {score} + CASE WHEN search @@ %s::tsquery THEN %s ELSE 0 END
    + CASE WHEN search @@ %s::tsquery THEN %s ELSE 0 END AS score
FROM (SELECT id, search FROM analytics_entity WHERE search @@ %s::tsquery AND {seen} {order} LIMIT %s) AS found
ORDER BY score DESC, id LIMIT 200
"""
MEANT = """
SELECT id, 1 - (embedding <=> %s::halfvec) FROM analytics_entity
WHERE model_version = %s AND embedding IS NOT NULL AND {seen} ORDER BY embedding <=> %s::halfvec LIMIT %s
"""
CODES = "SELECT id, code FROM analytics_entity WHERE code = ANY(%s) AND code <> '' AND {seen} LIMIT 200"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the asker may see, and narrowed to a type: SQL with its parameters. Every statement here is filtered by it.

    `sources`: of callers who are not signed in, whose shared entities they may see; None: all.
    """

    organisation_ids: tuple[UUID, ...]
    entity_type: str = ""
    sources: tuple[str, ...] | None = None

    @property
    def sql(self) -> str:
        parts = ["(organisation_id IS NULL OR organisation_id = ANY(%s))" if self.organisation_ids else
                 "organisation_id IS NULL"]  # fmt: skip
        if self.entity_type:
            parts.append("entity_type = %s")
        if self.sources is not None:
            parts.append("source = ANY(%s)")
        return " AND ".join(parts)

    @property
    def params(self) -> list[Any]:
        found: list[Any] = [list(self.organisation_ids)] if self.organisation_ids else []
        if self.entity_type:
            found.append(self.entity_type)
        if self.sources is not None:
            found.append(list(self.sources))
        return found


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's words: each with what else may be meant by it (what it begins, what it may be a typo of)."""

    words: list[str]
    others: dict[str, list[str]]
    weights: dict[str, float] = field(default_factory=dict)

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(self.words).union(*self.others.values())


def understood(words: Sequence[str], vocabulary: Vocabulary, *, is_half_typed: bool) -> Asked:
    """`is_half_typed`: the last word may go on. A word that nobody uses may be a typo."""
    others: dict[str, list[str]] = {}
    for word in words:
        if word not in vocabulary.counts:
            others[word] = vocabulary.near(word)
    if is_half_typed and words:
        others[words[-1]] = list(dict.fromkeys([*vocabulary.beginning_with(words[-1]), *others.get(words[-1], [])]))
    kept = {word: tuple(found) for word, found in others.items() if found}
    weights = {word: vocabulary.weight(word) for word in words}
    for word, found in kept.items():  # not as rare as a word that nobody uses, but as what was meant
        weights[word] = max(vocabulary.weight(other) for other in found)
        weights.update({other: weights[word] * 0.9 for other in found if other not in weights})
    rarest = sorted(words, key=lambda word: -weights[word])[:MOST_WORDS]
    return Asked(
        [word for word in words if word in rarest], {word: list(found) for word, found in kept.items()}, weights
    )


def by_words(asked: Asked, vocabulary: Vocabulary, seen: Seen) -> tuple[list[tuple[UUID, float]], bool]:
    """(entity, score) best first, at most 200; and whether there may be more than were looked at."""
    if not asked.words:
        return [], False
    bound = max(COMMON_FROM, COMMON_SHARE * vocabulary.documents)
    rare = [word for word in asked.words if _held_by(word, asked, vocabulary) <= bound]
    looked_for = " | ".join(_query(word, asked) for word in rare or asked.words)
    score = " + ".join([RANK.format()] * len(asked.words))
    all_of = " & ".join(_query(word, asked) for word in asked.words)
    in_a_row = " <-> ".join(_query(word, asked) for word in asked.words)
    whole = sum(asked.weights[word] for word in asked.words)
    limit = MOST if rare else MOST_COMMON
    params: list[Any] = []
    for word in asked.words:
        params += [_query(word, asked), asked.weights[word]]
    params += [all_of, 0.1 * whole, in_a_row, 0.2 * whole, looked_for, *seen.params, limit]
    order = "" if rare else "ORDER BY demand_score DESC, id"
    with connection.cursor() as cursor:
        cursor.execute(WORDS.format(score=score, seen=seen.sql, order=order), params)
        rows = cursor.fetchall()
    return [(row[0], float(row[1])) for row in rows], len(rows) >= 200


def by_meaning(question: str, seen: Seen) -> list[tuple[UUID, float]]:
    """(entity, cosine) best first, at most 50; [] where no model is fitted, or it knows no word of the question."""
    embedder = embeddings.current_embedder()
    if embedder is None:
        return []
    vector = embedder.encode([question])[0]
    if not vector.any():
        return []
    told = "[" + ",".join(f"{value:.5g}" for value in vector.tolist()) + "]"
    with transaction.atomic(), connection.cursor() as cursor:
        # A filter would leave the index with less than was asked for. Nothing is set for good.
        cursor.execute("SET LOCAL hnsw.iterative_scan = 'relaxed_order'")
        cursor.execute(MEANT.format(seen=seen.sql), [told, embedder.version, *seen.params, told, MOST_MEANT])
        rows = cursor.fetchall()
    return sorted(((row[0], float(row[1])) for row in rows if row[1] >= LEAST_MEANT), key=lambda row: -row[1])


def by_code(codes: Sequence[str], seen: Seen) -> list[tuple[UUID, str]]:
    """(entity, code) in the order of the codes."""
    if not codes:
        return []
    with connection.cursor() as cursor:
        cursor.execute(CODES.format(seen=seen.sql), [list(codes), *seen.params])
        rows = cursor.fetchall()
    return sorted(((row[0], row[1]) for row in rows), key=lambda row: codes.index(row[1]))


def _held_by(word: str, asked: Asked, vocabulary: Vocabulary) -> int:
    return sum(vocabulary.counts.get(each, 0) for each in (word, *asked.others.get(word, ())))


def _query(word: str, asked: Asked) -> str:
    """As a tsquery; words are letters and digits only, quoted all the same."""
    each = [f"'{one.replace(chr(39), '')}'" for one in (word, *asked.others.get(word, ()))]
    return each[0] if len(each) == 1 else f"({' | '.join(each)})"
