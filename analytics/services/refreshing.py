"""Refreshing entities that somebody asked for, by a job."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from accounts.models import User
from jobs.models import Job
from jobs.services import enqueue

from ..models import Entity
from .requesting import mark

NAMED = "analytics.refresh_named"


def start_refresh(*, entity_ids: Sequence[UUID], actor: User) -> Job:
    """Mark them as waiting and queue one job for all."""
    keys = Entity.objects.filter(pk__in=list(entity_ids)).order_by("pk").values_list("source", "source_id")
    mark(keys=list(keys))
    params = {"entity_ids": [str(each) for each in entity_ids]}
    return enqueue(kind=NAMED, params=params, actor=actor, about=f"{len(entity_ids):,} entities")
