"""A call's qualities judged by the language model that is configured, held to what stands in the transcript."""

from __future__ import annotations

import structlog

import ai
from accounts.exceptions import PlumblineError
from ai import configuration

from ...calls.judgement import LONGEST_CALL, Judgement, kept, script_of
from ...calls.rules import Judged
from ...calls.turns import turns_from_json
from ...models import Criterion
from .grading_storing import Judging

PURPOSE = "quiz.grade"
PROMPT = "grade"
CACHE_S = 24 * 3600  # a worker killed between answer and row asks again for nothing
TOKENS, TOKENS_EACH, MOST_TOKENS = 900, 350, 8000
_LONGEST_NAME = 48  # of a model, so that prompt and hash fit beside it
log = structlog.get_logger(__name__)


def version() -> str | None:
    """Model and prompt, as grades name them: "claude-haiku-4-5, grade v1 (1f2e3d4c)". None: no model is configured."""
    config = configuration.current()
    if config is None:
        return None
    template = ai.prompts.load("quiz", PROMPT)
    return f"{config.model[:_LONGEST_NAME]}, {PROMPT} v{template.version} ({template.hash[:8]})"


def judged(judging: Judging, *, raises: tuple[type[PlumblineError], ...]) -> tuple[dict[str, Judged], str]:
    """By key, every quality; and the feedback. What the model could not be asked is without score, with the reason."""
    turns = turns_from_json(judging.session.clean)
    learner, keys = judging.session.learner_speaker, [row.key for row in judging.qualities]
    if not any(turn.speaker == learner for turn in turns):
        return _unjudged(keys, "It is not known who the learner is."), ""
    script = script_of(turns, learner)
    if len(script) > LONGEST_CALL:
        return _unjudged(keys, f"The call is longer than {LONGEST_CALL:,} characters: too long for one look."), ""
    try:
        answer = ai.ask(
            Judgement,
            _prompt(judging, script),
            purpose=PURPOSE,
            max_tokens=min(MOST_TOKENS, TOKENS + TOKENS_EACH * len(keys)),
            organisation=judging.session.organisation_id,
            cache_s=CACHE_S,
        )
    except PlumblineError as error:
        if isinstance(error, raises):
            raise
        log.warning("call_not_graded_by_model", session_id=str(judging.session.pk), code=error.code)
        return _unjudged(keys, f"The model gave no grade: {_told(error)}"), ""
    return kept(answer.value, turns, keys=keys), answer.value.feedback.strip()


def _told(error: PlumblineError) -> str:
    """For learners: what is wrong with keys, money and servers is for operators, and in the records of calls."""
    if isinstance(error, ai.ModelDeclined):
        return "it would not judge this call."
    if isinstance(error, ai.AnswerInvalid):
        return "its answer was none that could be read."
    return "it could not be asked. Process the call again later."


def _unjudged(keys: list[str], why: str) -> dict[str, Judged]:
    return {key: Judged(None, f"Not judged: {why}") for key in keys}


def _prompt(judging: Judging, script: str) -> ai.Prompt:
    template = judging.session.template
    told = {"Scenario": template.scenario, "The other side": template.persona} if template else {}
    situation = "\n".join(f"{name}: {text}" for name, text in told.items() if text) or "Nothing."
    rubric = "\n\n".join(_criterion(row) for row in judging.qualities)
    return ai.prompts.load("quiz", PROMPT).fill(
        situation=ai.data(situation, "situation"),
        rubric=ai.data(rubric, "rubric"),
        transcript=ai.data(script, "transcript"),
    )


def _criterion(row: Criterion) -> str:
    levels = [f"  {level['score']}: {level['name']}. {level.get('description', '')}".rstrip() for level in row.levels]
    lines = [f"key: {row.key}", f"name: {row.name}"]
    lines += [f"what is looked for: {row.description}"] if row.description else []
    return "\n".join([*lines, *(["levels:", *levels] if levels else [])])
