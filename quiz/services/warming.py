"""Pools made before anybody asks: soon after a bank was read, whoever comes first draws from one."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count

from accounts.models import User
from jobs.services import enqueue

from ..exceptions import CategoryMissing
from ..models import Question, SyncRun
from . import pool, pool_store
from .wanted import Wanted, most_wanted

MOST = 20  # pools
LONGEST_S = 60.0  # what is not made by then whoever asks first makes
KIND = "quiz.warm"


def after(run: SyncRun) -> None:
    """By a job, once what the run has written is committed, and so the pools are stale."""
    if run.is_dry or not (run.created or run.updated or run.retired) or not settings.CACHES_ENABLED:
        return
    enqueue(kind=KIND, params={}, queue="low", dedupe_key=KIND)


def warm(*, report: Callable[[int, int, str], None] | None = None) -> int:
    """Make those pools most asked for that are stale, one after the other; how many were made. RedisAway.

    Goes over them until none is stale: another run may have ended meanwhile, whose job is this one.
    """
    until = time.monotonic() + LONGEST_S
    made, left = 0, True
    while left:
        left = False
        pools = _pools()
        for at, wanted in enumerate(pools):
            if time.monotonic() > until:
                return made
            is_made = _make(wanted)
            made, left = made + is_made, left or is_made
            if report:
                report(at + 1, len(pools), f"{made} made")
    return made


def _pools() -> list[Wanted]:
    """What was asked for lately; then the largest categories, for a site that nobody has asked yet."""
    found = {each.pool: each for each in most_wanted()[:MOST]}
    anybody = Question.objects.visible_to(AnonymousUser()).live()
    largest = anybody.values("category__name").annotate(count=Count("pk")).order_by("-count", "category__name")
    for name in ["", *largest.values_list("category__name", flat=True)[:MOST]]:
        found.setdefault((name, "", ""), Wanted(name, ""))
    return list(found.values())[:MOST]


def _make(wanted: Wanted) -> bool:
    """False: it is fresh, somebody else makes it, or there is nobody and nothing to make it for any more."""
    user = _who(wanted)
    if user is None:
        return False
    wish = pool.Wish(wanted.category, level=wanted.level)
    keys = pool_store.keys_of(*wanted.pool)
    drawn = pool_store.draw(keys, 1)
    if not drawn.is_mine:
        return False
    try:
        return pool.fill(user=user, wish=wish, keys=keys, drawn=drawn)
    except BaseException as error:
        pool_store.release(keys, drawn)
        if isinstance(error, CategoryMissing):
            return False
        raise


def _who(wanted: Wanted) -> User | AnonymousUser | None:
    if not wanted.organisations:
        return AnonymousUser()
    user = User.objects.filter(pk=wanted.user_id).first()
    is_in = user is not None and user.is_active and pool.organisations_of(user) == wanted.organisations
    return user if is_in else None
