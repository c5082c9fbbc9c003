"""Background jobs of saved searches: thin wrappers around services."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services import alerts


@register("tenders.alert_due", queue="low", title="Tell of new tenders")
def alert_due(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: none."""
    return {"told": alerts.alert_all()}


@register(alerts.MAIL, title="Send new tenders by e-mail")
def mail_alert(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: search_id, words, titles, count."""
    return {"is_sent": alerts.mail(**params)}
