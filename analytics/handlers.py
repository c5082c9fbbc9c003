"""Background jobs of demand and search."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services import requesting


@register(requesting.KIND, queue="low", title="Refresh entities")
def refresh_entities(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: source, source_ids, operation."""
    from .services import entities

    counts = entities.refresh(source=params["source"], source_ids=params["source_ids"], report=run.report)
    return {"source": params["source"], "counts": str(counts)}
