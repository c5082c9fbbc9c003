"""Clauses by number and by words; and which of them are asked for most, counted in Redis and written by a job."""

from __future__ import annotations

from typing import Any, TypedDict, cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection, transaction
from django.db.models import Case, F, IntegerField, Q, Value, When

from accounts.models import User
from config import cache
from config.redis_access import RedisAway, ask, key

from ..exceptions import BadQuiz
from ..models import Clause
from .pool import organisations_of

MOST = 20
LONGEST = 100
WARM = 20
EXCERPT = 300


class FoundClause(TypedDict):
    id: str
    standard: str
    edition: str
    number: str
    title: str
    excerpt: str


def search_clauses(*, user: User | AnonymousUser, q: str, is_counted: bool = True) -> list[FoundClause]:
    """At most 20: the clause of this number, those whose number begins with it, then the best by words.

    Of current editions. Cached. The first hit counts as asked for, unless words are only half typed (`is_counted`).
    BadQuiz: nothing was asked, or too much.
    """
    words = " ".join(q.split())
    if not words or len(words) > LONGEST or "\x00" in words:
        raise BadQuiz(
            "This search can't be made: see errors.", extra={"errors": {"q": [f"1 to {LONGEST} characters."]}}
        )
    mine = organisations_of(user)
    found = cache.get_or_set("clauses", (words.lower(), mine), lambda: _search(user, words))
    if found and is_counted:
        asked_for(found[0]["id"])
    return found


def asked_for(clause_id: str) -> None:
    """Counted in Redis; without it, not at all."""
    try:
        ask(lambda client: client.zincrby(_asked_key(), 1, str(UUID(clause_id))))
    except RedisAway:
        return


def count_popularity() -> int:
    """Write what was asked for since the last time, and keep the searches for the 20 most asked for warm; how many
    clauses were counted. Several at once count each asking once. RedisAway."""
    taken = key("quiz-asked", "taken")
    ask(lambda client: _take(client, taken))
    told: list[tuple[bytes, float]] = ask(lambda client: cast(Any, client.zrange(taken, 0, -1, withscores=True)))
    counts = {name.decode(): int(times) for name, times in told}
    if counts:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE quiz_clause SET popularity = popularity + told.times"
                " FROM unnest(%s::uuid[], %s::int[]) AS told (id, times) WHERE quiz_clause.id = told.id",
                [list(counts), list(counts.values())],
            )
        ask(lambda client: client.delete(taken))
    warm()
    return len(counts)


def warm() -> int:
    """Have the searches for the numbers of the most asked for clauses ready for anybody; how many."""
    anyone = AnonymousUser()
    popular = Clause.objects.visible_to(anyone).filter(popularity__gt=0, edition__is_current=True)
    numbers = list(popular.order_by("-popularity").values_list("number", flat=True)[:WARM])
    for number in numbers:
        cache.forget("clauses", number.lower(), "")
        cache.get_or_set("clauses", (number.lower(), ""), lambda number=number: _search(anyone, number))  # type: ignore[misc]
    return len(numbers)


def _take(client: Any, taken: str) -> None:
    """What was taken and not yet written comes first: a run that died loses nothing."""
    if not client.exists(taken) and client.exists(_asked_key()):
        client.rename(_asked_key(), taken)


def _asked_key() -> str:
    return key("quiz-asked", "counting")


def _search(user: User | AnonymousUser, words: str) -> list[FoundClause]:
    number = words.rstrip(".").removeprefix("§").strip()
    query = SearchQuery(words, config="english", search_type="websearch") | SearchQuery(words, config="simple")
    place = Case(
        When(number=number, then=Value(0)),
        When(number__startswith=number, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    rows = (
        Clause.objects.visible_to(user)
        .filter(Q(number__startswith=number) | Q(search=query), edition__is_current=True)
        .annotate(place=place, rank=SearchRank(F("search"), query))
        .select_related("edition__standard")
        .order_by("place", "-rank", "edition", "position")[:MOST]
    )
    return [_told(clause) for clause in rows]


def _told(clause: Clause) -> FoundClause:
    return {
        "id": str(clause.pk),
        "standard": clause.edition.standard.code,
        "edition": clause.edition.name,
        "number": clause.number,
        "title": clause.title,
        "excerpt": clause.text[:EXCERPT],
    }
