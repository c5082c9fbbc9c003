"""Background jobs of banks: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.exceptions import Temporary
from config.redis_access import RedisAway
from jobs.registry import register
from jobs.run import Run

from .exceptions import BankBusy
from .services import banks, files, runs, syncing, warming


def sync_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    runs.record_failure(bank_id=UUID(params["bank_id"]), message=error.get("message", ""))


def import_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    runs.record_failure(
        bank_id=UUID(params["bank_id"]), run_id=UUID(params["run_id"]), message=error.get("message", "")
    )


@register(
    banks.SYNC,
    max_retries=6,
    backoff_s=(30, 1800),
    timeout_s=3600,
    concurrency=2,  # it waits for Airtable
    subject_type="quiz_bank",
    title="Read questions from Airtable",
    on_failed=sync_failed,
)
def sync_airtable(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: bank_id, is_full, force, record_ids (or null). Idempotent: a second run writes nothing."""
    try:
        record = syncing.sync_bank(
            bank_id=UUID(params["bank_id"]),
            is_full=params["is_full"],
            force=params["force"],
            record_ids=params.get("record_ids"),
            actor_id=run.actor_id,
            job_id=run.job_id,
            report=run.report,
        )
    except BankBusy as error:
        raise Temporary(str(error), retry_after_s=banks.BUSY_FOR_S) from error
    return runs.told(record)


@register("quiz.sync_due", queue="low", title="Read all scheduled banks")
def sync_due(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"job_ids": [str(job_id) for job_id in banks.start_due(is_full=True)]}


@register("quiz.pull_changes", queue="low", title="Read what changed in scheduled banks")
def pull_changes(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"job_ids": [str(job_id) for job_id in banks.start_due(is_full=False)]}


@register(
    files.IMPORT,
    isolated=True,
    max_retries=10,  # it waits for its turn, too
    timeout_s=1800,
    memory_mb=1024,
    subject_type="quiz_bank",
    title="Read a file of questions",
    on_failed=import_failed,
)
def import_file(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: run_id, bank_id, replaces_edits."""
    replaces_edits = params.get("replaces_edits", False)
    try:
        record = files.read_upload(run_id=UUID(params["run_id"]), replaces_edits=replaces_edits, report=run.report)
    except BankBusy as error:
        raise Temporary(str(error), retry_after_s=banks.BUSY_FOR_S) from error
    return runs.told(record)


@register(warming.KIND, queue="low", title="Make pools of questions")
def warm_pools(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Without the cache there are no pools: nothing is lost."""
    try:
        return {"made": warming.warm(report=run.report)}
    except RedisAway:
        return {"made": 0}
