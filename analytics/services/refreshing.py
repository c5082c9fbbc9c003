"""Refreshing entities, each time by a job: what somebody asked for, and, by itself, what is wanted and out of date.

every ten minutes ─► start_wanted ─► one job for each source ─► its own way of refreshing (fetch, sync, read again)
                      the most wanted of each owner first       └► then the entities, from what the source has
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError

from accounts.exceptions import Temporary
from accounts.models import User
from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import SourceMissing
from ..models import Entity
from ..registry import EntitySource, source_named, sources
from . import refreshing_choice, refreshing_setbacks
from .entities import CHUNK, Counts, refresh, refresh_chunk
from .requesting import mark

NAMED = "analytics.refresh_named"
WANTED = "analytics.refresh_wanted"  # looks what there is to do
OF_SOURCE = "analytics.refresh_source"  # does it, for one source
AT_ONCE = 200  # entities of a run, of all owners and sources together
MOST_FAILURES = 10  # of single things in a job: more is a fault of the source
LOST_CONNECTION = (OperationalError, InterfaceError)
Report = Callable[[int, int, str], None]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """`entities` are refreshed by `jobs`; sources in `busy` have not done yet what they had before."""

    entities: int
    jobs: list[str]
    busy: list[str]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """`asked`: what the source said of its own way of refreshing, in words; `failed`: things that are left alone."""

    counts: Counts
    asked: str
    failed: int
    left: int


def start_refresh(*, entity_ids: Sequence[UUID], actor: User) -> Job:
    """Mark them as waiting and queue one job for all."""
    keys = Entity.objects.filter(pk__in=list(entity_ids)).order_by("pk").values_list("source", "source_id")
    mark(keys=list(keys))
    params = {"entity_ids": [str(each) for each in entity_ids]}
    return enqueue(kind=NAMED, params=params, actor=actor, about=f"{len(entity_ids):,} entities")


def start_wanted(*, limit: int = AT_ONCE) -> Started:
    """Queue the refreshing of what is wanted and out of date: a job for each source, that of the most wanted first. A
    source whose job is not done yet gets no other one (dedupe key): nothing piles up, nothing is done twice."""
    refreshing_setbacks.forget_old_setbacks()
    keys = {_key(each.name): each for each in sources()}
    busy = set(Job.objects.active().filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))
    chosen = refreshing_choice.choose(limit=limit, sources=[each for key, each in keys.items() if key not in busy])
    by_source: dict[str, list[str]] = {}
    for each in chosen:
        by_source.setdefault(each.source, []).append(str(each.id))
    jobs = [_start(name, ids) for name, ids in by_source.items()]
    return Started(len(chosen), [str(job.pk) for job in jobs], sorted(keys[key].name for key in busy if key))


def _start(name: str, entity_ids: list[str]) -> Job:
    params = {"source": name, "entity_ids": entity_ids}
    return enqueue(kind=OF_SOURCE, params=params, queue="low", about=_found(name).label, dedupe_key=_key(name))


def _key(source: str) -> str:
    return f"{OF_SOURCE}:{source}"


def refresh_wanted(*, source: str, entity_ids: Sequence[UUID], report: Report | None = None) -> Refreshed:
    """Have the source do what it can for them, then read them anew. Of what was refreshed meanwhile, nothing.

    What fails is set back by itself and the others go on; ten such, or a source whose own way raises: the source is
    set back as a whole. Idempotent: a second run finds nothing due. SourceMissing; Temporary while the database is
    away.
    """
    found = _found(source)
    keys = refreshing_choice.still_due(source=source, entity_ids=list(entity_ids))
    asked = _ask(found, keys)
    counts, failed = Counts(), 0
    for start in range(0, len(keys), CHUNK):
        counted, failures = _refresh_each(found, keys[start : start + CHUNK])
        counts, failed = counts + counted, failed + failures
        if report:
            report(min(start + CHUNK, len(keys)), len(keys), f"{found.label}: {counts}")
    return Refreshed(counts, asked, failed, len(entity_ids) - len(keys))


def refresh_named(*, entity_ids: Sequence[UUID], report: Report | None = None) -> Counts:
    """What somebody asked for: at once, whatever waits. Raises what reading them raises."""
    by_source: dict[str, list[str]] = {}
    rows = Entity.objects.filter(pk__in=list(entity_ids)).order_by("pk").values_list("source", "source_id")
    for name, key in rows:
        by_source.setdefault(name, []).append(key)
    for name, keys in by_source.items():
        if found := source_named(name):
            _ask(found, keys, is_patient=False)
    counts = refresh(entity_ids=entity_ids, report=report)
    for name, keys in by_source.items():
        refreshing_setbacks.forget_setbacks(source=name, source_ids=keys)
    return counts


def _found(name: str) -> EntitySource:
    found = source_named(name)
    if found is None:
        raise SourceMissing(f"There is no source of entities named {name!r}.")
    return found


def _ask(source: EntitySource, keys: Sequence[str], *, is_patient: bool = True) -> str:
    """Its own way of refreshing, which starts jobs and waits for none. `is_patient`: not while it is set back."""
    if source.refresh is None or not keys:
        return ""
    if is_patient and refreshing_setbacks.is_set_back(source=source.name):
        return ""
    try:
        said = source.refresh(keys)
    except LOST_CONNECTION as error:
        raise Temporary(f"The database is away: {error}") from error
    except Exception as error:
        refreshing_setbacks.set_back(source=source.name, error=error)
        return f"Failed: {error}"[:300]
    refreshing_setbacks.forget_setbacks(source=source.name, source_ids=[""])
    return str(said or "")


def _refresh_each(source: EntitySource, keys: Sequence[str]) -> tuple[Counts, int]:
    """All in one transaction; if that fails, halves by themselves, down to the one that is to blame."""
    waiting: list[Sequence[str]] = [keys] if keys else []
    counts, failed = Counts(), 0
    while waiting:
        some = waiting.pop()
        try:
            counts += refresh_chunk(source=source, source_ids=some, is_asked_for=True)
        except LOST_CONNECTION as error:
            raise Temporary(f"The database is away: {error}") from error
        except Exception as error:
            if len(some) > 1:
                middle = len(some) // 2
                waiting += [some[middle:], some[:middle]]
                continue
            failed += 1
            refreshing_setbacks.set_back(source=source.name, source_id=some[0], error=error)
            if failed >= MOST_FAILURES:
                refreshing_setbacks.set_back(source=source.name, error=error)
                break
        else:
            refreshing_setbacks.forget_setbacks(source=source.name, source_ids=some)
    return counts, failed


def told(refreshed: Refreshed) -> dict[str, Any]:
    """For a job's result."""
    said = {"counts": str(refreshed.counts), "failed": refreshed.failed, "left_alone": refreshed.left}
    return said | ({"asked": refreshed.asked} if refreshed.asked else {})
