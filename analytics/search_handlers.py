"""Background jobs of entities and search."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run

from .services import entities, refreshing, reindexing


@register(entities.REINDEX, queue="low", timeout_s=4 * 3600, title="Rebuild the search index")
def reindex(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: source (all unless told)."""
    return asdict(reindexing.reindex(source=params.get("source"), report=run.report))


@register(entities.LEARN, queue="low", timeout_s=4 * 3600, title="Learn meanings from the texts")
def fit_embedding(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"version": reindexing.learn(report=run.report)}


@register(refreshing.NAMED, title="Refresh entities")
def refresh_named(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: entity_ids."""
    return asdict(refreshing.refresh_named(entity_ids=list(map(UUID, params["entity_ids"])), report=run.report))
