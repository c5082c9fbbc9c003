"""Which questions an attempt asks."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User

from ..exceptions import BadQuiz, CategoryMissing, ClauseMissing, NothingToAsk
from ..levels import LEVELS, of_level
from ..models import Attempt, Category, Clause, Question, QuestionVersion, ReviewCard
from .reviewing import due_cards, next_due_at

MOST = 50
DEFAULT = 10


def visible_category(*, user: User, category_id: UUID) -> Category:
    """CategoryMissing."""
    found = Category.objects.visible_to(user).filter(pk=category_id).first()
    if found is None:
        raise CategoryMissing("There is no such category.")
    return found


def visible_clause(*, user: User, clause_id: UUID) -> Clause:
    """With its edition and standard. ClauseMissing."""
    rows = Clause.objects.visible_to(user).select_related("edition__standard")
    found = rows.filter(pk=clause_id).first()
    if found is None:
        raise ClauseMissing("There is no such clause.")
    return found


def draw(
    *, user: User, mode: str, category: Category | None, clause: Clause | None, count: int, level: str
) -> list[QuestionVersion]:
    """Wordings in the order they are asked. NothingToAsk: there are none."""
    if not 1 <= count <= MOST:
        raise BadQuiz(f"Ask for 1 to {MOST} questions.", extra={"errors": {"count": [f"A number from 1 to {MOST}."]}})
    if level and level not in LEVELS:
        raise BadQuiz("Pick easy, medium or hard.", extra={"errors": {"difficulty": ["easy, medium or hard."]}})
    if clause is not None and mode != Attempt.Mode.PRACTICE:
        raise BadQuiz("A clause can be practised only.", extra={"errors": {"clause": ["Only with the mode practice."]}})
    if mode == Attempt.Mode.REVIEW:
        return _due(user, category, count)
    if category is None and clause is None:
        raise BadQuiz("Pick a category.", extra={"errors": {"category": ["Pick a category, or a clause."]}})
    if mode == Attempt.Mode.PRACTICE:
        return _for_practice(user, category, clause, count, level)
    assert category is not None
    return _for_exam(user, category)


def _for_practice(
    user: User, category: Category | None, clause: Clause | None, count: int, level: str
) -> list[QuestionVersion]:
    """First what one has not seen, then anything; of a clause, what cites it."""
    seen = Exists(ReviewCard.objects.filter(user=user, question=OuterRef("pk")))
    rows = Question.objects.visible_to(user).live().filter(of_level(level, "current__"))
    if category is not None:
        rows = rows.filter(category=category)
    if clause is not None:
        rows = rows.filter(clauses=clause)
    found = list(rows.annotate(seen=seen).order_by("seen", "?").values_list("current_id", flat=True)[:count])
    if not found and level:
        raise NothingToAsk(f"{clause or category} has no questions of this difficulty. Pick another one, or any.")
    if not found and clause is not None:
        raise NothingToAsk(f"No question cites {clause}. Practise a category instead.")
    return _wordings(category, found)


def _for_exam(user: User, category: Category) -> list[QuestionVersion]:
    rows = Question.objects.visible_to(user).for_exams().filter(category=category)
    return _wordings(category, list(rows.order_by("?").values_list("current_id", flat=True)[: category.exam_questions]))


def _due(user: User, category: Category | None, count: int) -> list[QuestionVersion]:
    cards = due_cards(user)
    if category is not None:
        cards = cards.filter(question__category=category)
    found = list(cards.values_list("question__current_id", flat=True)[:count])
    if found:
        return _wordings(category, found)
    at = next_due_at(user)
    if at is None or at <= timezone.now():
        raise NothingToAsk("Nothing is due here. Practise a category: what you answer comes back when it is due.")
    raise NothingToAsk(f"Nothing is due before {at:%-d %B, %H:%M} UTC. Practise something new until then.")


def _wordings(category: Category | None, ids: Sequence[UUID | None]) -> list[QuestionVersion]:
    if not ids:
        raise NothingToAsk(f"{category} has no questions yet. Pick another category.")
    found = QuestionVersion.objects.in_bulk([one for one in ids if one is not None])
    return [found[one] for one in ids if one in found]
