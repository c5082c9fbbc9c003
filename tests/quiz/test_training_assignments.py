"""Assignments: given to many at once, reminded of once each, completed by closing a call of theirs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from config.schedule import SCHEDULE
from jobs.models import Job
from quiz.models import Assignment, TrainingTemplate
from quiz.services.training import assigning, telling, templates
from quiz.training_exceptions import (
    AssignmentMissing,
    AssignmentOver,
    BadAssignment,
    CoachesOnly,
    NothingToJudgeBy,
    TemplateArchived,
    TemplateMissing,
)
from tests.factories.people import make_user
from tests.factories.training import make_assignment, make_template

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def template(organisation: Organisation) -> TrainingTemplate:
    return make_template(organisation, "Clarification")


def give(template: TrainingTemplate, actor: User, *people: User, **more: Any) -> assigning.Assigned:
    more = {"due_at": None} | more
    return assigning.assign(template_id=template.pk, user_ids=[each.pk for each in people], actor=actor, **more)


def test_many_people_are_given_a_call_and_told_by_e_mail(
    coach: User, member: User, template: TrainingTemplate, organisation: Organisation, drain: Callable[[], int]
) -> None:
    other = make_user("other", organisation=organisation)
    done = give(template, coach, member, other, member, due_at=timezone.now() + timedelta(days=5), note=" Have fun ")
    assert [each.user for each in done.created] == [member, other] and done.already == []
    assert {each.note for each in Assignment.objects.all()} == {"Have fun"}
    drain()
    assert sorted(message.to[0] for message in mail.outbox) == sorted([member.email, other.email])
    message = mail.outbox[0]
    assert message.subject == "Plumbline: A call to practise: Clarification"
    assert "Have fun" in message.body and "/training/" in message.body
    again = give(template, coach, member, other)
    assert again.created == [] and set(again.already) == {member.pk, other.pk}


def test_what_can_not_be_assigned(
    coach: User, member: User, viewer: User, stranger: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    for people, more in (
        ([], {}),
        ([viewer], {}),
        ([member, stranger], {}),
        ([member], {"due_at": timezone.now() - timedelta(minutes=1)}),
        ([member], {"note": "x" * 501}),
    ):
        with pytest.raises(BadAssignment):
            give(template, coach, *people, **more)
    with pytest.raises(NothingToJudgeBy):
        give(make_template(organisation, criteria=[]), coach, member)
    templates.archive_template(template_id=template.pk, actor=coach)
    with pytest.raises(TemplateArchived):
        give(template, coach, member)
    assert not Assignment.objects.exists()


def test_only_coaches_assign_and_strangers_see_nothing(
    coach: User, member: User, viewer: User, stranger: User, template: TrainingTemplate
) -> None:
    assignment = make_assignment(template, member)
    for actor, none, refused in (
        (member, CoachesOnly, CoachesOnly),
        (viewer, CoachesOnly, AssignmentMissing),
        (stranger, TemplateMissing, AssignmentMissing),
    ):
        with pytest.raises(none):
            give(template, actor, member)
        with pytest.raises(refused):
            assigning.withdraw(assignment_id=assignment.pk, actor=actor)
        with pytest.raises(refused):
            assigning.change_assignment(assignment_id=assignment.pk, actor=actor, due_at=None)
    with pytest.raises(AssignmentMissing):
        assigning.withdraw(assignment_id=uuid4(), actor=coach)
    assert assigning.withdraw(assignment_id=assignment.pk, actor=coach).withdrawn_at is not None


def test_a_withdrawn_or_completed_one_stays_as_it_is(coach: User, member: User, template: TrainingTemplate) -> None:
    withdrawn = make_assignment(template, member, withdrawn_at=NOW)
    assert assigning.withdraw(assignment_id=withdrawn.pk, actor=coach).withdrawn_at == NOW
    completed = make_assignment(template, member, completed_at=NOW)
    with pytest.raises(AssignmentOver):
        assigning.withdraw(assignment_id=completed.pk, actor=coach)
    for row in (withdrawn, completed):
        with pytest.raises(AssignmentOver):
            assigning.change_assignment(assignment_id=row.pk, actor=coach, due_at=None)
    assert len(give(template, coach, member).created) == 1, "neither is open any more"


def remind(at: datetime) -> dict[str, int]:
    with time_machine.travel(at, tick=False):
        return assigning.remind_all()


def test_each_is_told_once_a_day_before_and_once_when_it_is_late(
    member: User, template: TrainingTemplate, drain: Callable[[], int]
) -> None:
    make_assignment(template, member, due_at=NOW + timedelta(days=3))
    assert remind(NOW) == {"reminded": 0, "overdue": 0}
    assert remind(NOW + timedelta(days=2, minutes=1)) == {"reminded": 1, "overdue": 0}
    assert remind(NOW + timedelta(days=2, hours=1)) == {"reminded": 0, "overdue": 0}
    assert remind(NOW + timedelta(days=3)) == {"reminded": 0, "overdue": 1}
    assert remind(NOW + timedelta(days=4)) == {"reminded": 0, "overdue": 0}
    assert [job.params["why"] for job in Job.objects.filter(kind=telling.MAIL).order_by("created_at")] == [
        "due",
        "late",
    ]
    drain()
    assert [each.subject for each in mail.outbox] == [
        "Plumbline: Due within a day: Clarification",
        "Plumbline: Overdue: Clarification",
    ]


def test_a_person_with_several_gets_one_e_mail(member: User, template: TrainingTemplate, drain: Any) -> None:
    for _ in range(3):
        make_assignment(template, member, due_at=timezone.now() + timedelta(hours=5))
    assert assigning.remind_all()["reminded"] == 3
    drain()
    [message] = mail.outbox
    assert message.subject == "Plumbline: 3 calls are due within a day"


def test_who_is_done_withdrawn_gone_or_suspended_is_not_reminded(
    member: User, template: TrainingTemplate, organisation: Organisation, drain: Any
) -> None:
    soon = timezone.now() + timedelta(hours=5)
    make_assignment(template, member, due_at=soon, completed_at=timezone.now())
    make_assignment(template, member, due_at=soon, withdrawn_at=timezone.now())
    make_assignment(template, member, due_at=None)
    gone, suspended = make_user("gone", organisation=organisation), make_user("out", organisation=organisation)
    for person in (gone, suspended):
        make_assignment(template, person, due_at=soon)
    Membership.objects.filter(user=gone).delete()
    User.objects.filter(pk=suspended.pk).update(status=User.Status.SUSPENDED)
    assert assigning.remind_all() == {"reminded": 0, "overdue": 0}
    late = make_assignment(template, member, due_at=soon)
    assert assigning.remind_all()["reminded"] == 1
    Assignment.objects.filter(pk=late.pk).update(completed_at=timezone.now())
    drain()
    assert mail.outbox == [], "what was done before the e-mail went out needs none"


def test_another_day_is_told_and_reminded_of_anew(coach: User, member: User, template: TrainingTemplate) -> None:
    assignment = make_assignment(template, member, due_at=timezone.now() - timedelta(days=1))
    assert assigning.remind_all() == {"reminded": 0, "overdue": 1}
    later = timezone.now() + timedelta(days=3)
    moved = assigning.change_assignment(assignment_id=assignment.pk, actor=coach, due_at=later, note="Take your time")
    assert (moved.due_at, moved.note, moved.overdue_told_at) == (later, "Take your time", None)
    assert remind(later - timedelta(hours=2)) == {"reminded": 1, "overdue": 0}
    soon = timezone.now() + timedelta(hours=2)
    near = assigning.change_assignment(assignment_id=assignment.pk, actor=coach, due_at=soon)
    assert near.reminded_at is not None, "being told of the new day is being reminded"
    assert assigning.remind_all() == {"reminded": 0, "overdue": 0}
    same = assigning.change_assignment(assignment_id=assignment.pk, actor=coach, due_at=soon, note="")
    assert same.note == ""
    assert Job.objects.filter(kind=telling.MAIL, params__why="moved").count() == 2


def test_the_clock_reminds(member: User, template: TrainingTemplate, drain: Callable[[], int]) -> None:
    from jobs.services import enqueue

    [task] = [each for each in SCHEDULE if each.name == "remind-assignments"]
    make_assignment(template, member, due_at=timezone.now() + timedelta(hours=5))
    job = enqueue(kind=task.kind, params={})
    drain()
    job.refresh_from_db()
    assert job.result == {"reminded": 1, "overdue": 0} and len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_assigned_twice_at_once_is_assigned_once_and_reminded_at_once_is_reminded_once(
    coach: User, owner: User, member: User, template: TrainingTemplate
) -> None:
    told: list[Any] = []

    def both(*works: Callable[[], Any]) -> None:
        def go(work: Callable[[], Any]) -> None:
            try:
                told.append(work())
            finally:
                connection.close()

        threads = [threading.Thread(target=go, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    due = timezone.now() + timedelta(days=2)
    both(*[lambda actor=actor: give(template, actor, member, due_at=due) for actor in (coach, owner)])  # type: ignore[misc]
    assert sorted(len(each.created) for each in told) == [0, 1]
    told.clear()
    at = due - timedelta(hours=3)
    both(*[lambda: assigning.remind_all(now=at)] * 4)
    assert sum(each["reminded"] for each in told) == 1
