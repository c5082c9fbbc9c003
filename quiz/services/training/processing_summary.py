"""The step that says what a call was about: taken over from an identical transcript, else worked out."""

from __future__ import annotations

from typing import Any

import ai
from accounts.exceptions import Temporary

from ...models import TrainingSession
from .grading_summary import RULES
from .grading_summary import summarise as summary_of
from .processing_reuse import twins_of


def summarise(session: TrainingSession, may_wait: bool) -> dict[str, Any]:
    """summary, next_step, summarised_by. Raises Temporary only if it may wait."""
    by_model = bool(ai.state()["model"])
    twins = twins_of(session).exclude(summary="").filter(summarised_by__gt="")
    twin = twins.exclude(summarised_by=RULES).first() if by_model else twins.filter(summarised_by=RULES).first()
    if twin is not None:
        return {"summary": twin.summary, "next_step": twin.next_step, "summarised_by": twin.summarised_by}
    text, next_step, by = summary_of(session_id=session.pk, raises=(Temporary,) if may_wait else ())
    return {"summary": text, "next_step": next_step, "summarised_by": by}
