"""What coaches put right about a call, worked on by real jobs: who it was, which speaker, of which template."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organisation, User
from quiz.calls.turns import Transcript, Turn
from quiz.models import Assignment, SessionGrade, TrainingSession, TrainingTemplate
from quiz.services.training import reviewing, starting, templates
from quiz.services.training.criteria import CriterionDraft
from quiz.services.training.intake_voice import Call, take_call
from quiz.services.training.presenting import session_view, whole_session
from quiz.training_exceptions import BadReview, NotProcessed, TemplateArchived, TemplateMissing
from tests.factories.people import make_organisation, make_user
from tests.factories.training import LEVELS, make_assignment, make_connection, make_session, make_template

pytestmark = pytest.mark.django_db(transaction=True)
Drain = Callable[[], int]
ASKS = CriterionDraft(name="Asks", kind="behaviour", rule={"measure": "questions", "low": 1})
QUIET = CriterionDraft(name="Asks nothing", kind="behaviour", rule={"measure": "questions", "high": 0})
CLEAR = CriterionDraft(name="Clear", kind="quality", levels=LEVELS)
# The client asks once, the learner thrice.
TURNS = [
    ("Client", "Good morning, you wanted to ask something?"),
    ("Learner", "Yes. Which edition of the code applies? And who pays for the testing?"),
    ("Client", "The current one. The testing is yours to price."),
    ("Learner", "Could I have that in writing by Friday?"),
]


def template_of(coach: User, organisation: Organisation, *criteria: CriterionDraft) -> TrainingTemplate:
    return templates.create_template(actor=coach, organisation_id=organisation.pk, name="Call", criteria=criteria)


def fresh(session: TrainingSession) -> TrainingSession:
    return TrainingSession.objects.get(pk=session.pk)


def scores(session: TrainingSession, coach: User) -> dict[str, Any]:
    told = session_view(whole_session(session_id=session.pk, user=coach), coach)
    return {
        each["key"]: {grader: score["score"] for grader, score in each["scores"].items()} for each in told["criteria"]
    }


@pytest.fixture
def session(coach: User, member: User, organisation: Organisation, drain: Drain) -> TrainingSession:
    """Graded by its rules."""
    template = template_of(coach, organisation, ASKS, CLEAR)
    session = make_session(user=member, template=template, turns=TURNS, status="received")
    again(session, coach, drain)
    assert scores(session, coach) == {"asks": {"rule": 100}, "clear": {}}
    return fresh(session)


def again(session: TrainingSession, coach: User, drain: Drain) -> None:
    if session.status == "received":
        TrainingSession.objects.filter(pk=session.pk).update(status="failed")
    reviewing.process_again(session_id=session.pk, actor=coach)
    drain()
    assert fresh(session).status == "done", fresh(session).error


def test_another_speaker_is_measured_and_graded_anew(coach: User, session: TrainingSession, drain: Drain) -> None:
    rubric = templates.write_rubric(template_id=session.template_id, criteria=[ASKS, QUIET, CLEAR], actor=coach)
    again(session, coach, drain)
    assert fresh(session).rubric == rubric and scores(session, coach)["asks-nothing"] == {"rule": 0}
    before = fresh(session).measures
    reviewing.say_who_it_was(session_id=session.pk, user_id=session.user_id, learner_speaker="Client", actor=coach)
    with pytest.raises(NotProcessed):
        reviewing.say_who_it_was(session_id=session.pk, user_id=session.user_id, learner_speaker="Learner", actor=coach)
    drain()
    after = fresh(session)
    assert (after.status, after.learner_speaker) == ("done", "Client") and after.measures != before
    assert SessionGrade.objects.filter(session=session, is_current=True).count() == 1
    with pytest.raises(BadReview):
        reviewing.say_who_it_was(session_id=session.pk, user_id=session.user_id, learner_speaker="Nobody", actor=coach)


def test_a_coachs_scores_stay_when_the_rest_is_graded_anew(coach: User, session: TrainingSession, drain: Drain) -> None:
    reviewing.override(session_id=session.pk, scores={"clear": (60, "Each gap by its place.")}, actor=coach)
    assert fresh(session).overall == Decimal("80.00")
    templates.write_rubric(template_id=session.template_id, criteria=[QUIET, CLEAR], actor=coach)
    again(session, coach, drain)
    assert scores(session, coach) == {"asks": {"rule": 100}, "clear": {"human": 60}}, "by the rubric they were given by"
    reviewing.say_who_it_was(session_id=session.pk, user_id=session.user_id, learner_speaker="Client", actor=coach)
    drain()
    told = scores(session, coach)
    assert told["clear"] == {"human": 60} and set(told["asks"]) == {"rule"}
    assert fresh(session).overall == Decimal((told["asks"]["rule"] + 60) / 2).quantize(Decimal("0.01"))


def test_another_template_grades_anew_and_back_again(
    coach: User, session: TrainingSession, organisation: Organisation, drain: Drain
) -> None:
    first, other = session.template_id, template_of(coach, organisation, QUIET)
    reviewing.override(session_id=session.pk, scores={"clear": (60, "Each gap by its place.")}, actor=coach)
    reviewing.change_template(session_id=session.pk, template_id=other.pk, actor=coach)
    drain()
    assert scores(session, coach) == {"asks-nothing": {"rule": 0}} and fresh(session).overall is None
    assert fresh(session).rubric.template == other  # type: ignore[union-attr]
    reviewing.change_template(session_id=session.pk, template_id=first, actor=coach)  # type: ignore[arg-type]
    drain()
    assert scores(session, coach) == {"asks": {"rule": 100}, "clear": {}}
    counting = session.grades.current()
    assert counting.count() == 1 and session.grades.filter(grader="human").count() == 1


def test_templates_that_a_call_can_not_be_of(coach: User, session: TrainingSession) -> None:
    elsewhere = make_organisation("Second office")
    coach.memberships.create(organisation=elsewhere, role="coach")
    with pytest.raises(TemplateMissing):
        reviewing.change_template(session_id=session.pk, template_id=make_template(elsewhere).pk, actor=coach)
    archived = make_template(session.organisation)
    templates.archive_template(template_id=archived.pk, actor=coach)
    with pytest.raises(TemplateArchived):
        reviewing.change_template(session_id=session.pk, template_id=archived.pk, actor=coach)
    assert fresh(session).status == "done"


def test_a_call_moves_to_the_assignment_of_whose_it_is(
    coach: User, member: User, stranger: User, organisation: Organisation
) -> None:
    template, other = make_template(organisation), make_template(organisation)
    colleague = make_user("colleague", organisation=organisation)
    mine, theirs = make_assignment(template, member), make_assignment(template, colleague)
    of_other = make_assignment(other, colleague)
    session = make_session(user=member, template=template, assignment=mine)

    def named(user: User) -> TrainingSession:
        reviewing.say_who_it_was(session_id=session.pk, user_id=user.pk, actor=coach)
        return fresh(session)

    assert named(colleague).assignment == theirs
    assert named(member).assignment == mine
    assert named(coach).assignment is None
    with pytest.raises(BadReview):
        named(stranger)
    assert named(colleague).assignment == theirs
    reviewing.change_template(session_id=session.pk, template_id=other.pk, actor=coach)
    assert fresh(session).assignment == of_other


def test_a_call_told_of_with_other_words_is_reviewed_anew(
    coach: User, member: User, organisation: Organisation, drain: Drain
) -> None:
    template = make_template(organisation)
    assignment, connection = make_assignment(template, member), make_connection(organisation)

    def told(*lines: str) -> TrainingSession:
        turns = tuple(Turn("User", line, None, None) for line in lines)
        metadata = {"assignment_id": str(assignment.pk)}
        call = Call("call-1", Transcript(turns, "vapi"), told_at=timezone.now(), metadata=metadata)
        session, _ = take_call(connection=connection, call=call)
        drain()
        return fresh(session)

    session = told("Which edition applies?")
    reviewing.close_session(session_id=session.pk, actor=coach)
    assert not fresh_assignment(assignment).is_open
    assert told("Which edition applies?").closed_at is not None, "the same words again are no news"
    again = told("Which edition applies?", "And who tests the welds?")
    assert (again.pk, again.revision, again.closed_at) == (session.pk, 2, None)
    assert fresh_assignment(assignment).is_open


def fresh_assignment(assignment: Assignment) -> Assignment:
    return Assignment.objects.get(pk=assignment.pk)


def test_the_example_grades_a_real_transcript(
    coach: User, member: User, organisation: Organisation, drain: Drain
) -> None:
    template = starting.example_template(organisation_id=organisation.pk, actor=coach)
    session = make_session(user=member, template=template, status="failed")
    again(session, coach, drain)
    told = scores(session, coach)
    assert told["next-step"]["rule"] > 0 and told["open-questions"]["rule"] > 0
    assert told["gaps-in-the-documents"] == {}, "no quality is claimed without a judge"
    assert fresh(session).overall is None
