"""Many questions at once, at half the price, answered within a day: Anthropic's Message Batches.

    submit → the provider works → look, again and again → results → record

Everything that another process needs to go on is in the database before it matters: the batch and its calls before they
are sent, the provider's name of it as soon as it answers. Who dies in between leaves a batch that is being handed over;
the next one looks for it in the provider's list, and hands it over anew only if it is not there.

Each step may be done again. The caller repeats `submit` and `look` until `look` no longer raises BatchUnderWay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from pydantic import BaseModel

from .. import configuration, prompts
from ..answer import Stop
from ..configuration import Configuration
from ..exceptions import BatchesMissing, BatchUnderWay, ModelUnavailable, ProviderMissing, RequestRejected
from ..models import ModelBatch, ModelCall
from ..pricing import estimate_tokens, price_of
from ..prompts import Prompt
from ..providers import provider_of, wire
from ..providers.protocol import NotAReply
from ..reading import Unfit, read
from . import budget, pausing
from .asking import question_of
from .conversation import dialect_of, tokens_in_of

log = structlog.get_logger(__name__)
T = TypeVar("T", bound=BaseModel)
Status = ModelBatch.Status

MOST_LISTED = 100
SKEW = timedelta(minutes=5)  # between the provider's clock and ours
_PLAIN = re.compile(r"[\w-]{1,120}")


@dataclass(frozen=True)
class Item:
    """One question. `reference`: up to 100 characters by which its owner knows the answer."""

    reference: str
    prompt: Prompt | str


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What became of one question. `value` None: nothing that fits; `error` says why ("code: words")."""

    call: ModelCall
    value: T | None
    error: str = ""


def takes_batches() -> bool:
    config = configuration.current()
    return config is not None and provider_of(config.provider).batches_path is not None


def find(key: UUID) -> ModelBatch | None:
    return ModelBatch.objects.filter(pk=key).first()


def submit(
    *,
    key: UUID,
    schema: type[BaseModel],
    items: Sequence[Item],
    purpose: str,
    max_tokens: int,
    organisation_id: UUID | None = None,
    context: Mapping[str, Any] | None = None,
) -> ModelBatch:
    """Hand the questions over; the batch of this key, if it has been already. Contact persons' details are taken out.

    Raises BatchUnderWay where nobody knows yet whether an earlier attempt arrived, ProviderMissing, BatchesMissing,
    ProviderRefused, BudgetSpent, ModelUnavailable, RequestRejected.
    """
    config, address = _address()
    pausing.check(config)
    known = find(key)
    if known is not None and known.status == Status.SUBMITTING:
        known = _found_at_provider(known, config)
    if known is not None:
        return known
    batch = ModelBatch(
        key=key,
        purpose=purpose,
        provider=config.provider,
        model=config.model,
        organisation_id=organisation_id,
        size=len(items),
        context=dict(context or {}),
    )
    requests = _prepared(batch, config, schema, items, max_tokens)
    try:
        told = wire.post(address, headers=_headers(config), body={"requests": requests}, timeout_s=_patience_s())
        return _arrived(batch, told.document)
    except wire.Failed as failure:
        if isinstance(failure, (wire.Throttled, wire.KeyRefused, wire.Rejected)) or failure.code == "unreachable":
            _undo(batch)  # it certainly did not arrive
        raise _meaning(failure, config) from failure


def look(*, batch: ModelBatch) -> ModelBatch:
    """Whether it has been answered. Raises BatchUnderWay until then; ProviderRefused, ModelUnavailable."""
    if batch.status != Status.UNDER_WAY:
        return batch
    config, address = _address()
    try:
        told = wire.get(f"{address}/{batch.provider_id}", headers=_headers(config), timeout_s=settings.AI_TIMEOUT_S)
    except wire.Failed as failure:
        if failure.status == 404:
            return _given_up(batch, "The provider does not know this batch any more.")
        raise _meaning(failure, config) from failure
    counts = told.document.get("request_counts")
    batch.counts = counts if isinstance(counts, dict) else {}
    if told.document.get("processing_status") == "ended":
        batch.ended_at = batch.ended_at or timezone.now()
    batch.save(update_fields=["counts", "ended_at"])
    if batch.ended_at is None:
        raise BatchUnderWay(
            f"{config.provider} works on {batch.size:,} questions since {batch.submitted_at:%Y-%m-%d %H:%M}. "
            "It may take a day.",
            retry_after_s=settings.AI_BATCH_LOOK_S,
        )
    return batch


