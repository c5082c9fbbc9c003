"""One question to the provider until it is answered: attempts, the one repair, what each outcome means."""

from __future__ import annotations

import math
import random
import time
from dataclasses import replace
from typing import Generic, TypeVar

import structlog
from django.conf import settings
from pydantic import BaseModel

from ..answer import Question, Reply, Stop, Turn
from ..configuration import Configuration
from ..exceptions import AnswerInvalid, ModelDeclined, ModelUnavailable, RequestRejected
from ..pricing import estimate_tokens
from ..providers import Dialect, provider_of, wire
from ..providers.protocol import NotAReply
from ..reading import Unfit, read
from . import pausing, traffic
from .ledger import Entry

log = structlog.get_logger(__name__)
T = TypeVar("T", bound=BaseModel)

SLICE_S = 0.25  # of a sleep: an exception sent to this thread (a job's cancellation) arrives between two
QUOTED = 4000  # characters of a wrong answer shown to the model again

# What each server understands, found out once per process; threads may race on it, and find out the same.
_dialects: dict[str, Dialect] = {}


class Conversation(Generic[T]):
    def __init__(
        self,
        config: Configuration,
        schema: type[T],
        entry: Entry,
        queue: str,
        wait_s: float | None,
        within_s: float | None = None,
    ) -> None:
        self._config = config
        self._provider = provider_of(config.provider)
        self._schema = schema
        self._entry = entry
        self._queue = queue
        self._wait_s = settings.AI_WAIT_S if wait_s is None else wait_s
        self._until = math.inf if within_s is None else time.monotonic() + within_s
        self._failures = 0
        self._is_repaired = False

    def hold(self, question: Question, *, cache_s: float | None) -> tuple[T, tuple[str, ...]]:
        """The object, and what was adjusted in it. Whatever happens is in the entry, also when the process is told to
        stop."""
        pausing.check(self._config)  # before anybody stands in line
        try:
            value, adjusted = self._converse(question)
        except BaseException as error:
            self._entry.failed(error)
            raise
        self._entry.answered(value.model_dump(mode="json"), cache_s=cache_s)
        return value, adjusted

    def _converse(self, question: Question) -> tuple[T, tuple[str, ...]]:
        self._entry.owe(tokens_in=tokens_in_of(question), tokens_out=question.max_tokens)
        while True:
            reply = self._reply(question)
            if reply is None:
                continue
            if reply.stop is Stop.DECLINED:
                self._entry.fault("declined")
                raise ModelDeclined("The model declined to answer this.")
            try:
                return self._read(reply)
            except Unfit as unfit:
                self._entry.fault("truncated" if reply.stop is Stop.TRUNCATED else "unfit")
                if self._is_repaired:
                    raise AnswerInvalid(
                        f"The model's answer does not fit, and neither does its repair: {unfit}"
                    ) from unfit
                self._is_repaired = True
                question = _repaired(question, reply, unfit)
                self._entry.land()
                self._entry.owe(tokens_in=tokens_in_of(question), tokens_out=question.max_tokens)

    def _read(self, reply: Reply) -> tuple[T, tuple[str, ...]]:
        """Also of a cut answer: sometimes only the wrapping is missing."""
        try:
            return read(self._schema, reply.text, is_last=self._is_repaired)
        except Unfit:
            if reply.stop is Stop.TRUNCATED:
                raise Unfit("It was cut off: it must be shorter.") from None
            raise

    def _reply(self, question: Question) -> Reply | None:
        """One request. None: it failed, and is worth another one, the wait for which is over."""
        dialect = dialect_of(self._config)
        try:
            return self._request(question, dialect)
        except wire.Rejected as rejected:
            self._note(rejected, question)
            simpler = self._provider.simpler(dialect, str(rejected).lower())
            if simpler is None:
                raise RequestRejected(f"{self._config.provider} does not take this request: {rejected}") from rejected
            _dialects[self._config.fingerprint] = simpler
            log.info("model_dialect", model=self._config.model, output=simpler.output, length=simpler.length_field)
        except wire.Failed as failure:
            self._note(failure, question)
            self._failures += 1
            pause_s = _wait_s(failure, self._failures)
            if self._failures >= settings.AI_ATTEMPTS or pause_s >= self._left_s():
                raise self._unavailable(failure) from failure
            _sleep(pause_s)
        return None

    def _request(self, question: Question, dialect: Dialect) -> Reply:
        config, tokens_in = self._config, tokens_in_of(question)
        wait_s = min(self._wait_s, self._left_s())
        if wait_s <= 0 < self._wait_s:
            raise ModelUnavailable("The time for this answer is over.")
        with traffic.place(
            config,
            tokens=tokens_in + question.max_tokens,
            wait_s=wait_s,
            queue=self._queue,
            who=self._entry.row.purpose,
        ) as place:
            pausing.check(config)  # it may have begun while we waited
            self._entry.take_off(at_most=place.at_most, flight_s=place.flight_s, wait_s=wait_s)
            received = self._post(question, dialect, place)
            place.succeeded()
            try:
                reply = self._provider.reply(received.document)
            except NotAReply as error:
                text = "The answer is not one of this protocol. Is AI_BASE_URL right?"
                raise wire.Failed(
                    "no_reply", text, status=200, latency_ms=received.latency_ms, is_maybe_billed=True
                ) from error
            place.used = self._entry.replied(reply, tokens_in=tokens_in)
            return reply

    def _post(self, question: Question, dialect: Dialect, place: traffic.Place) -> wire.Received:
        config, provider = self._config, self._provider
        try:
            return wire.post(
                config.base_url + provider.path,
                headers=provider.headers(config.api_key),
                body=provider.body(config.model, question, dialect),
                timeout_s=max(0.1, min(place.request_s, self._left_s())),
            )
        except wire.KeyRefused as refused:
            # While we still hold the place: whoever gets it next must find the pause.
            self._note(refused, question)
            raise pausing.pause(configuration=config, status=refused.status, reason=str(refused)) from refused
        except wire.Throttled as throttled:
            throttled.is_shared = place.throttled(throttled.retry_after_s, f"{config.provider}: {throttled}"[:200])
            raise

    def _left_s(self) -> float:
        return max(0.0, self._until - time.monotonic())

    def _note(self, failure: wire.Failed, question: Question) -> None:
        billed = tokens_in_of(question) if failure.is_maybe_billed else 0
        self._entry.fault(failure.code, status=failure.status, latency_ms=failure.latency_ms, billed_tokens=billed)
        self._entry.land()

    def _unavailable(self, failure: wire.Failed) -> ModelUnavailable:
        asked_s = failure.retry_after_s if isinstance(failure, wire.Throttled) else None
        return ModelUnavailable(
            f"{self._config.provider} gave no answer in {self._failures} attempts; the last: {failure}",
            retry_after_s=asked_s,
        )


