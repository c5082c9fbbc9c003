"""Sittings: started, answered, handed in. All by the server's clock.

Every step locks the attempt's row, so two tabs, a client that sends again and the clock that ends an exam come one
after the other. The same answer again is the same answer; another one does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from jobs.events import publish_on_commit

from ..exceptions import AlreadyAnswered, AnswerRefused, AttemptMissing, AttemptOver, BadQuiz, TimeIsOver
from ..models import Answer, Attempt, QuestionVersion
from ..practice.asking import BadAnswer, given_of, order_of
from ..practice.marking import ALL, PLACES, mark
from .drawing import DEFAULT, draw, visible_category, visible_clause
from .reviewing import remember

MOST_SECONDS = 3600.0
AT_ONCE = 200  # exams that one run of the clock ends


@dataclass(frozen=True, slots=True)
class Answered:
    """`answer` with its version; `is_new` is false when it had been given before."""

    attempt: Attempt
    answer: Answer
    is_new: bool


def start(
    *,
    actor: User,
    mode: str,
    category_id: UUID | None = None,
    clause_id: UUID | None = None,
    count: int = DEFAULT,
    level: str = "",
) -> tuple[Attempt, bool]:
    """A new attempt with its questions laid down, and True; of exams the one that goes on, and False.

    Practice takes a category, or a clause that questions cite, or both. CategoryMissing, ClauseMissing, BadQuiz,
    NothingToAsk.
    """
    if mode not in Attempt.Mode.values:
        raise BadQuiz("Pick practice, exam or review.", extra={"errors": {"mode": ["practice, exam or review."]}})
    category = visible_category(user=actor, category_id=category_id) if category_id else None
    if mode == Attempt.Mode.EXAM and category and (open_exam := _open_exam(actor, category.pk)):
        return open_exam, False
    clause = visible_clause(user=actor, clause_id=clause_id) if clause_id else None
    versions = draw(user=actor, mode=mode, category=category, clause=clause, count=count, level=level)
    now = timezone.now()
    minutes = category.exam_minutes if category and mode == Attempt.Mode.EXAM else None
    try:
        with transaction.atomic():
            attempt = Attempt.objects.create(
                user=actor,
                category=category,
                clause=clause,
                mode=mode,
                question_count=len(versions),
                started_at=now,
                deadline_at=now + timedelta(minutes=minutes) if minutes else None,
            )
            _lay_down(attempt, versions)
    except IntegrityError:  # the other tab was quicker
        if category and (open_exam := _open_exam(actor, category.pk)):
            return open_exam, False
        raise
    return attempt, True


def _lay_down(attempt: Attempt, versions: Sequence[QuestionVersion]) -> None:
    Answer.objects.bulk_create(
        Answer(
            attempt=attempt,
            position=position,
            version=version,
            shown=order_of(version.kind, version.body, f"{attempt.pk}/{position}"),
        )
        for position, version in enumerate(versions, 1)
    )


def look(*, actor: User, attempt_id: UUID) -> Attempt:
    """One's own attempt, with its category; an exam whose time is over has ended. AttemptMissing."""
    attempt = Attempt.objects.visible_to(actor).select_related("category", "clause").filter(pk=attempt_id).first()
    if attempt is None:
        raise AttemptMissing("There is no such attempt, or it is not yours.")
    if is_overdue(attempt):
        _end_overdue(attempt.pk)
        attempt.refresh_from_db()
    return attempt


def answer(
    *,
    actor: User,
    attempt_id: UUID,
    position: int,
    given: Any,
    is_unsure: bool = False,
    seconds: float | None = None,
) -> Answered:
    """Keep one answer (by places, `quiz.practice.asking`). Practice and review end with their last one.

    AttemptMissing, AnswerRefused, AlreadyAnswered, AttemptOver; TimeIsOver: the exam has ended, without this answer.
    """
    with transaction.atomic():
        attempt = _locked(actor, attempt_id)
        is_late = is_overdue(attempt)
        if is_late:
            finish(attempt)
        else:
            return _keep(attempt, position, given, is_unsure, seconds)
    raise TimeIsOver("The time was over before this answer came. What you answered before counts.")


def submit(*, actor: User, attempt_id: UUID) -> Attempt:
    """Hand it in; what is open earns nothing. A second time changes nothing. AttemptMissing."""
    with transaction.atomic():
        attempt = _locked(actor, attempt_id)
        if attempt.submitted_at is None:
            finish(attempt)
    return attempt


