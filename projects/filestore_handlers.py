"""Background jobs of the older file store: thin wrappers around services."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services.filestore import mirroring
from .services.filestore.modes import store_folder


@register(
    mirroring.WRITE, timeout_s=1800, subject_type="project", title="Write a project's folder", max_retries=8,
    backoff_s=(5, 600),
)  # fmt: skip
def write_file_project(run: Run, params: dict[str, Any]) -> None:
    """params: legacy_id, overwrite."""
    mirroring.write_back(
        legacy_id=params["legacy_id"], overwrite=bool(params.get("overwrite")), finishing=run.finishing
    )


@register(mirroring.VERIFY, timeout_s=1800, subject_type="project", title="Compare a project with its folder")
def verify_file_project(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: legacy_id."""
    return mirroring.verify_again(legacy_id=params["legacy_id"], root=store_folder())
