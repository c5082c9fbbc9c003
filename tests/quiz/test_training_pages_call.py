"""A call's page and its review: what everybody sees of it, notes at a turn, a coach's grade, closing, putting right."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, User
from jobs.models import Job
from jobs.runner import run_here
from quiz.models import GradeScore, SessionGrade, SessionNote, TrainingSession, TrainingTemplate
from quiz.services.training import organisation as analytics
from quiz.services.training.grading import grade_by_rules
from tests.factories.people import make_user
from tests.factories.quiz import make_category, make_clause
from tests.factories.training import CRITERIA, LEARNER, make_grade, make_note, make_session, make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def template(organisation: Organisation) -> TrainingTemplate:
    return make_template(organisation, "Bid clarification")


@pytest.fixture
def call(member: User, template: TrainingTemplate) -> TrainingSession:
    """Graded by the rules."""
    session = make_session(user=member, template=template, title="With the client")
    grade_by_rules(session_id=session.pk)
    return session


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"training:{name}", args=args)


def page_of(user: User, call: TrainingSession, query: str = "") -> str:
    response = signed_in(user).get(url("session", call.pk) + query)
    assert response.status_code == 200
    return response.content.decode()


def sent(by: User, name: str, *args: object, **fields: Any) -> HttpResponse:
    response: HttpResponse = signed_in(by).post(url(name, *args), fields)  # type: ignore[assignment]
    return response


def test_quotes_lead_to_their_turn(member: User, call: TrainingSession) -> None:
    page = page_of(member, call)
    turns = re.findall(r'id="turn-(\d)"', page)
    assert turns == ["0", "1", "2", "3"] and page.count("is-learner") == 2
    assert "Agrees a next step" in page and "by rules; they claim no quality" in page
    assert re.search(r'<a href="#turn-3"><q dir="auto">[^<]*next step', page)
    assert "Grade it yourself" not in page and "Submit for review" in page and "Close the review" not in page


def test_what_others_wrote_does_nothing(member: User, template: TrainingTemplate) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    session = make_session(
        user=member, template=template, title=evil, turns=[(evil, evil), (LEARNER, evil)], summary=evil
    )
    make_note(session, member, evil, turn=0)
    page = page_of(member, session)
    assert "<script>alert" not in page and "<img src=x" not in page


def test_a_note_is_written_at_its_turn_changed_and_taken_back(coach: User, member: User, call: TrainingSession) -> None:
    assert 'name="turn" value="2"' in page_of(coach, call, "?note=2")
    assert 'name="turn"' not in page_of(coach, call, "?note=99")
    made = sent(coach, "note", call.pk, turn="2", text="Here you could have asked.")
    note = SessionNote.objects.get()
    assert note.turn == 2 and made["Location"].endswith(f"#note-{note.pk}")
    assert "Here you could have asked." in page_of(member, call)
    assert sent(member, "note", call.pk, note=note.pk, text="Mine now").status_code == 403
    sent(coach, "note", call.pk, note=note.pk, text="Ask here.")
    note.refresh_from_db()
    assert note.text == "Ask here." and ", edited" in page_of(member, call)
    assert sent(member, "note-delete", call.pk, note.pk).status_code == 403
    sent(coach, "note-delete", call.pk, note.pk)
    sent(member, "note", call.pk, text="About all of it.")
    assert SessionNote.objects.get().turn is None
    assert sent(coach, "note", call.pk, text=" ").status_code == 400


def test_a_coachs_grade_counts_and_says_why(coach: User, member: User, call: TrainingSession) -> None:
    page = page_of(coach, call)
    assert "Grade it yourself" in page and 'name="score-clarity"' in page
    wrong = sent(coach, "override", call.pk, **{"score-clarity": "80", "reason-clarity": "ok", "seen": ""})
    assert wrong.status_code == 400
    told = wrong.content.decode()
    assert "Say why" in told and 'value="80"' in told and ">ok</textarea>" in told
    fields = {"score-clarity": "80", "reason-clarity": "Named the edition.", "score-talk-share": "", "seen": ""}
    assert sent(coach, "override", call.pk, **fields, feedback="Well done.").status_code == 302
    grade = SessionGrade.objects.get(grader="human")
    assert [(score.criterion.key, score.score) for score in grade.scores.all()] == [("clarity", 80)]
    page = page_of(member, call)
    assert "Named the edition." in page and "Well done." in page and "Coach" in page
    # Nothing is different; another coach was faster; no number; a reason alone.
    seen = str(grade.pk)
    same = {"score-clarity": "80", "reason-clarity": "Named the edition.", "seen": seen, "feedback": "Well done."}
    assert "Nothing is different" in sent(coach, "override", call.pk, **same).content.decode()
    assert sent(coach, "override", call.pk, **fields | {"score-clarity": "70"}).status_code == 409
    assert sent(coach, "override", call.pk, **same | {"score-clarity": "x"}).status_code == 400
    assert sent(coach, "override", call.pk, **same | {"reason-next-step": "Late."}).status_code == 400
    assert sent(member, "override", call.pk, **fields).status_code == 403
    # Taken back.
    sent(coach, "override", call.pk, **same | {"score-clarity": "", "reason-clarity": ""})
    current = SessionGrade.objects.get(grader="human", is_current=True)
    assert not GradeScore.objects.filter(grade=current).exists()


def test_a_review_from_submitting_to_opening_again(coach: User, member: User, call: TrainingSession) -> None:
    sent(member, "submit", call.pk)
    assert "Submitted on" in page_of(member, call)
    assert "With the client" in signed_in(coach).get(url("review")).content.decode()
    assert sent(member, "close", call.pk).status_code == 403
    sent(coach, "close", call.pk)
    page = page_of(member, call)
    assert "finished the review" in page and "Write about it" not in page and "Submit for review" not in page
    assert sent(member, "note", call.pk, text="Late").status_code == 409
    sent(coach, "reopen", call.pk)
    assert "Write about it" in page_of(member, call)


def test_grades_and_closing_move_the_organisations_figures(
    coach: User, member: User, call: TrainingSession, organisation: Organisation
) -> None:
    def figures() -> Any:
        scope = analytics.scope_of(user=coach, organisation_id=organisation.pk)
        told = analytics.figures_of(scope=scope, period="7d")
        return told.now.average, told.now.closed

    assert figures() == (None, 0)
    fields = {"score-clarity": "80", "reason-clarity": "Named the edition.", "seen": ""}
    sent(coach, "override", call.pk, **fields)
    average, closed = figures()
    assert average is not None and closed == 0
    sent(coach, "close", call.pk)
    assert figures() == (average, 1)
    sent(coach, "reopen", call.pk)
    assert figures() == (average, 0)


def test_a_failed_call_says_why_and_is_processed_again(coach: User, member: User, template: TrainingTemplate) -> None:
    session = make_session(user=member, template=template, status="failed", error="The model did not answer.")
    page = page_of(member, session)
    assert "The model did not answer." in page and "A coach can have it processed again." in page
    assert sent(member, "process", session.pk).status_code == 403
    assert "Process again" in page_of(coach, session)
    sent(coach, "process", session.pk)
    job = Job.objects.get()
    assert str(job.pk) in page_of(member, session)
    run_here(job_id=job.pk)
    session.refresh_from_db()
    assert session.status == "done" and "data-working" not in page_of(member, session)


def test_a_coach_says_whose_call_it_was(coach: User, member: User, template: TrainingTemplate) -> None:
    session = make_session(template.organisation, None, learner_speaker="")
    page = page_of(coach, session)
    assert "Say whose call it is" in page and "Nobody has said which speaker the learner is" not in page
    sent(coach, "correct", session.pk, user=member.pk, learner_speaker=LEARNER)
    session.refresh_from_db()
    assert session.user == member and session.learner_speaker == LEARNER and session.status == "received"
    assert session.job_id is not None
    run_here(job_id=session.job_id)
    sent(coach, "correct", session.pk, user=member.pk, learner_speaker=LEARNER, template=template.pk)
    session.refresh_from_db()
    assert session.template == template
    assert sent(member, "correct", session.pk, user=member.pk, learner_speaker="Client").status_code == 403


def test_the_weakest_criterion_leads_to_clauses_or_questions(member: User, organisation: Organisation) -> None:
    clause, category = make_clause("4.1.2", "Preheating"), make_category("Welding")
    criteria = [dict(each) for each in CRITERIA]
    criteria[2]["clauses"] = [clause]
    template = make_template(organisation, criteria=criteria, category=category)
    session = make_session(user=member, template=template)
    make_grade(session, "model", scores={"talk-share": 90, "next-step": 60, "clarity": 20}, overall="40")
    page = page_of(member, session)
    assert "Practise next" in page and "Preheating" in page and reverse("quiz:clause", args=[clause.pk]) in page
    make_grade(session, "human", scores={"clarity": 90, "next-step": 10})
    page = page_of(member, session)
    assert "Preheating" not in page and "Practise Welding" in page


def test_a_report_is_asked_for_once(member: User, viewer: User, call: TrainingSession) -> None:
    assert sent(member, "report", call.pk).status_code == 302
    page = page_of(member, call)
    assert "Setting the report" in page and "PDF report" not in page
    sent(member, "report", call.pk)
    assert Job.objects.filter(kind="quiz.write_call_report").count() == 1
    assert sent(viewer, "report", call.pk).status_code == 404


def test_a_viewer_looks_at_their_own_and_changes_nothing(viewer: User, template: TrainingTemplate) -> None:
    session = make_session(user=viewer, template=template)
    page = page_of(viewer, session)
    assert "Submit for review" not in page and "<textarea" not in page
    assert sent(viewer, "note", session.pk, text="x").status_code == 403


def test_queries_do_not_grow_with_turns_notes_and_criteria(
    coach: User, member: User, organisation: Organisation
) -> None:
    def queries(session: TrainingSession) -> int:
        page_of(coach, session)
        with CaptureQueriesContext(connection) as caught:
            page_of(coach, session)
        return len(caught)

    def made(number: int) -> TrainingSession:
        criteria = [dict(CRITERIA[2], key=f"c-{place}", name=f"C {place}", clauses=[clause]) for place in range(number)]
        session = make_session(
            user=member, template=make_template(organisation, criteria=criteria),
            turns=[(LEARNER, f"Turn {place}") for place in range(number)],
        )  # fmt: skip
        for grader in ("rule", "model", "human"):
            make_grade(session, grader, scores={f"c-{place}": 50 for place in range(number)})
        for place in range(number):
            make_note(session, make_user(f"n{number}-{place}", organisation=organisation), turn=place)
        return session

    clause = make_clause()
    assert queries(made(1)) == queries(made(30))


def test_times_and_lengths_stand_beside_the_words(member: User, template: TrainingTemplate) -> None:
    turns = [("Client", "Hello", 0.0, 2.5), (LEARNER, "Good morning", 3601.0, 3605.0)]
    session = make_session(user=member, template=template, turns=turns, duration_s=3605.0)
    session.started_at = timezone.now() - timedelta(days=1)
    page = page_of(member, session)
    assert "1:00:01" in page and "1:00:05 long" in page