def end_overdue() -> int:
    """End exams whose time is over; how many. Several at once do no harm: locked rows are left to whoever has them."""
    due = Attempt.objects.filter(submitted_at__isnull=True, deadline_at__lte=timezone.now()).order_by("deadline_at")
    return sum(_end_overdue(attempt_id) for attempt_id in list(due.values_list("pk", flat=True)[:AT_ONCE]))


def is_overdue(attempt: Attempt) -> bool:
    """Its time is over, and it has not been ended."""
    return attempt.submitted_at is None and attempt.deadline_at is not None and attempt.deadline_at <= timezone.now()


def finish(attempt: Attempt) -> None:
    """Score an attempt that the caller has locked. Exams leave their cards now: before, cards would tell."""
    answers = list(attempt.answers.select_related("version").order_by("position"))
    total = sum((each.share or Decimal(0) for each in answers), Decimal(0))
    now = timezone.now()
    attempt.submitted_at = min(now, attempt.deadline_at) if attempt.deadline_at else now
    attempt.score = min(ALL, (total / max(1, len(answers))).quantize(PLACES))
    if attempt.mode == Attempt.Mode.EXAM and attempt.category is not None:
        attempt.is_passed = attempt.score >= attempt.category.pass_share
        remember(user_id=attempt.user_id, answers=[each for each in answers if each.answered_at])
        _say_so(attempt)
    attempt.save(update_fields=["submitted_at", "score", "is_passed"])


def _say_so(attempt: Attempt) -> None:
    """To the pages that still show it, on other devices too, and to whatever else the person looks at just now."""
    told = "passed" if attempt.is_passed else "not passed"
    text = f"Your exam in {attempt.category} has ended: {100 * (attempt.score or 0):.0f} %, {told}."
    notice = {
        "level": "success" if attempt.is_passed else "info",
        "text": text,
        "url": reverse("quiz:attempt", args=[attempt.pk]),
    }
    publish_on_commit(f"user:{attempt.user_id}", "notification", notice)


def _keep(attempt: Attempt, position: int, given: Any, is_unsure: bool, seconds: float | None) -> Answered:
    row = attempt.answers.select_related("version").filter(position=position).first()
    if row is None:
        raise AnswerRefused(f"This attempt has questions 1 to {attempt.question_count}.", code="no_such_question")
    version = row.version
    try:
        told = given_of(version.kind, version.body, row.shown, given)
        earned = mark(version.kind, version.body, told)
    except BadAnswer as error:
        raise AnswerRefused(str(error)) from error
    if row.answered_at is not None:
        if row.given == told:
            return Answered(attempt, row, is_new=False)
        raise AlreadyAnswered("You have answered this question before: the first answer counts.")
    if attempt.submitted_at is not None:
        raise AttemptOver("This attempt has been handed in.")
    row.given, row.share, row.is_unsure = dict(told), earned.share, is_unsure
    row.seconds = min(max(0.0, seconds), MOST_SECONDS) if seconds is not None else None
    row.answered_at = timezone.now()
    row.save(update_fields=["given", "share", "is_unsure", "seconds", "answered_at"])
    if attempt.mode != Attempt.Mode.EXAM:
        remember(user_id=attempt.user_id, answers=[row])
        if not attempt.answers.filter(answered_at__isnull=True).exists():
            finish(attempt)
    return Answered(attempt, row, is_new=True)


def _locked(actor: User, attempt_id: UUID) -> Attempt:
    rows = Attempt.objects.visible_to(actor).select_for_update(of=("self",)).select_related("category", "clause")
    attempt = rows.filter(pk=attempt_id).first()
    if attempt is None:
        raise AttemptMissing("There is no such attempt, or it is not yours.")
    return attempt


def _open_exam(user: User, category_id: UUID) -> Attempt | None:
    """The one that goes on; one whose time is over is ended."""
    found = Attempt.objects.filter(
        user=user, category_id=category_id, mode=Attempt.Mode.EXAM, submitted_at__isnull=True
    ).first()
    if found is not None and is_overdue(found):
        _end_overdue(found.pk)
        return None
    return found


def _end_overdue(attempt_id: UUID) -> int:
    """1 if it was ended here, 0 if somebody else has. Waits for an answer under way."""
    with transaction.atomic():
        rows = Attempt.objects.select_for_update(of=("self",)).select_related("category")
        attempt = rows.filter(pk=attempt_id).first()
        if attempt is None or not is_overdue(attempt):
            return 0
        finish(attempt)
    return 1


def seconds_left(attempt: Attempt, *, at: datetime | None = None) -> float | None:
    """Of an exam that goes on, by the server's clock; None otherwise."""
    if attempt.deadline_at is None or attempt.submitted_at is not None:
        return None
    return max(0.0, (attempt.deadline_at - (at or timezone.now())).total_seconds())
