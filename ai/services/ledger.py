"""The record of one question: a row from before the first request on, its money taken in the same transaction, and the
last word on how many requests are in flight.

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
from jobs.limits import LimitBusy

from .. import metrics
from ..answer import Reply
from ..configuration import Configuration
from ..models import ModelCall
from ..pricing import estimate_tokens, price_of
from ..prompts import Prompt
from . import budget

_LOCK = 0xA1  # first half of the advisory lock's key
_NO_WAIT = "SELECT set_config('synchronous_commit', 'off', true)"
SHORTEST_LOOK_S, LONGEST_LOOK_S = 0.005, 0.25  # whether there is room


class Entry:
    """Of one question. Everything is kept here and written at its end; before each request it is written that one is
    in flight, and the money taken that it may cost."""

    def __init__(
        self,
        configuration: Configuration,
        prompt: Prompt,
        purpose: str,
        *,
        redacted: int,
        organisation_id: UUID | None,
        cache_key: str,
    ) -> None:
        self.price = price_of(configuration.model)
        self.is_begun = False  # there is a row
        self.attempts = 0
        self.faults: list[dict[str, Any]] = []
        self.tokens_in = self.tokens_out = 0
        self.cost_usd = self._reserved_usd = self._owed_usd = Decimal(0)
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

    def owe(self, *, tokens_in: int, tokens_out: int) -> None:
        """The next request costs this much at most: `take_off` takes it from the day's money. Not for a request that
        was refused or lost, whose money is there still."""
        self._owed_usd = self.price.of(tokens_in, tokens_out)

    def take_off(self, *, at_most: int, flight_s: float, wait_s: float) -> None:
        """Before each request: its row says that it is in flight, unless `at_most` are; then it waits for up to
        `wait_s`. Redis has lined the callers up, so there is room as a rule: but Redis can be emptied, or be away.

        Raises LimitBusy, BudgetSpent; without a request before, there is no row then: nothing was asked.
        """
        began, pause_s = time.monotonic(), SHORTEST_LOOK_S
        while not self._takes_off(at_most, flight_s):
            if time.monotonic() - began >= wait_s:
                raise LimitBusy(f"{at_most} calls of models are in flight, as many as may be. It is tried again.")
            time.sleep(pause_s)
            pause_s = min(LONGEST_LOOK_S, 2 * pause_s)

    def land(self) -> None:
        """The request is over, and the next one waits."""
        if self.row.in_flight_until is not None:
            self.row.in_flight_until = None
            with _recording():
                self.row.save(update_fields=["in_flight_until"])

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
        """Nothing is written where nothing was asked."""
        if not self.is_begun:
            return
        told = isinstance(error, PlumblineError)
        self.row.error_code = (error.code if isinstance(error, PlumblineError) else type(error).__name__)[:40]
        self.row.error = (str(error) if told else f"Stopped by {type(error).__name__}.")[:500].replace("\x00", "")
        self._end(ModelCall.Status.FAILED)

    def _count(self, tokens_in: int, tokens_out: int) -> None:
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out
        self.cost_usd += self.price.of(tokens_in, tokens_out)

    def _takes_off(self, at_most: int, flight_s: float) -> bool:
        """Counted and written under a lock for all: of two who find the last place free, one gets it."""
        row, now = self.row, timezone.now()
        with _recording(lock=f"in flight: {row.provider}"):
            if ModelCall.objects.in_flight(row.provider, now=now).count() >= at_most:
                return False
            row.in_flight_until = now + timedelta(seconds=flight_s)
            row.attempts = self.attempts + 1
            row.cost_usd = self._reserved_usd + self._owed_usd
            changed = ["in_flight_until", "attempts", "cost_usd"] if self.is_begun else None
            row.save(force_insert=not self.is_begun, update_fields=changed)
            if self._owed_usd:
                budget.reserve(day=self._day, amount_usd=self._owed_usd)
        self._reserved_usd, self._owed_usd = row.cost_usd, Decimal(0)
        self.attempts += 1
        self.is_begun = True
        return True

    def _end(self, status: str) -> None:
        row = self.row
        row.status, row.model = status, self.model[:120]
        row.attempts, row.faults, row.latency_ms = self.attempts, self.faults, self.latency_ms
        row.tokens_in, row.tokens_out, row.cost_usd = self.tokens_in, self.tokens_out, self.cost_usd
        row.finished_at, row.in_flight_until = timezone.now(), None
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
def _recording(*, lock: str = "") -> Iterator[None]:
    """A short transaction, the day's row last, under the lock of that name. Its commit does not wait for the disk:
    everybody waits for that row, and at 8 ms a flush (2026-11) sixty questions a second were all there could be. Only a
    crash of PostgreSQL itself can lose anything, the last fraction of a second."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            if lock:
                cursor.execute(f"{_NO_WAIT}, pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, lock])
            else:
                cursor.execute(_NO_WAIT)
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
