"""What the demand pages have in common: how far figures can be trusted just now, jobs that refresh, costly presses."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.pages import PageRequest
from jobs.models import Job
from jobs.services.overview.words import age

from .. import alarms
from ..services import demand_pages, spending

BEHIND_S = 30  # figures are a second old where consumers are at work


def tabs(request: PageRequest) -> dict[str, Any]:
    return {"sees_spending": spending.may_see(request.user)}


def trust(moments: list[int] | None) -> dict[str, Any]:
    """`trouble`: why the figures stand still, in words; "": they do not."""
    return {"is_redis_away": moments is None, "trouble": _trouble(moments)}


def _trouble(moments: list[int] | None) -> str:
    state = alarms.state().value
    if moments is None or state is None:
        return (
            "Redis can't be reached. These figures are what was counted before; questions that are asked meanwhile are "
            "answered, and lost as signals."
        )
    if state.lag_s > BEHIND_S:
        why = "nobody counts them at present" if not state.alive else "there are more than can be counted at once"
        return f"Signals have been waiting for {age(state.lag_s)}: {why}. These figures are as old."
    return ""


def live_on(channels: list[str], moments: list[int] | None) -> str:
    """For the page's script: channels with the last move that the page shows."""
    return " ".join(
        f"{channel}={moment}" for channel, moment in zip(channels, moments or [0] * len(channels), strict=True)
    )


def job_rows(request: PageRequest) -> list[dict[str, Any]]:
    """As jobs/_progress.html draws them."""
    return [_row(job) for job in demand_pages.refreshing_jobs(user=request.user)]


def _row(job: Job) -> dict[str, Any]:
    return {
        "job": job,
        "error": (job.error or {}).get("message", ""),
        "is_due": job.next_retry_at is not None and job.next_retry_at <= timezone.now(),
    }