def results(*, batch: ModelBatch, schema: type[T]) -> list[Outcome[T]]:
    """What became of each question that has no end yet, through the same reading as single answers, but asked once
    only. Nothing is written. Lines may come in any order, twice, or not at all. Raises as `look`."""
    lines = _lines(batch) if batch.status == Status.UNDER_WAY else {}
    reason = batch.error or "The batch's results hold no answer to this."
    calls = batch.calls.filter(status=ModelCall.Status.RUNNING)
    return [_outcome(call, schema, lines.get(str(call.pk)), reason) for call in calls]


def record(*, batch: ModelBatch, outcomes: Sequence[Outcome[Any]]) -> bool:
    """The calls' ends and the money, in the caller's transaction; False: somebody else has recorded it already."""
    held = ModelBatch.objects.select_for_update().get(pk=batch.pk)
    if held.status not in (Status.UNDER_WAY, Status.GIVEN_UP) or not held.calls.filter(status="running").exists():
        return False
    calls = [each.call for each in outcomes]
    now = timezone.now()
    for call in calls:
        call.finished_at, call.attempts = now, 1
        call.latency_ms = round((now - call.created_at).total_seconds() * 1000)
    fields = ["status", "model", "attempts", "faults", "tokens_in", "tokens_out", "cost_usd", "latency_ms"]
    ModelCall.objects.bulk_update(calls, [*fields, "error_code", "error", "finished_at"], batch_size=500)
    spent = sum((call.cost_usd for call in calls), Decimal(0))
    if held.status == Status.UNDER_WAY:
        ModelBatch.objects.filter(pk=batch.pk).update(status=Status.COLLECTED)
    budget.correct(day=batch.submitted_at.date(), by_usd=spent - held.reserved_usd)
    return True


def cancel(*, key: UUID) -> str:
    """Nobody wants the answers any more: have the provider stop, and count what was billed. Raises BatchUnderWay until
    it has stopped, and as `look`. What became of it, in a word."""
    batch = find(key)
    if batch is not None and batch.status == Status.SUBMITTING:
        batch = _found_at_provider(batch, _address()[0])
    if batch is None or batch.status == Status.COLLECTED:
        return "nothing to cancel"
    if batch.status == Status.UNDER_WAY and batch.ended_at is None and not batch.context.get("is_cancelled"):
        config, address = _address()
        try:
            wire.post(f"{address}/{batch.provider_id}/cancel", headers=_headers(config), body={}, timeout_s=30)
        except wire.Failed as failure:
            if not isinstance(failure, wire.Rejected) and failure.status != 404:  # else it has ended, or is gone
                raise _meaning(failure, config) from failure
        batch.context["is_cancelled"] = True
        batch.save(update_fields=["context"])
    batch = look(batch=batch)
    outcomes = results(batch=batch, schema=_Anything)
    with transaction.atomic():
        record(batch=batch, outcomes=outcomes)
    return "cancelled"


class _Anything(BaseModel):
    """Any object: only what it cost matters."""


# --- handing over -----------------------------------------------------------------------------------------------------


