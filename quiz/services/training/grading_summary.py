"""What a call was about and what was agreed to come next: by a model where one is configured, else an extract of the
call's own words. A next step of the model's stands only on a quote from the transcript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, Field

import ai
from accounts.exceptions import PlumblineError, Temporary

from ...calls.backing import backed
from ...calls.extract import extract
from ...calls.judgement import script_of
from ...calls.turns import Turn, turns_from_json
from ...models import TrainingSession
from ...training_exceptions import NotProcessed, SessionMissing

RULES = "rules"
PURPOSE = "quiz.call_summary"
MOST_CHARS = 60_000  # of a transcript that a model is shown: an hour of talk
LONGEST_STEP = 500
MAX_TOKENS = 900
CACHE_S = 24 * 3600  # a worker killed between answer and row asks again for nothing
_CUT = "[… left out …]"


class CallSummary(BaseModel):
    summary: str = Field(min_length=1, max_length=4000)
    next_step: str = Field(max_length=LONGEST_STEP, description="Empty: nothing was agreed.")
    quote: str = Field(max_length=600, description="Of one turn, letter for letter; empty without a next step.")


class Summary(NamedTuple):
    """`by`: "rules", or the model's name."""

    text: str
    next_step: str
    by: str


def summarise(*, session_id: UUID, raises: tuple[type[PlumblineError], ...] = (Temporary,)) -> Summary:
    """Writes nothing. The extract stands in after any error of the model that `raises` does not name, and says that it
    is one. Not inside a transaction.

    Raises SessionMissing, NotProcessed (not cleaned yet).
    """
    session = TrainingSession.objects.defer("raw").filter(pk=session_id).first()
    if session is None:
        raise SessionMissing("There is no such call any more.")
    if not session.clean:
        raise NotProcessed("This call has not been cleaned yet. Process it first.")
    turns = turns_from_json(session.clean)
    said = extract(turns, learner=session.learner_speaker)
    answer = ai.ask(
        CallSummary,
        _prompt(turns, session.learner_speaker),
        purpose=PURPOSE,
        max_tokens=MAX_TOKENS,
        organisation=session.organisation_id,
        cache_s=CACHE_S,
        fallback=lambda: CallSummary(summary=said.text, next_step=said.next_step, quote=""),
        raises=raises,
    )
    if answer.method != "model":
        return Summary(said.text, said.next_step, RULES)
    told = answer.value
    is_backed = bool(told.next_step) and backed(turns, turn=-1, quote=told.quote) is not None
    return Summary(told.summary.strip(), told.next_step.strip() if is_backed else "", (answer.model or "model")[:60])


def _prompt(turns: Sequence[Turn], learner: str) -> ai.Prompt:
    script = _shortened(script_of(turns, learner))
    return ai.prompts.load("quiz", "call_summary").fill(transcript=ai.data(script, "transcript"))


def _shortened(script: str) -> str:
    """Of a very long call its beginning and its end, where things are agreed; in whole turns."""
    if len(script) <= MOST_CHARS:
        return script
    half = MOST_CHARS // 2
    head, tail = script[:half].rpartition("\n")[0], script[-half:].partition("\n")[2]
    return "\n".join([head or script[:half], _CUT, tail or script[-half:]])
