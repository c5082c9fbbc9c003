"""Cards: what each answer leaves in somebody's memory, and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from accounts.models import User

from ..models import Answer, Question, QuestionVersion, ReviewCard, ReviewLog
from ..practice.memory import Memory, rating_of, reviewed

FIELDS = ("state", "step", "stability", "difficulty", "due", "last_review")


def due_cards(user: User, *, at: datetime | None = None) -> QuerySet[ReviewCard]:
    """Cards that are due and can be asked, the longest overdue first; a question with a new wording is due at once."""
    is_due = Q(due__lte=at or timezone.now()) | ~Q(version=F("question__current"))
    return ReviewCard.objects.visible_to(user).filter(is_due, question__in=_askable(user)).order_by("due", "pk")


@dataclass(frozen=True, slots=True)
class DueCategory:
    category_id: UUID
    name: str
    due: int


def due_by_category(user: User) -> list[DueCategory]:
    """Where there is something due, most first."""
    rows = due_cards(user).order_by().values_list("question__category", "question__category__name")
    return [DueCategory(*row) for row in rows.annotate(due=Count("pk")).order_by("-due", "question__category__name")]


def next_due_at(user: User) -> datetime | None:
    """When the next card comes, of those that can be asked; None: there are no cards."""
    found = (
        ReviewCard.objects.visible_to(user)
        .filter(question__in=_askable(user))
        .order_by("due")
        .values_list("due", flat=True)
    )
    return found.first()


def memory_of(card: ReviewCard) -> Memory:
    return Memory(**{name: getattr(card, name) for name in FIELDS})


def remember(*, user_id: UUID, answers: Sequence[Answer]) -> None:
    """Rate the cards of these answers, with their log; in the caller's transaction, whose answers are new.

    Cards are locked in the order of their questions, so that two attempts never wait for each other. The answer to a
    wording older than the card's says nothing of the new one; a new wording begins anew.
    """
    from_question = {answer.version.question_id: answer for answer in answers if answer.share is not None}
    ReviewCard.objects.bulk_create(
        [
            ReviewCard(user_id=user_id, question_id=key, version_id=each.version_id)
            for key, each in from_question.items()
        ],
        ignore_conflicts=True,
    )
    cards = ReviewCard.objects.filter(user_id=user_id, question_id__in=from_question).order_by("question_id")
    changed, log = [], []
    for card in cards.select_for_update(of=("self",)).select_related("version", "question"):
        answer = from_question[card.question_id]
        if card.version_id != answer.version_id and card.question.current_id != answer.version_id:
            continue
        log.append(_rate(card, answer))
        changed.append(card)
    ReviewCard.objects.bulk_update(changed, ["version", *FIELDS])
    ReviewLog.objects.bulk_create(log)


def _rate(card: ReviewCard, answer: Answer) -> ReviewLog:
    at = answer.answered_at or timezone.now()
    assert answer.share is not None
    rating = rating_of(answer.share, is_unsure=answer.is_unsure, seconds=answer.seconds, words=words_of(answer.version))
    before = Memory(due=at) if card.version_id != answer.version_id else memory_of(card)
    after = reviewed(before, rating, at)
    card.version_id = answer.version_id
    for name in FIELDS:
        setattr(card, name, getattr(after, name))
    return ReviewLog(
        card=card, version_id=answer.version_id, answer=answer, rating=rating, reviewed_at=at, seconds=answer.seconds
    )


def words_of(version: QuestionVersion) -> int:
    """What there is to read before answering."""
    body = version.body
    texts = [version.stem]
    texts += [each.get("text", "") for name in ("choices", "sequence") for each in body.get(name, ())]
    texts += [f"{pair['left']} {pair['right']}" for pair in body.get("pairs", ())]
    return sum(len(text.split()) for text in texts)


def _askable(user: User) -> QuerySet[Any, Any]:
    return Question.objects.visible_to(user).live().values("pk")
