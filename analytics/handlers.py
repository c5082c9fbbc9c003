"""Background jobs of demand and search."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run

from .services import noticing, proving, refreshing, requesting, windows


@register(requesting.KIND, queue="low", title="Refresh entities")
def refresh_entities(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: source, source_ids, operation."""
    from .services import entities

    counts = entities.refresh(source=params["source"], source_ids=params["source_ids"], report=run.report)
    return {"source": params["source"], "counts": str(counts)}


@register(refreshing.WANTED, queue="low", title="Look for what is wanted and out of date")
def refresh_wanted(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return asdict(refreshing.start_wanted())


@register(refreshing.OF_SOURCE, queue="low", title="Refresh what is wanted")
def refresh_source(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: source, entity_ids."""
    ids = [UUID(each) for each in params["entity_ids"]]
    done = refreshing.refresh_wanted(source=params["source"], entity_ids=ids, report=run.report)
    return refreshing.told(done)


@register(noticing.NOTICE, queue="low", title="Look for spikes of demand")
def notice_spikes(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """What rises is read from the windows: they have to end with this hour."""
    windows.move_windows()
    return dict(noticing.notice_spikes())


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
