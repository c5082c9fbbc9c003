"""Reviews of calls: asked for, noted turn by turn, judged with reasons, closed; and who may do what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import Organisation, User
from quiz.models import SessionGrade, SessionNote, TrainingSession, TrainingTemplate
from quiz.services.training import reviewing
from quiz.services.training.judging import weigh_anew
from quiz.training_exceptions import (
    BadReview,
    ChangedMeanwhile,
    CoachesOnly,
    NoteMissing,
    NothingToJudgeBy,
    NotProcessed,
    NotYourNote,
    OnlyLooksOn,
    SessionClosed,
    SessionMissing,
)
from tests.factories.people import make_user
from tests.factories.training import make_assignment, make_grade, make_note, make_session, make_submitted, make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def template(organisation: Organisation) -> TrainingTemplate:
    return make_template(organisation)


@pytest.fixture
def session(template: TrainingTemplate, member: User) -> TrainingSession:
    """Graded by rules and model; weights 1, 2 and 3."""
    session = make_session(user=member, template=template)
    make_grade(session, "rule", scores={"talk-share": 80, "next-step": 50})
    make_grade(session, "model", scores={"talk-share": 80, "next-step": 50, "clarity": 40}, overall="50.00")
    return session


def override(session: TrainingSession, actor: User, **more: Any) -> SessionGrade:
    more = {"scores": {"clarity": (90, "Each gap by its drawing.")}} | more
    return reviewing.override(session_id=session.pk, actor=actor, **more)


def overall(session: TrainingSession) -> Decimal | None:
    session.refresh_from_db()
    return session.overall


def test_a_learner_asks_for_a_review_once(member: User, coach: User, owner: User, session: TrainingSession) -> None:
    first = reviewing.submit_for_review(session_id=session.pk, actor=member)
    again = reviewing.submit_for_review(session_id=session.pk, actor=member)
    assert first.submitted_for_review and again.submitted_at == first.submitted_at
    assert list(TrainingSession.objects.coached_by(coach).to_review()) == [session]
    reviewing.close_session(session_id=session.pk, actor=coach)
    with pytest.raises(SessionClosed):
        reviewing.submit_for_review(session_id=session.pk, actor=member)


@pytest.mark.parametrize("status", ["received", "summarised", "graded", "failed"])
def test_what_is_not_worked_on_can_not_be_reviewed(
    coach: User, member: User, template: TrainingTemplate, status: str
) -> None:
    session = make_session(user=member, template=template, status=status)
    with pytest.raises(NotProcessed):
        reviewing.submit_for_review(session_id=session.pk, actor=member)
    with pytest.raises(NotProcessed):
        override(session, coach)
    if status != "failed":  # that one is done with, too
        with pytest.raises(NotProcessed):
            reviewing.close_session(session_id=session.pk, actor=coach)


def test_notes_are_ones_own(member: User, coach: User, owner: User, session: TrainingSession) -> None:
    note = reviewing.add_note(session_id=session.pk, text=" Which edition? Good. ", turn=1, actor=coach)
    mine = reviewing.add_note(session_id=session.pk, text="I forgot the testing.", actor=member)
    assert (note.turn, note.text, mine.turn) == (1, "Which edition? Good.", None)
    edited = reviewing.edit_note(note_id=note.pk, text="Better.", actor=coach)
    assert edited.text == "Better." and edited.edited_at is not None
    assert reviewing.edit_note(note_id=mine.pk, text="I forgot the testing.", actor=member).edited_at is None
    for actor in (member, owner):
        with pytest.raises(NotYourNote):
            reviewing.edit_note(note_id=note.pk, text="No.", actor=actor)
        with pytest.raises(NotYourNote):
            reviewing.delete_note(note_id=note.pk, actor=actor)
    reviewing.delete_note(note_id=note.pk, actor=coach)
    assert list(session.notes.all()) == [mine]
    for turn in (4, -1):
        with pytest.raises(BadReview):
            reviewing.add_note(session_id=session.pk, text="x", turn=turn, actor=coach)
    for text in ("  ", "x" * 4001):
        with pytest.raises(BadReview):
            reviewing.add_note(session_id=session.pk, text=text, actor=coach)


def test_a_coachs_scores_count_and_stand_beside_the_others(coach: User, session: TrainingSession, member: User) -> None:
    grade = override(session, coach, feedback="Well prepared.")
    assert [(row.criterion.key, row.score, row.reason) for row in grade.scores.all()] == [
        ("clarity", 90, "Each gap by its drawing.")
    ]
    # (1 × 80 + 2 × 50 + 3 × 90) / 6: the rest is the model's and the rules'.
    assert grade.overall == overall(session) == Decimal("75.00")
    assert set(session.grades.current().values_list("grader", flat=True)) == {"rule", "model", "human"}
    second = override(session, coach, scores={"next-step": (100, "Friday was agreed.")})
    assert {row.criterion.key: row.score for row in second.scores.all()} == {"clarity": 90, "next-step": 100}
    assert second.feedback == "Well prepared." and overall(session) == Decimal("91.67")
    assert session.grades.filter(grader="human").count() == 2
    assert session.grades.current().get(grader="human") == second


def test_a_score_is_taken_back(coach: User, session: TrainingSession) -> None:
    override(session, coach, scores={"clarity": (90, "Very clear."), "next-step": (0, "None was agreed.")})
    assert overall(session) == Decimal("58.33")
    override(session, coach, scores={"next-step": (None, "")})
    assert overall(session) == Decimal("75.00")
    last = override(session, coach, scores={"clarity": (None, "")})
    assert not last.scores.exists() and overall(session) == Decimal("50.00"), "the model's again"


def test_without_a_model_a_coach_judges_each_quality(coach: User, template: TrainingTemplate, member: User) -> None:
    session = make_session(user=member, template=template)
    make_grade(session, "rule", scores={"talk-share": 80, "next-step": None})
    grade = override(session, coach, scores={"next-step": (100, "By Friday, said the client.")})
    assert grade.overall is None and overall(session) is None, "no quality is claimed that nobody has judged"
    assert override(session, coach).overall == Decimal("91.67")


def test_an_overall_is_weighed_anew_when_others_have_graded(coach: User, session: TrainingSession) -> None:
    grade = override(session, coach)
    session.grades.filter(grader="rule").delete()
    session.grades.filter(grader="model").delete()
    make_grade(session, "rule", scores={"talk-share": 0, "next-step": 0})
    assert weigh_anew(grade) == Decimal("45.00")
    assert SessionGrade.objects.get(pk=grade.pk).overall == Decimal("45.00")


@pytest.mark.parametrize(
    "wish",
    [
        {"scores": {}},
        {"scores": {"charm": (50, "Very charming.")}},
        {"scores": {"clarity": (101, "More than all.")}},
        {"scores": {"clarity": (-1, "Less than nothing.")}},
        {"scores": {"clarity": (50, "ok")}},
        {"scores": {"clarity": (50, "x" * 1001)}},
        {"feedback": "x" * 10_001},
    ],
    ids=["nothing", "unknown", "too-much", "too-little", "no-reason", "long-reason", "long-feedback"],
)
def test_scores_that_can_not_be(coach: User, session: TrainingSession, wish: dict[str, Any]) -> None:
    with pytest.raises(BadReview):
        override(session, coach, **wish)
    assert not session.grades.filter(grader="human").exists()


def test_of_two_coaches_the_second_is_told(coach: User, owner: User, session: TrainingSession) -> None:
    first = override(session, coach, seen="")
    with pytest.raises(ChangedMeanwhile) as refused:
        override(session, owner, seen="")
    assert refused.value.extra["seen"] == str(first.pk)
    assert override(session, owner, seen=str(first.pk)).author == owner


def test_a_call_without_criteria_can_not_be_judged(coach: User, member: User, organisation: Organisation) -> None:
    for template in (None, make_template(organisation, criteria=[])):
        session = make_session(organisation, member, template=template)
        with pytest.raises(NothingToJudgeBy):
            override(session, coach)


def test_closing_completes_the_assignment_and_reopening_takes_it_back(
    coach: User, owner: User, member: User, template: TrainingTemplate
) -> None:
    assignment = make_assignment(template, member)
    first, second = (make_session(user=member, template=template, assignment=assignment) for _ in range(2))
    make_submitted(first)
    closed = reviewing.close_session(session_id=first.pk, actor=coach)
    assignment.refresh_from_db()
    assert (closed.closed_by, assignment.completed_at) == (coach, closed.closed_at)
    assert reviewing.close_session(session_id=first.pk, actor=owner).closed_by == coach, "twice is once"
    reviewing.close_session(session_id=second.pk, actor=coach)
    reviewing.reopen(session_id=first.pk, actor=coach)
    assignment.refresh_from_db()
    assert assignment.completed_at is not None, "another of its calls is closed"
    reviewing.reopen(session_id=second.pk, actor=owner)
    assignment.refresh_from_db()
    assert assignment.completed_at is None and assignment.is_open
    assert list(TrainingSession.objects.coached_by(coach).to_review()) == [first]


def test_a_closed_call_takes_nothing(coach: User, member: User, session: TrainingSession) -> None:
    note = make_note(session, coach)
    reviewing.close_session(session_id=session.pk, actor=coach)
    works: list[Callable[[], Any]] = [
        lambda: reviewing.add_note(session_id=session.pk, text="x", actor=coach),
        lambda: reviewing.edit_note(note_id=note.pk, text="x", actor=coach),
        lambda: reviewing.delete_note(note_id=note.pk, actor=coach),
        lambda: override(session, coach),
        lambda: reviewing.say_who_it_was(session_id=session.pk, user_id=member.pk, actor=coach),
        lambda: reviewing.process_again(session_id=session.pk, actor=coach),
    ]
    for work in works:
        with pytest.raises(SessionClosed):
            work()
    reviewing.reopen(session_id=session.pk, actor=coach)
    assert reviewing.add_note(session_id=session.pk, text="x", actor=coach)


def _of_coaches(call: TrainingSession, actor: User, member: User) -> list[Callable[[], Any]]:
    ids = {"session_id": call.pk, "actor": actor}
    return [
        lambda: override(call, actor),
        lambda: reviewing.close_session(**ids),
        lambda: reviewing.reopen(**ids),
        lambda: reviewing.process_again(**ids),
        lambda: reviewing.say_who_it_was(user_id=member.pk, **ids),
        lambda: reviewing.change_template(template_id=call.template_id, **ids),
    ]


def test_who_may_do_what(
    coach: User, member: User, viewer: User, stranger: User, session: TrainingSession, organisation: Organisation
) -> None:
    """A colleague sees no call of others; a viewer not even changes their own; a stranger sees nothing."""
    colleague = make_user("colleague", organisation=organisation)
    theirs = make_session(user=viewer, template=session.template)
    for actor, call, refusal in (
        (member, session, CoachesOnly),
        (viewer, theirs, CoachesOnly),
        (colleague, session, SessionMissing),
        (viewer, session, SessionMissing),
        (stranger, session, SessionMissing),
    ):
        for work in _of_coaches(call, actor, member):
            with pytest.raises(refusal):
                work()
    for work in (
        lambda: reviewing.submit_for_review(session_id=theirs.pk, actor=viewer),
        lambda: reviewing.add_note(session_id=theirs.pk, text="x", actor=viewer),
    ):
        with pytest.raises(OnlyLooksOn):
            work()
    note = make_note(session, coach)
    for actor in (colleague, viewer, stranger):
        with pytest.raises(NoteMissing):
            reviewing.edit_note(note_id=note.pk, text="x", actor=actor)
        with pytest.raises(SessionMissing):
            reviewing.submit_for_review(session_id=session.pk, actor=actor)
    assert SessionNote.objects.count() == 1


def test_who_has_left_sees_their_calls_no_more(member: User, session: TrainingSession) -> None:
    member.memberships.all().delete()
    with pytest.raises(SessionMissing):
        reviewing.add_note(session_id=session.pk, text="x", actor=member)


@pytest.mark.django_db(transaction=True)
def test_two_coaches_at_once_leave_one_grade_that_counts(coach: User, owner: User, session: TrainingSession) -> None:
    def go(actor: User, key: str) -> None:
        try:
            override(session, actor, scores={key: (70, "As I have heard it.")})
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=pair) for pair in ((coach, "clarity"), (owner, "next-step"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    counting = session.grades.current().get(grader="human")
    assert {row.criterion.key for row in counting.scores.all()} == {"clarity", "next-step"}
    assert overall(session) == counting.overall == Decimal("71.67")