def _prepared(
    batch: ModelBatch, config: Configuration, schema: type[BaseModel], items: Sequence[Item], max_tokens: int
) -> list[dict[str, Any]]:
    """The requests. The batch, its calls and the most that they may cost are written, together. Raises BudgetSpent."""
    provider, dialect, price = provider_of(config.provider), dialect_of(config), price_of(config.model).in_batches
    calls, requests = [], []
    for item in items:
        told = prompts.as_prompt(item.prompt, "")
        question, redacted = question_of(schema, told, max_tokens)
        call = ModelCall(
            purpose=batch.purpose,
            provider=config.provider,
            model=config.model,
            prompt_name=told.name,
            prompt_version=told.version,
            prompt_hash=told.hash,
            organisation_id=batch.organisation_id,
            batch=batch,
            reference=item.reference,
            redacted=min(redacted, 32_767),
            is_price_known=price.is_known,
            cost_usd=price.of(tokens_in_of(question), max_tokens),
        )
        calls.append(call)
        requests.append({"custom_id": str(call.pk), "params": provider.body(config.model, question, dialect)})
    batch.reserved_usd = sum((call.cost_usd for call in calls), Decimal(0))
    with transaction.atomic(durable=True):
        batch.save(force_insert=True)
        ModelCall.objects.bulk_create(calls, batch_size=500)
        budget.reserve(day=batch.submitted_at.date(), amount_usd=batch.reserved_usd)
    return requests


def _arrived(batch: ModelBatch, document: Mapping[str, Any]) -> ModelBatch:
    name = document.get("id")
    if not isinstance(name, str) or not _PLAIN.fullmatch(name):
        raise wire.Failed("no_reply", "The answer names no batch. Is AI_BASE_URL right?", status=200)
    batch.provider_id, batch.status = name, Status.UNDER_WAY
    batch.save(update_fields=["provider_id", "status"])
    log.info("model_batch_submitted", key=str(batch.pk), provider_id=name, size=batch.size)
    return batch


def _found_at_provider(batch: ModelBatch, config: Configuration) -> ModelBatch | None:
    """A batch whose handing over nobody saw the end of: by its size and time among the provider's latest that are not
    known here. None: it never arrived, and there is nothing left of it. (Were it the wrong one of two of a size, no
    name in its results would be ours, and the questions would go unanswered: not wrongly answered.)"""
    if timezone.now() < batch.submitted_at + timedelta(seconds=2 * _patience_s()):
        raise BatchUnderWay("It is just being handed over.", retry_after_s=2 * _patience_s())
    try:
        address = f"{_address()[1]}?limit={MOST_LISTED}"
        listed = wire.get(address, headers=_headers(config), timeout_s=settings.AI_TIMEOUT_S).document.get("data")
    except wire.Failed as failure:
        raise _meaning(failure, config) from failure
    known = set(ModelBatch.objects.exclude(provider_id="").values_list("provider_id", flat=True))
    for each in listed if isinstance(listed, list) else []:
        if each.get("id") not in known and _fits(each, batch):
            return _arrived(batch, each)
    _undo(batch)
    return None


def _fits(listed: Mapping[str, Any], batch: ModelBatch) -> bool:
    counts = listed.get("request_counts") or {}
    try:
        created_at = datetime.fromisoformat(str(listed.get("created_at")))
    except ValueError:
        return False
    return sum(counts.values()) == batch.size and created_at >= batch.submitted_at - SKEW


def _undo(batch: ModelBatch) -> None:
    """It is not at the provider: as if it had never been."""
    with transaction.atomic():
        batch.calls.all().delete()
        ModelBatch.objects.filter(pk=batch.pk).delete()
        budget.correct(day=batch.submitted_at.date(), by_usd=-batch.reserved_usd)


def _given_up(batch: ModelBatch, reason: str) -> ModelBatch:
    batch.status, batch.error, batch.ended_at = Status.GIVEN_UP, reason, timezone.now()
    batch.save(update_fields=["status", "error", "ended_at"])
    log.error("model_batch_given_up", key=str(batch.pk), provider_id=batch.provider_id, reason=reason)
    return batch


# --- results ----------------------------------------------------------------------------------------------------------


