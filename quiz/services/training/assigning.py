"""Who is to hold a call of which template by when; and telling them: when it is given, a day before, and once it is
late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, User

from ...models import Assignment, TrainingSession, TrainingTemplate
from ...training_exceptions import AssignmentOver, BadAssignment, NothingToJudgeBy, TemplateArchived
from . import telling
from .access import changeable_assignment, changeable_template
from .templates import current_rubric

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_AT_ONCE = 500
LONGEST_NOTE = 500
REMIND_BEFORE = timedelta(days=1)
AT_ONCE = 500  # assignments that one run of the clock tells of


@dataclass(frozen=True, slots=True)
class Assigned:
    """`already`: people who had an open assignment of the template, and keep that one."""

    created: list[Assignment]
    already: list[UUID]


def assign(
    *, template_id: UUID, user_ids: Sequence[UUID], due_at: datetime | None, note: str = "", actor: User
) -> Assigned:
    """To each of these people, who are told. Twice at once is once: assigners of a template wait for each other.

    Raises TemplateMissing, CoachesOnly, TemplateArchived, NothingToJudgeBy, BadAssignment.
    """
    template = changeable_template(template_id=template_id, user=actor)
    people = _people(user_ids, template)
    values = {"due_at": _checked_due(due_at), "note": _checked_note(note)}
    now = timezone.now()
    with transaction.atomic():
        template = TrainingTemplate.objects.select_for_update().get(pk=template.pk)
        if template.archived_at:
            raise TemplateArchived("This template is archived. Take it out of the archive to assign it.")
        if current_rubric(template_id=template.pk) is None:
            raise NothingToJudgeBy("This template has no criteria yet: write its rubric, then assign it.")
        open_ones = Assignment.objects.open().filter(template=template, user__in=people)
        already = set(open_ones.values_list("user_id", flat=True))
        rows = [
            Assignment(
                organisation_id=template.organisation_id,
                template=template,
                user=person,
                assigned_by=actor,
                reminded_at=now if _is_near(due_at, now) else None,
                **values,
            )
            for person in people
            if person.pk not in already
        ]
        created = Assignment.objects.bulk_create(rows)
        telling.assigned(created)
    return Assigned(created, [person.pk for person in people if person.pk in already])


def change_assignment(
    *, assignment_id: UUID, actor: User, due_at: datetime | None, note: str | None = None
) -> Assignment:
    """Another day, of which the person is told, and reminded anew; `note`: None leaves it. Raises AssignmentMissing,
    CoachesOnly, AssignmentOver, BadAssignment."""
    changeable_assignment(assignment_id=assignment_id, user=actor)
    with transaction.atomic():
        assignment = _locked_open(assignment_id)
        if note is not None:
            assignment.note = _checked_note(note)
        if due_at != assignment.due_at:
            now = timezone.now()
            assignment.due_at = _checked_due(due_at)
            assignment.reminded_at = now if _is_near(due_at, now) else None
            assignment.overdue_told_at = None
            telling.moved(assignment)
        assignment.save(update_fields=["note", "due_at", "reminded_at", "overdue_told_at"])
    return assignment


def withdraw(*, assignment_id: UUID, actor: User) -> Assignment:
    """It is due no more; its calls stay. Twice is once. Raises AssignmentMissing, CoachesOnly, AssignmentOver."""
    changeable_assignment(assignment_id=assignment_id, user=actor)
    with transaction.atomic():
        assignment = _locked(assignment_id)
        if assignment.completed_at:
            raise AssignmentOver("It is completed: there is nothing to withdraw.")
        if assignment.withdrawn_at is None:
            assignment.withdrawn_at = timezone.now()
            assignment.save(update_fields=["withdrawn_at"])
            telling.withdrawn(assignment)
    return assignment


def complete(*, assignment_id: UUID, at: datetime) -> None:
    """In the transaction that closes one of its calls. A withdrawn or completed one stays as it is."""
    Assignment.objects.open().filter(pk=assignment_id).update(completed_at=at)


def uncomplete(*, assignment_id: UUID) -> None:
    """In the transaction that opens one of its calls again: open, unless another of its calls is closed."""
    if not TrainingSession.objects.filter(assignment_id=assignment_id, closed_at__isnull=False).exists():
        Assignment.objects.filter(pk=assignment_id).update(completed_at=None)


def open_assignment_of(*, user_id: UUID, template_id: UUID) -> Assignment | None:
    """The one that a call of this person and template belongs to: what is due first."""
    rows = Assignment.objects.open().filter(user_id=user_id, template_id=template_id)
    found: Assignment | None = rows.order_by("due_at", "created_at").first()
    return found


def people_of(*, organisation_id: UUID) -> QuerySet[User]:
    """Those who can be given something: its members without those who only look on; by name."""
    members = Membership.objects.filter(organisation_id=organisation_id).exclude(role=Membership.Role.VIEWER)
    rows: QuerySet[User] = User.objects.filter(pk__in=members.values("user_id")).order_by("full_name", "email")
    return rows


def remind_all(*, now: datetime | None = None) -> dict[str, int]:
    """Tell those whose call is due within a day, and those whose day has passed, once each; how many of either.

    Rows are locked and what is told is written with them: two runs at once tell nobody twice, and one that is cut short
    is taken up by the next.
    """
    now = now or timezone.now()
    near = Assignment.objects.open().filter(due_at__gt=now, due_at__lte=now + REMIND_BEFORE, reminded_at__isnull=True)
    late = Assignment.objects.open().filter(due_at__lte=now, overdue_told_at__isnull=True)
    return {
        "reminded": _tell_each(near, "reminded_at", now),
        "overdue": _tell_each(late, "overdue_told_at", now),
    }


def _tell_each(rows: QuerySet[Assignment], told_at: str, now: datetime) -> int:
    with transaction.atomic():
        due = rows.select_for_update(skip_locked=True, of=("self",)).select_related("template", "user")
        found = list(due.order_by("due_at")[:AT_ONCE])
        # Whoever has left the organisation sees it no more; it is marked, so that it is not looked at every hour.
        Assignment.objects.filter(pk__in=[each.pk for each in found]).update(**{told_at: now})
        here = _still_here(found)
        told = [each for each in found if (each.organisation_id, each.user_id) in here and each.user.is_active]
        telling.due(told, is_late=told_at == "overdue_told_at")
    return len(told)


def _still_here(rows: Iterable[Assignment]) -> set[tuple[Any, Any]]:
    ids = {each.organisation_id for each in rows}, {each.user_id for each in rows}
    members = Membership.objects.filter(organisation_id__in=ids[0], user_id__in=ids[1])
    return set(members.values_list("organisation_id", "user_id"))


def _people(user_ids: Sequence[UUID], template: TrainingTemplate) -> list[User]:
    wanted = list(dict.fromkeys(user_ids))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise _bad("users", f"Say to whom: 1 to {MOST_AT_ONCE} people.")
    found = people_of(organisation_id=template.organisation_id).in_bulk(wanted)
    missing = [str(pk) for pk in wanted if pk not in found]
    if missing:
        told = f"Not members of the organisation, or they only look on: {', '.join(missing[:10])}."
        raise _bad("users", told)
    return [found[pk] for pk in wanted]


def _checked_due(due_at: datetime | None) -> datetime | None:
    if due_at is not None and due_at <= timezone.now():
        raise _bad("due_at", "A day to come.")
    return due_at


def _checked_note(note: str) -> str:
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise _bad("note", f"At most {LONGEST_NOTE} characters.")
    return note


def _is_near(due_at: datetime | None, now: datetime) -> bool:
    """Being told of it now is being reminded."""
    return due_at is not None and due_at - now <= REMIND_BEFORE


def _locked(assignment_id: UUID) -> Assignment:
    rows = Assignment.objects.select_for_update(of=("self",)).select_related("template", "user")
    found: Assignment = rows.get(pk=assignment_id)
    return found


def _locked_open(assignment_id: UUID) -> Assignment:
    assignment = _locked(assignment_id)
    if assignment.completed_at or assignment.withdrawn_at:
        raise AssignmentOver("It is completed or withdrawn: assign it once more instead.")
    return assignment


def _bad(name: str, message: str) -> BadAssignment:
    return BadAssignment("It can't be assigned like this: see errors.", extra={"errors": {name: [message]}})
