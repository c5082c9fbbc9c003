"""Background jobs of demand and search."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services import proving, requesting, windows


@register(requesting.KIND, queue="low", title="Refresh entities")
def refresh_entities(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: source, source_ids, operation."""
    from .services import entities

    counts = entities.refresh(source=params["source"], source_ids=params["source_ids"], report=run.report)
    return {"source": params["source"], "counts": str(counts)}


@register("analytics.move_windows", queue="low", title="Move windows of demand")
def move_windows(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return dict(windows.move_windows())


@register("analytics.prove", queue="low", timeout_s=1800, title="Prove the counts of demand")
def prove(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """What happens at night: windows, days, the proof, and what nobody needs any more."""
    moved = windows.move_windows()
    days = windows.roll_up()
    proof = proving.prove(report=run.report)
    removed = proving.trim()
    return {"moved": dict(moved), "days": days, "proof": proof.pk, "holds": proof.holds, "removed": removed}