def _lines(batch: ModelBatch) -> dict[str, Mapping[str, Any]]:
    """custom_id → result; of two for one question the first. From our own address, not the one that the provider
    names: the key goes nowhere else."""
    config, address = _address()
    try:
        lines = wire.get_lines(
            f"{address}/{batch.provider_id}/results", headers=_headers(config), timeout_s=2 * _patience_s()
        )
    except wire.Failed as failure:
        raise _meaning(failure, config) from failure
    found: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        if isinstance(line.get("result"), dict):
            found.setdefault(str(line.get("custom_id")), line["result"])
    return found


def _outcome(call: ModelCall, schema: type[T], result: Mapping[str, Any] | None, reason: str) -> Outcome[T]:
    """The call's end is in its fields, not yet in the database."""
    call.status, call.cost_usd = ModelCall.Status.FAILED, Decimal(0)
    if result is None:
        return _failed(call, "lost", reason)
    if result.get("type") != "succeeded":  # errored, canceled, expired: none of them is billed
        kind = str(result.get("type"))[:20]
        return _failed(call, kind, _words_of(result) or f"The provider says: {kind}.")
    try:
        reply = provider_of(call.provider).reply(result.get("message") or {})
    except NotAReply:
        return _failed(call, "no_reply", "The result holds no answer.")
    call.model = (reply.model or call.model)[:120]
    call.tokens_in = reply.tokens_in or 0
    call.tokens_out = estimate_tokens(reply.text) if reply.tokens_out is None else reply.tokens_out
    call.cost_usd = price_of(call.model).in_batches.of(call.tokens_in, call.tokens_out)
    if reply.stop is Stop.DECLINED:
        return _failed(call, "declined", "The model declined to answer this.")
    try:
        value, _ = read(schema, reply.text, is_last=True)
    except Unfit as unfit:
        is_cut = reply.stop is Stop.TRUNCATED
        return _failed(call, "truncated" if is_cut else "unfit", "It was cut off." if is_cut else str(unfit))
    call.status = ModelCall.Status.ANSWERED
    return Outcome(call, value)


def _failed(call: ModelCall, code: str, words: str) -> Outcome[Any]:
    call.faults = [{"code": code, "status": 200, "latency_ms": 0}]
    call.error_code, call.error = f"model_batch_{code}"[:40], words[:500].replace("\x00", "")
    return Outcome(call, None, f"{call.error_code}: {call.error}")


def _words_of(result: Mapping[str, Any]) -> str:
    """errored: {"error": {"type": "error", "error": {"type", "message"}}}."""
    error = result.get("error")
    while isinstance(error, dict) and isinstance(error.get("error"), dict):
        error = error["error"]
    return (
        ": ".join(str(error[key]) for key in ("type", "message") if error.get(key)) if isinstance(error, dict) else ""
    )


# --- the provider -----------------------------------------------------------------------------------------------------


def _address() -> tuple[Configuration, str]:
    config = configuration.current()
    if config is None:
        raise ProviderMissing("No language model is configured: set AI_PROVIDER and AI_MODEL (docs/ai.md).")
    path = provider_of(config.provider).batches_path
    if path is None:
        raise BatchesMissing(f"AI_PROVIDER={config.provider} takes no batches. Start the run without them.")
    return config, config.base_url + path


def _headers(config: Configuration) -> dict[str, str]:
    return provider_of(config.provider).headers(config.api_key)


def _patience_s() -> float:
    """For a body of some megabytes."""
    return 2.0 * float(settings.AI_TIMEOUT_S)


def _meaning(failure: wire.Failed, config: Configuration) -> Exception:
    if isinstance(failure, wire.KeyRefused):
        return pausing.pause(configuration=config, status=failure.status, reason=str(failure))
    if isinstance(failure, wire.Rejected):
        return RequestRejected(f"{config.provider} does not take this batch: {failure}")
    asked_s = failure.retry_after_s if isinstance(failure, wire.Throttled) else None
    return ModelUnavailable(f"{config.provider} gave no answer about the batch: {failure}", retry_after_s=asked_s)
