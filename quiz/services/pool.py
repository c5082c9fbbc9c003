"""Fresh random quizzes without answers: drawn from pools of encoded questions, else from the tables."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import QuerySet

from accounts.models import User
from accounts.querysets import organisation_ids_of
from config.redis_access import RedisAway

from ..exceptions import BadQuiz, CategoryMissing
from ..levels import LEVELS, of_level
from ..models import Category, Question
from ..practice.asking import order_of
from . import pool_store
from .presenting import question_out
from .wanted import Wanted, note

log = structlog.get_logger(__name__)
MOST = 50
DEFAULT = 10
MOST_POOLED = 10_000  # of more, so many at random, other ones each time the pool is made (300 s): 5 MB and a second
LONGEST_NAME = 120
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """`category` by name, "" for all; `level` as in `quiz.levels`."""

    category: str = ""
    count: int = DEFAULT
    level: str = ""


def wish_of(query: Mapping[str, str]) -> Wish:
    """Of `category`, `count` and `difficulty`. BadQuiz, with what is wrong with each field."""
    errors: dict[str, list[str]] = {}
    count = query.get("count") or str(DEFAULT)
    if not (count.isascii() and count.isdigit() and 1 <= int(count[:4]) <= MOST):
        errors["count"] = [f"A number from 1 to {MOST}."]
    level = query.get("difficulty", "")
    if level and level not in LEVELS:
        errors["difficulty"] = [f"One of {', '.join(LEVELS)}, or nothing."]
    category = query.get("category", "").strip()
    if len(category) > LONGEST_NAME or "\x00" in category:
        errors["category"] = ["The name of a category."]
    if errors:
        raise BadQuiz("This quiz can't be drawn: see errors.", extra={"errors": errors})
    return Wish(category, int(count), level)


def quiz(*, user: User | AnonymousUser, wish: Wish) -> tuple[bytes, bool]:
    """An encoded quiz, and whether it came from a pool. Each call draws anew. CategoryMissing."""
    keys = pool_store.keys_of(wish.category, wish.level, organisations_of(user))
    try:
        drawn = pool_store.draw(keys, wish.count) if settings.CACHES_ENABLED else None
    except RedisAway:
        drawn = None
    if drawn is not None and drawn.questions is not None:
        return encoded_quiz(drawn.questions), True
    try:
        questions = _from_tables(user, wish)
    except BaseException:
        _let_go(keys, drawn)
        raise
    if drawn is not None and drawn.is_mine:
        threading.Thread(target=_make, args=(user, wish, keys, drawn), name="quiz-pool", daemon=True).start()
    return encoded_quiz(questions), False


def encoded_quiz(questions: list[bytes]) -> bytes:
    """`{"count", "questions"}` of encoded questions."""
    return b'{"count":%d,"questions":[%b]}' % (len(questions), b",".join(questions))


def fill(*, user: User | AnonymousUser, wish: Wish, keys: list[str], drawn: pool_store.Drawn) -> bool:
    """Make the pool that `drawn` holds the lock of; whether it was kept. RedisAway."""
    return pool_store.keep(keys, drawn, list(_encoded(_drawn_ids(user, wish, MOST_POOLED))))


def _make(user: User | AnonymousUser, wish: Wish, keys: list[str], drawn: pool_store.Drawn) -> None:
    """In a thread of its own: whoever missed the pool does not wait for all of its questions."""
    try:
        organisations = organisations_of(user)
        note(Wanted(wish.category, wish.level, organisations, str(user.pk) if organisations else ""))
        fill(user=user, wish=wish, keys=keys, drawn=drawn)
    except RedisAway:
        return  # the lock passes
    except Exception:
        log.exception("quiz.pool_failed", category=wish.category, level=wish.level)
        _let_go(keys, drawn)
    finally:
        connection.close()


def _let_go(keys: list[str], drawn: pool_store.Drawn | None) -> None:
    try:
        if drawn is not None and drawn.is_mine:
            pool_store.release(keys, drawn)
    except RedisAway:
        return


def organisations_of(user: User | AnonymousUser) -> str:
    if not user.is_authenticated:
        return ""
    return ",".join(sorted(pk.hex for (pk,) in organisation_ids_of(user).values_list("organisation_id")))


def _rows(user: User | AnonymousUser, wish: Wish) -> QuerySet[Question]:
    """CategoryMissing."""
    rows = Question.objects.visible_to(user).live().filter(of_level(wish.level, "current__"))
    if wish.category:
        found = list(Category.objects.visible_to(user).filter(name=wish.category).values_list("pk", flat=True))
        if not found:
            raise CategoryMissing(
                f"There is no category called “{wish.category}”. Names are told by /api/quiz/categories."
            )
        rows = rows.filter(category__in=found)
    return rows.order_by()


def _from_tables(user: User | AnonymousUser, wish: Wish) -> list[bytes]:
    questions = list(_encoded(_drawn_ids(user, wish, wish.count)))
    random.shuffle(questions)  # they come as they lie in the table
    return questions


def _drawn_ids(user: User | AnonymousUser, wish: Wish, most: int) -> list[UUID]:
    """Before their texts, which sorting at random would read all of. CategoryMissing."""
    return list(_rows(user, wish).order_by("?").values_list("pk", flat=True)[:most])


def _encoded(ids: Sequence[UUID]) -> Iterable[bytes]:
    for start in range(0, len(ids), AT_ONCE):
        chunk = Question.objects.filter(pk__in=ids[start : start + AT_ONCE]).select_related("current", "category")
        for question in chunk:
            yield orjson.dumps(public_question(question))


def public_question(question: Question) -> dict[str, Any]:
    """What anyone who may see the question is told of it, and nothing that tells its answer."""
    version = question.current
    assert version is not None
    shown = order_of(version.kind, version.body, str(version.pk))
    return {"id": str(question.pk), "category": question.category.name, **question_out(version, shown)}
