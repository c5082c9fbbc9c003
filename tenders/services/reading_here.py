"""Reading without workers, and what reading would cost: for the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import transaction

from ..models import CompanyProfile
from . import enriching, modelling, runs, selecting

Report = Callable[[int, int, str], None]


def read_here(*, organisation_id: UUID | None, limit: int | None, report: Report) -> dict[str, Any]:
    """By the rules, in this process, each hundred in a transaction; stopped and begun again, it goes on."""
    counts = {"read": 0, "high": 0, "medium": 0, "low": 0}
    wanted = {each: _unread(each, limit, by_model=False) for each in _organisations(organisation_id)}
    total = sum(len(ids) for ids in wanted.values())
    done = 0
    for each, ids in wanted.items():
        for at in range(0, len(ids), runs.PER_JOB):
            some = ids[at : at + runs.PER_JOB]
            result = enriching.enrich_some(organisation_id=each, tender_ids=some, finishing=_finishing)
            for name in counts:
                counts[name] += int(result[name])  # type: ignore[literal-required]
            done += len(some)
            report(done, total, f"Read {done:,} of {total:,} tenders")
    return {"total_tenders": total, **counts}


def estimate(*, organisation_id: UUID | None, limit: int | None, fell_back: bool = False) -> dict[str, Any]:
    """`estimate_usd`: at the average of the last 30 days; None: a model is set and nothing was read by it yet."""
    by_model = modelling.is_configured()
    total, cost, is_known = 0, 0.0, True
    for each in _organisations(organisation_id):
        count = len(_unread(each, limit, by_model=by_model, fell_back=fell_back))
        total += count
        average = runs.standing(each)["average_cost_usd"]
        is_known = is_known and (average is not None or not by_model or not count)
        cost += float(average or 0) * count if by_model else 0.0
    method = "model" if by_model else "rules"
    return {"total_tenders": total, "method": method, "estimate_usd": round(cost, 4) if is_known else None}


def _organisations(organisation_id: UUID | None) -> list[UUID]:
    if organisation_id is not None:
        return [organisation_id]
    return list(CompanyProfile.objects.order_by("organisation_id").values_list("organisation_id", flat=True))


def _unread(organisation_id: UUID, limit: int | None, *, by_model: bool, fell_back: bool = False) -> list[UUID]:
    unread = selecting.unread(organisation_id, by_model=by_model, fell_back=fell_back)
    return list(unread.values_list("pk", flat=True)[:limit])


@contextmanager
def _finishing() -> Iterator[Callable[[Any], None]]:
    with transaction.atomic():
        yield lambda result: None
