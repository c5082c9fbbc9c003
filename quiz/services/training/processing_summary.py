"""What a call was about, and what was agreed to come next: by a model where one is configured, else by rules that only
quote and count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

import ai
from accounts.exceptions import Temporary

from ...calls.extract import Extract, extract
from ...calls.turns import Turn, turns_from_json
from ...models import TrainingSession
from .processing_reuse import twins_of

RULES = "rules"
LONGEST_STEP = 500
MOST_CHARS = 60_000  # of a transcript that a model is shown: an hour of talk
_CUT = "\n[… left out …]\n"
_SPACES = re.compile(r"\s+")


class CallSummary(BaseModel):
    summary: str = Field(min_length=1, max_length=4000)
    next_step: str = Field(max_length=LONGEST_STEP, description="Empty: nothing was agreed.")
    quote: str = Field(max_length=1000, description="Of one turn, letter for letter; empty without a next step.")


def summarise(session: TrainingSession, may_wait: bool) -> dict[str, Any]:
    """summary, next_step, summarised_by. Raises Temporary only if it may wait."""
    by_model = bool(ai.state()["model"])
    twins = twins_of(session).exclude(summary="").filter(summarised_by__gt="")
    twin = twins.exclude(summarised_by=RULES).first() if by_model else twins.filter(summarised_by=RULES).first()
    if twin is not None:
        return {"summary": twin.summary, "next_step": twin.next_step, "summarised_by": twin.summarised_by}
    turns = turns_from_json(session.clean)
    said = extract(turns, learner=session.learner_speaker)
    if not by_model:
        return {"summary": said.text, "next_step": said.next_step, "summarised_by": RULES}
    return _by_model(session, turns, said, may_wait)


def _by_model(session: TrainingSession, turns: Sequence[Turn], said: Extract, may_wait: bool) -> dict[str, Any]:
    prompt = ai.prompts.load("quiz", "call_summary").fill(
        learner=ai.data("learner", session.learner_speaker or "not known"),
        transcript=ai.data("transcript", _shown(turns)),
    )
    answer = ai.ask(
        CallSummary,
        prompt,
        purpose="quiz.call_summary",
        max_tokens=800,
        organisation=session.organisation_id,
        fallback=lambda: CallSummary(summary=said.text, next_step=said.next_step, quote=""),
        raises=(Temporary,) if may_wait else (),
    )
    told, is_model = answer.value, answer.method == "model"
    is_backed = not is_model or _stands_in(told.quote, turns)
    return {
        "summary": _storable(told.summary),
        "next_step": _storable(told.next_step if is_backed else said.next_step)[:LONGEST_STEP],
        "summarised_by": (answer.model or answer.provider)[:60] if is_model else RULES,
    }


def _shown(turns: Sequence[Turn]) -> str:
    """Of a very long call its beginning and its end, where things are agreed."""
    text = "\n".join(f"{turn.speaker}: {turn.text}" for turn in turns)
    half = MOST_CHARS // 2
    return text if len(text) <= MOST_CHARS else text[:half] + _CUT + text[-half:]


def _stands_in(quote: str, turns: Sequence[Turn]) -> bool:
    wanted = _SPACES.sub(" ", quote).strip(" “”\"'")
    return bool(wanted) and any(wanted in _SPACES.sub(" ", turn.text) for turn in turns)


def _storable(text: str) -> str:
    return text.replace("\x00", "").strip()
