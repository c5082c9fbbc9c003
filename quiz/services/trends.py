"""How somebody's practice went, week by week."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Avg, Count, FloatField, Sum
from django.db.models.functions import TruncWeek
from django.utils import timezone

from accounts.models import User

from ..models import Question, ReviewLog
from ..practice.memory import Memory, reviewed
from ..practice.readiness import readiness
from .drawing import visible_category
from .progress import chance_of_a_guess, told_answers

WEEKS = 12
WEEK, DAY = timedelta(days=7), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Week:
    """`monday`: its first day, UTC. `share` of the marks earned in its `answers`, 0 to 1; None without any.

    `readiness`: what an exam the day after its end would have brought, of the questions there are today; an estimate.
    None before anything was practised, and where no category was asked for: categories have no exam together.
    """

    monday: date
    answers: int
    share: float | None
    readiness: float | None


def weeks_of(user: User, *, category_id: UUID | None = None, at: datetime | None = None) -> list[Week]:
    """The last 12 weeks, the present one last; those without an answer too. Four queries at most, and some 30 µs for
    each review ever made of the category, whose log is gone through. CategoryMissing."""
    now = (at or timezone.now()).astimezone(UTC)
    this = now.date() - timedelta(days=now.weekday())
    mondays = [this - back * WEEK for back in range(WEEKS - 1, -1, -1)]
    rows = told_answers().filter(attempt__user=user, answered_at__gte=_midnight(mondays[0]), answered_at__lte=now)
    if category_id is not None:
        category_id = visible_category(user=user, category_id=category_id).pk
        rows = rows.filter(version__question__category=category_id)
    told = rows.annotate(week=TruncWeek("answered_at", tzinfo=UTC)).values("week").order_by()
    figures = {
        row["week"].date(): (row["answers"], row["earned"])
        for row in told.annotate(answers=Count("pk"), earned=Avg("share", output_field=FloatField()))
    }
    ends = [min(now, _midnight(monday + WEEK)) for monday in mondays]
    expected = list(_expected(user, category_id, ends)) if category_id else [None] * WEEKS
    return [Week(monday, *figures.get(monday, (0, None)), one) for monday, one in zip(mondays, expected, strict=True)]


def _expected(user: User, category_id: UUID, ends: list[datetime]) -> Iterator[float | None]:
    """At each of these moments, from what had been reviewed until then: the log is gone through once."""
    live = Question.objects.visible_to(user).live().filter(category=category_id).order_by()
    total = live.aggregate(count=Count("pk"), guessed=Sum(chance_of_a_guess()))
    log = ReviewLog.objects.filter(card__user=user, card__question__in=live.values("pk"), reviewed_at__lte=ends[-1])
    reviews = list(
        log.order_by("reviewed_at", "pk").values_list("card__question_id", "version_id", "rating", "reviewed_at")
    )
    chances = dict(live.filter(cards__user=user).values_list("pk", chance_of_a_guess())) if reviews else {}
    known: dict[UUID, tuple[UUID, Memory]] = {}
    guessed, at = float(total["guessed"] or 0), 0
    for end in ends:
        while at < len(reviews) and reviews[at][3] <= end:
            question, version, rating, moment = reviews[at]
            before = known.get(question)
            if before is None:
                guessed -= chances.get(question, 0.0)
            is_same = before is not None and before[0] == version
            memory = before[1] if before is not None and is_same else Memory(due=moment)
            known[question] = (version, reviewed(memory, rating, moment))
            at += 1
        memories = [memory for _, memory in known.values()]
        told = readiness(memories, unseen=total["count"] - len(memories), guessed=guessed, at=end + DAY)
        yield told.expected if told is not None and memories else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=UTC)
