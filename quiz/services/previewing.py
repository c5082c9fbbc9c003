"""A question that is still being written, as learners will see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..exchange.item import Item
from ..models import QuestionVersion
from ..practice.asking import order_of
from ..practice.markup import safe_html
from ..practice.revealing import right_of
from .bodies import body_of
from .presenting import question_out

SEED = UUID(int=0)  # the same order while it is written


def preview_of(item: Item, *, is_sound: bool) -> dict[str, Any]:
    """`{"question", "result"}` as attempts hand them out; no result of what can't be asked yet. Writes nothing."""
    body = body_of(item)
    version = QuestionVersion(
        pk=SEED, kind=item.kind.value, markup=item.markup.value, stem=item.stem, body=body, difficulty=item.difficulty
    )
    shown = order_of(version.kind, version.body, str(SEED))
    result = None
    if is_sound:
        result = {
            "share": "1",
            "is_right": True,
            "right": right_of(version.kind, version.body, shown),
            "feedback": [],
            "explanation": safe_html(item.explanation, version.markup),
            "references": list(item.references),
            "clauses": [],
        }
    return {"question": question_out(version, shown), "result": result}
