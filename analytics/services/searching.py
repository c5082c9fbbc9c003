"""Search over all entities: exact codes and names first, then words and meaning, fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.querysets import read_organisation_ids

from ..exceptions import BadQuestion
from ..models import Entity
from ..registry import sources
from ..search.codes import normal, readings
from ..search.fusion import fused
from ..search.passages import Piece, best_passage, marked
from ..search.words import asked_words, words_of
from .candidates import Asked, Seen, by_code, by_meaning, by_words, understood
from .vocabularies import vocabulary_of

LONGEST = 300  # characters of a search
MOST = 50
EXCERPT = 240


@dataclass(frozen=True, slots=True)
class Hit:
    """`score`: of the fusion, for ordering only. `covered`: the share of the question, by weight, that it holds."""

    id: UUID
    entity_type: str
    type_label: str
    name: str
    code: str
    url: str
    excerpt: str
    is_exact: bool
    score: float
    covered: float
    alike: float  # cosine of the meanings; 0 where none was compared
    name_pieces: list[Piece] = field(default_factory=list)
    excerpt_pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """`retrieval`: how it was found: "code + words + meaning". `is_capped`: there may be more than `count`."""

    hits: list[Hit]
    count: int
    is_capped: bool
    retrieval: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class Place:
    """Where each of the three ways put an entity."""

    exact: frozenset[UUID]
    alike: dict[UUID, float]


def search(
    *,
    user: User | AnonymousUser,
    q: str,
    entity_type: str = "",
    limit: int = 20,
    is_half_typed: bool = False,
) -> Found:
    """What the user may see, best first. `is_half_typed`: the last word may go on. BadQuestion."""
    question = cleaned(q, longest=LONGEST)
    return found_for(seen=seen_by(user, entity_type), question=question, limit=limit, is_half_typed=is_half_typed)


def cleaned(q: str, *, longest: int) -> str:
    """BadQuestion: empty, too long, or with characters that no text has."""
    question = " ".join(q.split())
    if not question or len(question) > longest or "\x00" in question:
        raise BadQuestion(
            "This can't be asked: see errors.", extra={"errors": {"q": [f"1 to {longest:,} characters, no NUL."]}}
        )
    return question.encode("utf-8", "replace").decode()


def seen_by(user: User | AnonymousUser, entity_type: str = "") -> Seen:
    """Members see shared entities and their organisations'. Callers who are not signed in see shared entities of
    sources that are public."""
    if not user.is_authenticated:
        public = tuple(source.name for source in sources() if source.is_public)
        return Seen((), entity_type, public)
    return Seen(read_organisation_ids(user), entity_type)


def found_for(*, seen: Seen, question: str, limit: int, is_half_typed: bool = False) -> Found:
    vocabulary = vocabulary_of(seen.organisation_ids)
    asked = understood(asked_words(question), vocabulary, is_half_typed=is_half_typed)
    coded = by_code(readings(question), seen)
    worded, is_capped = by_words(asked, vocabulary, seen)
    meant = by_meaning(question, seen)
    exact = _exact(question, coded, [key for key, _ in worded[:20]])
    order = fused([[key for key, _ in worded], [key for key, _ in meant]], first=exact)
    places = Place(frozenset(exact), dict(meant))
    ways = {"code": bool(coded), "words": bool(worded), "meaning": bool(meant)}
    hits = _hits(order[:limit], asked, places)
    return Found(
        hits=hits,
        count=len(order),
        is_capped=is_capped,
        retrieval=" + ".join(way for way, was_used in ways.items() if was_used) or "nothing",
        asked=asked,
    )


def _exact(question: str, coded: Sequence[tuple[UUID, str]], worded: Sequence[UUID]) -> list[UUID]:
    """Those whose code was named, among them first whose name holds more of the question; and whose name it is."""
    said, whole = set(words_of(question)), normal(question)
    keys = [key for key, _ in coded]
    rows = dict(Entity.objects.filter(pk__in=[*keys, *worded]).values_list("pk", "name"))
    named = [key for key in worded if key not in keys and normal(rows.get(key, "")) == whole]
    codes = {key: place for place, (key, _) in enumerate(coded)}
    best = {code: place for place, code in reversed(list(enumerate(dict.fromkeys(code for _, code in coded))))}
    rank = {key: best[code] for key, code in coded}
    keys.sort(key=lambda key: (rank[key], -len(said & set(words_of(rows.get(key, "")))), codes[key]))
    return [*named, *keys]


def _hits(order: Sequence[tuple[UUID, float]], asked: Asked, places: Place) -> list[Hit]:
    rows = Entity.objects.defer("data", "search", "embedding").in_bulk([key for key, _ in order])
    labels = {source.entity_type: source.label for source in sources()}
    return [
        _hit(rows[key], score, asked, places, labels) for key, score in order if key in rows
    ]  # what was removed meanwhile is left out


def _hit(row: Entity, score: float, asked: Asked, places: Place, labels: dict[str, str]) -> Hit:
    excerpt = best_passage(row.text, asked.weights, length=EXCERPT)
    return Hit(
        id=row.pk,
        entity_type=row.entity_type,
        type_label=labels.get(row.entity_type, row.entity_type),
        name=row.name,
        code=row.code,
        url=row.url,
        excerpt=excerpt,
        is_exact=row.pk in places.exact,
        score=round(score, 6),
        covered=round(covered_share(f"{row.name} {row.code} {row.text}", asked), 4),
        alike=round(places.alike.get(row.pk, 0.0), 4),
        name_pieces=marked(row.name, asked.stems),
        excerpt_pieces=marked(excerpt, asked.stems),
    )


def covered_share(text: str, asked: Asked) -> float:
    """How much of the question's weight the text holds, 0 to 1."""
    whole = sum(asked.weights[word] for word in asked.words)
    held = set(words_of(text))
    got = sum(
        asked.weights[word] for word in asked.words if word in held or held.intersection(asked.others.get(word, ()))
    )
    return got / whole if whole else 0.0
