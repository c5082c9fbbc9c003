"""Background jobs of training calls as they come in: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run
from jobs.webhooks import register_connected
from jobs.webhooks.handlers import handling_failed

from .services.training import (
    connecting_proof,
    files_recordings,
    intake_voice,
    processing,
    processing_notes,
    reconciling,
    reports,
)
from .services.training.processing_start import SUBJECT

MOST_RETRIES = 8


def processing_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    processing.give_up(session_id=UUID(params["session_id"]), reason=error.get("message", ""))


@register(connecting_proof.TAKE, timeout_s=120, title="Take in a call's report", on_failed=handling_failed)
def take_voice_report(run: Run, params: dict[str, Any]) -> None:
    """params: received_id."""
    intake_voice.take_report(received_id=UUID(params["received_id"]), finishing=run.finishing)


@register(
    processing.PROCESS,
    concurrency=4,  # it waits for a model
    max_retries=MOST_RETRIES,
    backoff_s=(5, 600),
    timeout_s=900,
    subject_type=SUBJECT,
    title="Work on a training call",
    on_failed=processing_failed,
)
def process_call(run: Run, params: dict[str, Any]) -> None:
    """params: session_id. At its last attempt it does without the model."""
    tries = run.attempt - run.job.attempts_before
    processing.process_in_job(
        session_id=UUID(params["session_id"]),
        report=run.report,
        finishing=run.finishing,
        may_wait=tries <= run.job.max_retries,
    )


@register(processing_notes.MAIL, backoff_s=(30, 3600), max_retries=8, title="Send a graded call by e-mail")
def mail_graded_call(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: session_id, user_id."""
    session_id, user_id = UUID(params["session_id"]), UUID(params["user_id"])
    return {"is_sent": processing_notes.mail(session_id=session_id, user_id=user_id, job_id=run.job_id)}


@register(
    files_recordings.FETCH,
    queue="low",
    concurrency=4,  # it waits for the service's storage
    max_retries=6,
    backoff_s=(10, 1800),
    timeout_s=900,
    subject_type=SUBJECT,
    title="Fetch a recording",
)
def fetch_recording(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: session_id."""
    return files_recordings.fetch_recording(session_id=UUID(params["session_id"]), report=run.report)


@register(reports.REPORT, timeout_s=120, subject_type=SUBJECT, title="Write a call's report")
def write_report(run: Run, params: dict[str, Any]) -> None:
    """params: session_id."""
    reports.write_report(
        session_id=UUID(params["session_id"]), actor_id=run.actor_id, report=run.report, finishing=run.finishing
    )


@register("quiz.reconcile_due", queue="low", title="Ask voice services for calls without a report")
def reconcile_due(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"job_ids": [str(job_id) for job_id in reconciling.start_due()]}


@register(
    reconciling.RECONCILE,
    queue="low",
    concurrency=4,  # it waits for the service
    max_retries=5,
    backoff_s=(30, 1800),
    timeout_s=1800,
    title="Look for calls without a report",
)
def reconcile_calls(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: connection_id. Idempotent: calls that are known are passed over."""
    return dict(reconciling.reconcile(connection_id=UUID(params["connection_id"]), report=run.report))


register_connected(connecting_proof.SOURCE, receiver_of=connecting_proof.receiver_of, handle_kind=connecting_proof.TAKE)
