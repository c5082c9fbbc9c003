"""Background jobs that read price lists and price indices."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services import catalogue_uploads as uploads


def import_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    uploads.forget_upload(params)


@register(
    uploads.CATALOGUE,
    isolated=True,
    timeout_s=1800,
    memory_mb=1536,
    title="Import a price catalogue",
    on_failed=import_failed,
)
def import_catalogue(run: Run, params: dict[str, Any]) -> None:
    """params: stored, filename, owner, catalogue, edition, currency, priced_on."""
    uploads.read_upload(kind=uploads.CATALOGUE, params=params, report=run.report, finishing=run.finishing)


@register(
    uploads.INDEX,
    isolated=True,
    timeout_s=600,
    memory_mb=1024,
    title="Import a price index",
    on_failed=import_failed,
)
def import_price_index(run: Run, params: dict[str, Any]) -> None:
    """params: stored, filename, owner, series."""
    uploads.read_upload(kind=uploads.INDEX, params=params, report=run.report, finishing=run.finishing)
