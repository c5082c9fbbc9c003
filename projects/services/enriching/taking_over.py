"""What enrichment suggests for a position, and taking over a price: an edit like any other, with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import User

from ...exceptions import Refused
from ...models import BudgetVersion, Position
from ..editing import edit_position
from .lookup import Question

SOURCES = ("catalogue", "history")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One source's word on a position. `price` None: it has none that can be compared, and `why` says so.

    `is_likeness`: found by text, not by code; `score` 0-100 of that."""

    source: str
    title: str
    text: str
    price: Decimal | None
    why: str
    is_likeness: bool
    score: Decimal
    difference: Decimal | None  # the position's price over this one, less 1
    details: dict[str, Any]


def suggestions_of(row: Position) -> list[Suggestion]:
    """None for a row whose code, text or unit have changed since it was looked up."""
    told = row.enrichment or {}
    question = Question.of(row.code, row.description, row.unit)
    if told.get("of") != [question.code, question.text, question.unit]:
        return []
    found = []
    if item := told.get("catalogue"):
        title = f"{item['edition']}: {item['code']}"
        found.append(_suggestion("catalogue", title, row, item, item.get("unit_price"), item.get("why_unpriced", "")))
    if own := told.get("history"):
        title = f"Own budgets ({own['n']})"
        found.append(_suggestion("history", title, row, own, own.get("price"), ""))
    return found


def take_over(*, project_id: UUID, lineage: UUID, actor: User, seen: int, source: str) -> BudgetVersion:
    """Set the position's unit price to what `source` says. Raises Refused("no_suggestion") and as `edit_position`."""
    row = Position.objects.filter(project_id=project_id, lineage=lineage, pk=seen).first()
    found = next((each for each in suggestions_of(row) if each.source == source), None) if row else None
    if found is None or found.price is None:
        raise Refused("There is no such price to take over any more. Look the budget up again.", code="no_suggestion")
    likeness = f", likeness {found.score:f} of 100" if found.is_likeness else ""
    return edit_position(
        project_id=project_id,
        lineage=lineage,
        actor=actor,
        seen=seen,
        changes={"unit_price": found.price},
        reason=f"Price taken over from {found.title}{likeness}",
    )


def _suggestion(source: str, title: str, row: Position, told: Any, price: str | None, why: str) -> Suggestion:
    amount = None if price is None else Decimal(price)
    difference = row.unit_price / amount - 1 if row.unit_price and amount else None
    return Suggestion(
        source=source,
        title=title,
        text=told.get("text", ""),
        price=amount,
        why=why,
        is_likeness=told["how"] == "text",
        score=Decimal(str(told["score"])),
        difference=difference,
        details=told,
    )
