"""Background jobs of assignments: thin wrappers around services."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services.training import assigning, telling


@register("quiz.remind_assignments", title="Remind people of the calls they are to hold")
def remind_assignments(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Idempotent: whoever has been told is told nothing again."""
    return assigning.remind_all()


@register(telling.MAIL, max_retries=5, backoff_s=(60, 3600), timeout_s=120, title="E-mail about calls to practise")
def mail_assignments(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: user_id, assignment_ids, why."""
    is_sent = telling.mail(
        user_id=params["user_id"], assignment_ids=params["assignment_ids"], why=params["why"], job_id=run.job_id
    )
    return {"is_sent": is_sent}