def dialect_of(config: Configuration) -> Dialect:
    return _dialects.get(config.fingerprint, Dialect())


def backoff_s(failures: int) -> float:
    """After the first failure the shortest wait, then twice that and so on, less up to a third: callers who failed
    together must not come back together."""
    shortest, longest = settings.AI_BACKOFF_S
    return float(min(longest, shortest * 2 ** (failures - 1))) * random.uniform(0.67, 1)  # noqa: S311


def _wait_s(failure: wire.Failed, failures: int) -> float:
    """A throttled call waits for its next place: nobody gets one before the pause for all is over. Where the others
    could not be told it waits by itself, for as long as it was told to, within reason."""
    if not isinstance(failure, wire.Throttled):
        return backoff_s(failures)
    if failure.is_shared:
        return 0.0
    longest_s: float = settings.AI_BACKOFF_S[1]
    return max(backoff_s(failures), min(failure.retry_after_s or 0.0, longest_s))


def _repaired(question: Question, reply: Reply, unfit: Unfit) -> Question:
    """An answer that was cut off: the same once more with room for twice as much. Else: what was wrong."""
    if reply.stop is Stop.TRUNCATED:
        return replace(question, max_tokens=2 * question.max_tokens)
    told = f"That does not fit what was asked for:\n{unfit}\nGive the whole JSON object again, corrected."
    turns = (*question.turns, Turn("assistant", reply.text[:QUOTED] or "{}"), Turn("user", told))
    return replace(question, turns=turns)


def tokens_in_of(question: Question) -> int:
    text = "".join(turn.text for turn in question.turns)
    return estimate_tokens(question.system + text + str(question.json_schema))


def _sleep(seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, SLICE_S))
