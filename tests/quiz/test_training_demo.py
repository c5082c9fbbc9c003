"""The demo's training calls: two that differ, loaded once, and taken up where a load was interrupted."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Membership, Organisation, User
from quiz.demo import loading
from quiz.models import Assignment, SessionNote, TrainingSession, TrainingTemplate
from quiz.services.training.presenting import session_view, whole_session

pytestmark = pytest.mark.django_db(transaction=True)


def load(owner: User, member: User) -> loading.Loaded:
    return loading.load(coach_email=owner.email, learner_email=member.email)


def rule_scores(session: TrainingSession, user: User) -> dict[str, Any]:
    told = session_view(whole_session(session_id=session.pk, user=user), user)
    return {each["key"]: each["scores"]["rule"]["score"] for each in told["criteria"] if "rule" in each["scores"]}


def test_two_calls_of_different_quality_are_there_once(owner: User, member: User) -> None:
    loaded = load(owner, member)
    first, second = loaded.sessions
    assert (first.status, second.status) == ("done", "done")
    assert first.closed_at is not None and first.overall is not None and first.overall < 50
    assert second.submitted_for_review and second.closed_at is None and second.overall is None
    assert second.assignment is not None and second.assignment.is_open
    worse, better = rule_scores(first, owner), rule_scores(second, owner)
    assert better["open-questions"] == better["next-step"] == 100
    assert all(worse[key] + 50 < better[key] for key in ("talk-share", "open-questions", "next-step"))
    again = load(owner, member)
    assert (loaded.is_new, again.is_new) == (True, False) and again.sessions == loaded.sessions
    counts = [model.objects.count() for model in (TrainingTemplate, TrainingSession, Assignment, SessionNote)]
    assert counts == [1, 2, 2, 3]


def test_an_interrupted_load_is_taken_up(owner: User, member: User) -> None:
    first, second = load(owner, member).sessions
    second.delete()
    Assignment.objects.all().delete()
    SessionNote.objects.filter(session=first, turn=8).delete()
    first.grades.filter(grader="human").delete()
    TrainingSession.objects.update(closed_at=None, closed_by=None, overall=None)
    again = load(owner, member).sessions
    assert again[0] == first and again[0].closed_at is not None and again[0].notes.count() == 3
    assert TrainingSession.objects.count() == 2 and again[1].submitted_for_review


def test_the_command_tells_what_it_did(owner: User, member: User, stranger: User, capsys: Any) -> None:
    names = {"coach": owner.email, "learner": member.email}
    call_command("demo_training", json=True, **names)
    assert json.loads(capsys.readouterr().out)["is_new"] is True
    call_command("demo_training", stdout=StringIO(), **names)
    assert "2 calls are there" in capsys.readouterr().out
    for wrong in (names | {"learner": stranger.email}, names | {"coach": "nobody@example.com"}):
        with pytest.raises(CommandError):
            call_command("demo_training", **wrong)


def test_the_firm_of_both_is_taken(owner: User, member: User) -> None:
    other = Organisation.objects.create(name="Older")
    Membership.objects.create(organisation=other, user=owner, role=Membership.Role.OWNER)
    assert load(owner, member).template.organisation == member.memberships.get().organisation
