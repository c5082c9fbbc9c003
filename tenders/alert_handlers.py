"""Background jobs of saved searches: thin wrappers around services."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services import alerts


@register("tenders.alert_due", queue="low", title="Tell of new tenders")
def alert_due(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: none."""
    return {"told": alerts.alert_all(report=run.report)}


@register(alerts.MAIL, backoff_s=(30, 3600), max_retries=8, title="Send new tenders by e-mail")
def mail_alert(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: owner_id, parts (as alerts.Part)."""
    if "parts" not in params:  # queued by an earlier release, which sent one message a search
        return {"is_sent": False}
    return {"is_sent": alerts.mail(owner_id=params["owner_id"], parts=params["parts"], job_id=run.job_id)}
