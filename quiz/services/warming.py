"""Pools made before anybody asks: after a bank was read, whoever comes first draws from one."""

from __future__ import annotations

import time

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Count

from accounts.models import User
from config.redis_access import RedisAway

from ..exceptions import CategoryMissing
from ..models import Question, SyncRun
from . import pool, pool_store
from .wanted import Wanted, most_wanted

log = structlog.get_logger(__name__)
MOST = 20  # pools
LONGEST_S = 20.0  # a run is not held up by more pools than are made in this time


def after(run: SyncRun) -> None:
    """Once what the run has written is committed, and so the pools are stale. Whatever happens, the run has ended."""
    if run.is_dry or not (run.created or run.updated or run.retired) or not settings.CACHES_ENABLED:
        return
    transaction.on_commit(_warm_quietly)


def warm() -> int:
    """Make those pools most asked for that are stale, one after the other; how many were made. RedisAway."""
    until = time.monotonic() + LONGEST_S
    made = 0
    for wanted in _pools():
        if time.monotonic() > until:
            break
        made += _make(wanted)
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


def _warm_quietly() -> None:
    try:
        made = warm()
    except RedisAway:
        return
    except Exception:
        log.exception("quiz.warming_failed")
    else:
        log.info("quiz.pools_warmed", made=made)
