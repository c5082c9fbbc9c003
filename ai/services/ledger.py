"""The record of one question: a row from before the first request on, its money taken in the same transaction.

A process that is killed leaves its row running, with the estimate as its cost: counted rather than forgotten, since the
provider may have billed it. These transactions are durable: a question inside somebody's transaction would hold the
day's row, and so everybody else's questions, for as long as a model takes; Django refuses it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.exceptions import PlumblineError

from .. import metrics
from ..answer import Reply
from ..configuration import Configuration
from ..models import ModelCall
from ..pricing import estimate_tokens, price_of
from ..prompts import Prompt
from . import budget


class Entry:
    """Of one question. Everything is kept here and written at its end; money is taken before each request that may
    cost more than was taken so far."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        purpose: str,
        prompt: Prompt,
        redacted: int,
        organisation_id: UUID | None,
        cache_key: str,
    ) -> None:
        self.price = price_of(configuration.model)
        self.is_begun = False  # there is a row
        self.attempts = 0
        self.faults: list[dict[str, Any]] = []
        self.tokens_in = self.tokens_out = 0
        self.cost_usd = self._reserved_usd = Decimal(0)
        self.model = configuration.model
        self._day = budget.today()
        self._began = time.monotonic()
        self.row = ModelCall(
            purpose=purpose,
            provider=configuration.provider,
            model=configuration.model,
            prompt_name=prompt.name,
            prompt_version=prompt.version,
            prompt_hash=prompt.hash,
            organisation_id=organisation_id,
            is_price_known=self.price.is_known,
            redacted=min(redacted, 32_767),
            cache_key=cache_key,
        )

    @property
    def latency_ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)

    def begin(self, *, tokens_in: int, tokens_out: int) -> None:
        """Raises BudgetSpent; then there is no row: nothing was asked."""
        self._take(self.price.of(tokens_in, tokens_out), is_new=True)

    def extend(self, *, tokens_in: int, tokens_out: int) -> None:
        """For one more request after a reply, which has to be paid too. Raises BudgetSpent."""
        self._take(self.price.of(tokens_in, tokens_out))

    def sent(self) -> None:
        self.attempts += 1

    def fault(self, code: str, *, status: int = 200, latency_ms: int = 0, billed_tokens: int = 0) -> None:
        """`billed_tokens`: what the provider may have read although no answer came."""
        self.faults.append({"code": code, "status": status, "latency_ms": latency_ms})
        metrics.note_fault(provider=self.row.provider, code=code)
        self._count(billed_tokens, 0)

    def replied(self, reply: Reply, *, tokens_in: int) -> int:
        """Count what it cost; `tokens_in`: our estimate, for providers that do not say. The tokens of this reply."""
        used_in = tokens_in if reply.tokens_in is None else reply.tokens_in
        used_out = estimate_tokens(reply.text) if reply.tokens_out is None else reply.tokens_out
        self.model = reply.model or self.model
        self._count(used_in, used_out)
        return used_in + used_out

    def answered(self, result: Any, *, cache_s: float | None) -> None:
        row = self.row
        if cache_s:
            row.result, row.cached_until = result, timezone.now() + timedelta(seconds=cache_s)
        self._end(ModelCall.Status.ANSWERED)

    def failed(self, error: BaseException) -> None:
        told = isinstance(error, PlumblineError)
        self.row.error_code = (error.code if isinstance(error, PlumblineError) else type(error).__name__)[:40]
        self.row.error = (str(error) if told else f"Stopped by {type(error).__name__}.")[:500].replace("\x00", "")
        self._end(ModelCall.Status.FAILED)

    def _count(self, tokens_in: int, tokens_out: int) -> None:
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out
        self.cost_usd += self.price.of(tokens_in, tokens_out)

    def _take(self, amount_usd: Decimal, *, is_new: bool = False) -> None:
        with _recording():
            self.row.cost_usd = self._reserved_usd + amount_usd
            self.row.save(force_insert=is_new, update_fields=None if is_new else ["cost_usd"])
            budget.reserve(day=self._day, amount_usd=amount_usd)
        self._reserved_usd += amount_usd
        self.is_begun = True

    def _end(self, status: str) -> None:
        row = self.row
        row.status, row.model = status, self.model[:120]
        row.attempts, row.faults, row.latency_ms = self.attempts, self.faults, self.latency_ms
        row.tokens_in, row.tokens_out, row.cost_usd = self.tokens_in, self.tokens_out, self.cost_usd
        row.finished_at = timezone.now()
        with _recording():
            row.save(force_update=True)
            budget.correct(day=self._day, by_usd=self.cost_usd - self._reserved_usd)
        metrics.note_end(
            purpose=row.purpose,
            result=status,
            model=row.model,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            cost_usd=self.cost_usd,
        )


@contextmanager
def _recording() -> Iterator[None]:
    """A short transaction, the day's row last. Its commit does not wait for the disk: everybody waits for that row, and
    at 8 ms a flush (2026-11) sixty questions a second were all there could be. Only a crash of PostgreSQL itself can
    lose anything, the last fraction of a second."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
        yield


def reuse(*, prompt: Prompt, purpose: str, organisation_id: UUID | None, cache_key: str) -> ModelCall | None:
    """An answer given before, with a row of its own that says so; None: there is none that is still good."""
    now = timezone.now()
    known = ModelCall.objects.reusable(cache_key, now=now).first()
    if known is None:
        return None
    again = ModelCall(
        purpose=purpose,
        provider=known.provider,
        model=known.model,
        prompt_name=prompt.name,
        prompt_version=prompt.version,
        prompt_hash=prompt.hash,
        organisation_id=organisation_id,
        status=ModelCall.Status.ANSWERED,
        is_cached=True,
        finished_at=now,
    )
    again.save(force_insert=True)
    again.result = known.result  # given to the caller, not stored twice
    metrics.note_end(purpose=purpose, result="cached", model=known.model)
    return again
