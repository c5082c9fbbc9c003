"""What a person wants of quizzes: a place on the leaderboard, a day for an exam. And the leaderboard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from accounts.models import User

from ..exceptions import BadQuiz
from ..models import ExamGoal, Learner
from .drawing import visible_category
from .progress import told_answers

DAYS = 30
MOST_LEADERS = 50
FARTHEST_DAYS = 3 * 366


@dataclass(frozen=True, slots=True)
class Leader:
    """`right`: different questions answered rightly in the last 30 days. People with as many share a `place`."""

    place: int
    name: str
    right: int
    is_me: bool


def learner_of(user: User) -> Learner:
    """Their wishes; unsaved defaults where they have said nothing."""
    return Learner.objects.filter(user=user).first() or Learner(user=user)


def change_learner(*, actor: User, is_on_leaderboard: bool, alias: str) -> Learner:
    """BadQuiz: the name is too long."""
    alias = " ".join(alias.split())
    if len(alias) > 40:
        raise BadQuiz("A name has at most 40 characters.", extra={"errors": {"alias": ["At most 40 characters."]}})
    values = {"is_on_leaderboard": is_on_leaderboard, "alias": alias}
    return Learner.objects.update_or_create(user=actor, defaults=values)[0]


def set_goal(*, actor: User, category_id: UUID, exam_on: date | None) -> ExamGoal | None:
    """The day of the exam of a category; None takes it back. CategoryMissing, BadQuiz: it is past, or far away."""
    category = visible_category(user=actor, category_id=category_id)
    if exam_on is None:
        ExamGoal.objects.filter(user=actor, category=category).delete()
        return None
    today = timezone.now().date()
    if not today <= exam_on <= today + timedelta(days=FARTHEST_DAYS):
        told = "Pick a day from today to three years from now."
        raise BadQuiz(told, extra={"errors": {"exam_on": [told]}})
    return ExamGoal.objects.update_or_create(user=actor, category=category, defaults={"exam_on": exam_on})[0]


def leaders(user: User, *, category_id: UUID | None = None) -> list[Leader]:
    """Oneself and one's colleagues, those who want to be on it. CategoryMissing."""
    since = timezone.now() - timedelta(days=DAYS)
    people = User.objects.visible_to(user).filter(learner__is_on_leaderboard=True)
    rows = told_answers().filter(attempt__user__in=people.values("pk"), answered_at__gte=since, share__gte="0.999")
    if category_id is not None:
        rows = rows.filter(version__question__category=visible_category(user=user, category_id=category_id))
    counted = rows.values_list("attempt__user").annotate(right=Count("version__question", distinct=True))
    ranked = list(counted.order_by("-right", "attempt__user")[:MOST_LEADERS])
    names = {each.pk: each for each in people.select_related("learner").filter(pk__in=[pk for pk, _ in ranked])}
    found: list[Leader] = []
    for index, (pk, right) in enumerate(ranked, 1):
        place = found[-1].place if found and found[-1].right == right else index
        person = names[pk]
        found.append(Leader(place, person.learner.alias or person.get_full_name(), right, pk == user.pk))
    return found
