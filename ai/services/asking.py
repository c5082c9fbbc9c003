"""Asking a model. One valid object comes back, or a clear error.

schema → the provider's structured output → read and validated here → numbers moved into their bounds → asked once
more with what was wrong → the caller's own way (`fallback`). A place among the calls in flight is held for one request,
never while waiting for the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from accounts.exceptions import PlumblineError
from accounts.models import Organisation

from .. import configuration, prompts
from ..answer import Answer, Question, Turn
from ..configuration import OFFLINE, Configuration
from ..exceptions import ProviderMissing
from ..prompts import Prompt
from ..redaction import redact
from ..schemas import strict
from . import ledger
from .conversation import Conversation

T = TypeVar("T", bound=BaseModel)


def ask(
    schema: type[T],
    prompt: Prompt | str,
    *,
    purpose: str,
    system: str = "",
    max_tokens: int = 1024,
    queue: str = "default",
    organisation: Organisation | UUID | None = None,
    cache_s: float | None = None,
    fallback: Callable[[], T] | None = None,
    raises: tuple[type[PlumblineError], ...] = (),
    wait_s: float | None = None,
    within_s: float | None = None,
) -> Answer[T]:
    """A valid object of the schema, by the model or by `fallback`. Not inside a transaction (RuntimeError).

    purpose: for the records, "app.what". max_tokens: of the answer; doubled once if cut off. queue: of the job that
    asks, "high" has places of its own. cache_s: the answer serves the same question again for so long. wait_s: for a
    place (AI_WAIT_S). within_s: for all of it. Contact persons' details are taken out of the text, not of `system`.

    Every error of this package and of the limits is answered by `fallback` where there is one, except those that
    `raises` names: a job that is retried may want `raises=(Temporary,)` until its last attempt.
    """
    told = prompts.as_prompt(prompt, system)
    if (config := configuration.current()) is None:
        return _offline(told, fallback)
    question, redacted = question_of(schema, told, max_tokens)
    cache_key = _cache_key(config, question) if cache_s else ""
    owner_id = organisation.pk if isinstance(organisation, Organisation) else organisation
    if cache_key and (known := _reused(schema, told, purpose, owner_id, cache_key)):
        return known
    entry = ledger.Entry(config, told, purpose, redacted=redacted, organisation_id=owner_id, cache_key=cache_key)
    try:
        value, adjusted = Conversation(config, schema, entry, queue, wait_s, within_s).hold(question, cache_s=cache_s)
    except PlumblineError as error:
        if fallback is None or isinstance(error, raises):
            raise
        return _answer(fallback(), told, entry, error=f"{error.code}: {error}")
    return _answer(value, told, entry, adjusted=adjusted)


def question_of(schema: type[BaseModel], told: Prompt, max_tokens: int) -> tuple[Question, int]:
    """As it leaves the house, and how many details of contact persons were taken out of it."""
    text, redacted = redact(told.text)
    return Question(told.system, (Turn("user", text),), schema.__name__, strict(schema), max_tokens), redacted


def _offline(told: Prompt, fallback: Callable[[], T] | None) -> Answer[T]:
    """No row: nobody was asked, and nothing went wrong."""
    if fallback is None:
        raise ProviderMissing("No language model is configured: set AI_PROVIDER and AI_MODEL (docs/ai.md).")
    return Answer(
        value=fallback(),
        method="fallback",
        provider=OFFLINE,
        prompt_name=told.name,
        prompt_version=told.version,
        prompt_hash=told.hash,
    )


def _answer(
    value: T, told: Prompt, entry: ledger.Entry, *, adjusted: tuple[str, ...] = (), error: str = ""
) -> Answer[T]:
    return Answer(
        value=value,
        method="fallback" if error else "model",
        provider=entry.row.provider,
        model=entry.model,
        prompt_name=told.name,
        prompt_version=told.version,
        prompt_hash=told.hash,
        tokens_in=entry.tokens_in,
        tokens_out=entry.tokens_out,
        cost_usd=entry.cost_usd,
        is_price_known=entry.price.is_known,
        latency_ms=entry.latency_ms,
        attempts=entry.attempts,
        adjusted=adjusted,
        error=error,
        call_id=entry.row.pk if entry.is_begun else None,
    )


def _reused(
    schema: type[T], told: Prompt, purpose: str, organisation_id: UUID | None, cache_key: str
) -> Answer[T] | None:
    known = ledger.reuse(prompt=told, purpose=purpose, organisation_id=organisation_id, cache_key=cache_key)
    if known is None:
        return None
    try:
        value = schema.model_validate(known.result)
    except ValidationError:
        return None  # a check of the schema that its JSON does not show has changed
    return Answer(
        value=value,
        method="model",
        provider=known.provider,
        model=known.model,
        prompt_name=told.name,
        prompt_version=told.version,
        prompt_hash=told.hash,
        is_cached=True,
        call_id=known.pk,
    )


def _cache_key(config: Configuration, question: Question) -> str:
    """Of everything that the answer depends on. Not of the key: another one gets the same answer."""
    parts: list[Any] = [config.provider, config.base_url, config.model, question.system, question.schema_name]
    parts += [question.json_schema, [turn.text for turn in question.turns], question.max_tokens]
    told = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()
