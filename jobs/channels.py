"""The socket's channels that this app brings along: `user:{id}`, `job:{id}`, `batch:{id}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts.services.withdrawal import Withdrawal

from . import events
from .models import Job
from .registry import register_channel
from .services import counts_of
from .states import job_state

if TYPE_CHECKING:
    from accounts.models import User

# A page shows this many; the rest is behind "all jobs".
SHOWN = 50


def _own(user: User, user_id: str) -> bool:
    return str(user.pk) == user_id


def _visible_job(user: User, job_id: str) -> bool:
    return _is_uuid(job_id) and Job.objects.visible_to(user).filter(pk=job_id).exists()


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _jobs_of(user: User, user_id: str) -> dict[str, Any]:
    jobs = Job.objects.filter(actor_id=user.pk).active().top_level().without_payload()
    return {"jobs": [job_state(job) for job in jobs.order_by("created_at")[:SHOWN]]}


def _one_job(user: User, job_id: str) -> dict[str, Any]:
    job = Job.objects.visible_to(user).get(pk=job_id)
    return {"jobs": [job_state(job)], "result": job.result, "error": (job.error or {}).get("message")}


def _batch(user: User, batch_id: str) -> dict[str, Any]:
    batch = Job.objects.visible_to(user).get(pk=batch_id)
    children = Job.objects.filter(batch=batch).active().without_payload().order_by("-started_at")[:SHOWN]
    return {
        "jobs": [job_state(batch), *(job_state(child) for child in children)],
        "counts": counts_of(batch.pk),
    }


register_channel(kind="user", can_join=_own, snapshot=_jobs_of)
register_channel(kind="job", can_join=_visible_job, snapshot=_one_job)
register_channel(kind="batch", can_join=_visible_job, snapshot=_batch)


def close_what_was_withdrawn(withdrawal: Withdrawal) -> None:
    """Registered with accounts: sockets of the suspended and of ended sign-ins close, those of former members lose what
    they can't see any more."""
    if withdrawal.organisation_id is None and not withdrawal.of_sign_in:
        events.withdraw(withdrawal.user_id)
    else:
        events.recheck(withdrawal.user_id)
