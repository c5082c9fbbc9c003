"""How far somebody is: by category, in the clauses they know least, and on the day of their exam."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Avg, Case, Count, Exists, F, FloatField, Func, IntegerField, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import User

from ..exchange.item import Kind
from ..levels import LEVELS, of_level
from ..models import Answer, Attempt, Category, Clause, ExamGoal, Question, ReviewCard
from ..practice.memory import Memory, recall_at
from ..practice.readiness import Readiness, readiness
from .reviewing import FIELDS

KNOWN = 0.9  # recalled with this likelihood now, and past its first steps
REVIEW = 2
FEWEST_ANSWERS = 3  # before a clause is called weak
EXAM_HOUR = time(8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CategoryProgress:
    """`known` of `seen` of `questions`; `due` can be reviewed now. `readiness` for `exam_on`, else for tomorrow.
    `levels`: how many are easy, medium, hard; of the others nothing is said."""

    category: Category
    questions: int
    seen: int
    known: int
    due: int
    exam_on: date | None
    readiness: Readiness | None
    open_exam_id: UUID | None
    last_exam: Attempt | None
    levels: dict[str, int]

    @property
    def has_levels(self) -> bool:
        """Whether of any question is said how hard it is."""
        return any(self.levels.values())

    @property
    def is_ready(self) -> bool:
        return self.readiness is not None and self.readiness.expected >= float(self.category.pass_share)


@dataclass(frozen=True, slots=True)
class WeakClause:
    """`share` of the marks earned in questions that cite it, 0 to 1."""

    clause: Clause
    answers: int
    share: float


def categories_of(user: User, *, at: datetime | None = None) -> list[CategoryProgress]:
    """Every category that has questions for this person, in its order. Six queries, however many there are."""
    now = at or timezone.now()
    unseen = _unseen(user)
    memories = _memories(user)
    goals = dict(ExamGoal.objects.visible_to(user).values_list("category_id", "exam_on"))
    exams = _exams(user)
    levels = _levels(user)
    found = []
    for category in Category.objects.visible_to(user):
        mine = memories[category.pk]
        count, guessed = unseen.get(category.pk, (0, 0.0))
        if not mine and not count:
            continue
        exam_on = goals.get(category.pk)
        tomorrow = now + timedelta(days=1)  # what was read a moment ago says nothing yet
        day = max(tomorrow, datetime.combine(exam_on, EXAM_HOUR)) if exam_on else tomorrow
        newest, open_exam = exams.get(category.pk, (None, None))
        found.append(
            CategoryProgress(
                category=category,
                questions=len(mine) + count,
                seen=len(mine),
                known=sum(memory.state == REVIEW and recall_at(memory, now) >= KNOWN for memory in mine),
                due=sum(memory.due <= now for memory in mine),
                exam_on=exam_on,
                readiness=readiness(mine, unseen=count, guessed=guessed, at=day),
                open_exam_id=open_exam,
                last_exam=newest,
                levels=levels.get(category.pk, {}),
            )
        )
    return found


def weakest_clauses(user: User, *, most: int = 5) -> list[WeakClause]:
    """The clauses whose questions went worst, of those with a few answers; never one where all was right."""
    clauses = Clause.objects.visible_to(user)
    rows = (
        told_answers()
        .filter(attempt__user=user, version__question__clauses__in=clauses.values("pk"))
        .values(clause=F("version__question__clauses"))
        .annotate(answers=Count("pk"), earned=Avg("share", output_field=FloatField()))
        .filter(answers__gte=FEWEST_ANSWERS, earned__lt=1)
        .order_by("earned", "-answers", "clause")[:most]
    )
    found = list(rows)
    of_id = clauses.select_related("edition__standard").in_bulk([row["clause"] for row in found])
    return [
        WeakClause(of_id[row["clause"]], row["answers"], float(row["earned"]))
        for row in found
        if row["clause"] in of_id
    ]


def told_answers() -> Any:
    """Answers whose result their giver knows: an exam that goes on tells nothing, not even in sums."""
    going_on = Q(attempt__mode=Attempt.Mode.EXAM, attempt__submitted_at__isnull=True)
    return Answer.objects.filter(answered_at__isnull=False).exclude(going_on)


def _unseen(user: User) -> dict[UUID, tuple[int, float]]:
    """By category: how many questions one has never answered, and what guessing them would earn."""
    seen = Exists(ReviewCard.objects.filter(user=user, question=OuterRef("pk")))
    rows = Question.objects.visible_to(user).live().filter(~seen).order_by()
    told = rows.values("category").annotate(count=Count("pk"), guessed=Sum(chance_of_a_guess()))
    return {row["category"]: (row["count"], float(row["guessed"])) for row in told}


def chance_of_a_guess() -> Case:
    """Of a question: the share of the mark that guessing earns on average, 0 to 1."""
    choices = Func(F("current__body__choices"), function="jsonb_array_length", output_field=IntegerField())
    return Case(
        When(current__kind__in=[Kind.SINGLE, Kind.TRUE_FALSE], then=Value(1.0) / Cast(choices, FloatField())),
        default=Value(0.0),
        output_field=FloatField(),
    )


def _levels(user: User) -> dict[UUID, dict[str, int]]:
    """By category, how many questions are of each level."""
    counts = {level: Count("pk", filter=of_level(level, "current__")) for level in LEVELS}
    rows = Question.objects.visible_to(user).live().order_by().values("category").annotate(**counts)
    told = rows.values_list("category", *LEVELS)
    return {category: dict(zip(LEVELS, numbers, strict=True)) for category, *numbers in told}


def _memories(user: User) -> defaultdict[UUID, list[Memory]]:
    """By category, of questions that are still asked in the wording that was answered."""
    found: defaultdict[UUID, list[Memory]] = defaultdict(list)
    live = Question.objects.visible_to(user).live().values("pk")
    rows = ReviewCard.objects.visible_to(user).filter(question__in=live)
    for category_id, is_same, *values in rows.annotate(
        is_same=Case(When(version=F("question__current"), then=True), default=False)
    ).values_list("question__category_id", "is_same", *FIELDS):
        memory = Memory(**dict(zip(FIELDS, values, strict=True)))
        found[category_id].append(memory if is_same else Memory(due=memory.last_review or memory.due))
    return found


def _exams(user: User) -> dict[UUID, tuple[Attempt | None, UUID | None]]:
    """By category: the newest exam handed in, and the id of the one that goes on."""
    found: dict[UUID, tuple[Attempt | None, UUID | None]] = {}
    exams = Attempt.objects.visible_to(user).filter(mode=Attempt.Mode.EXAM, category__isnull=False)
    newest = exams.filter(submitted_at__isnull=False).order_by("category_id", "-started_at").distinct("category_id")
    going_on = exams.filter(submitted_at__isnull=True, deadline_at__gt=timezone.now())
    for attempt in newest:
        assert attempt.category_id is not None
        found[attempt.category_id] = (attempt, None)
    for attempt in going_on:
        assert attempt.category_id is not None
        found[attempt.category_id] = (found.get(attempt.category_id, (None, None))[0], attempt.pk)
    return found
