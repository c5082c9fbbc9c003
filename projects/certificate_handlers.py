"""The job that builds certificates: a thin wrapper around the service."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services import certificates


@register(certificates.CERTIFY, timeout_s=1800, subject_type="project", title="Make an audit's certificate")
def certify(run: Run, params: dict[str, Any]) -> None:
    """params: run_id."""
    certificates.build_certificate(run_id=int(params["run_id"]), report=run.report, finishing=run.finishing)
