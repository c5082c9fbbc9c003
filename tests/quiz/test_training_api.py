"""The API of training calls: what each endpoint answers, 404 to strangers, and a fixed number of queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from quiz.models import Assignment, TrainingSession, TrainingTemplate
from tests.factories.people import make_user
from tests.factories.quiz import make_clause
from tests.factories.training import (
    LEVELS,
    make_assignment,
    make_grade,
    make_note,
    make_rubric,
    make_session,
    make_submitted,
    make_template,
)

pytestmark = pytest.mark.django_db
BASE = "/api/training"
CRITERIA: list[dict[str, Any]] = [
    {"name": "Asks", "kind": "behaviour", "weight": 2, "rule": {"measure": "questions", "low": 3}},
    {"name": "Explains clearly", "kind": "quality", "levels": LEVELS},
]


@pytest.fixture
def template(organisation: Organisation) -> TrainingTemplate:
    return make_template(organisation, "Clarification")


@pytest.fixture
def session(template: TrainingTemplate, member: User) -> TrainingSession:
    session = make_session(user=member, template=template, title="First call")
    make_grade(session, "rule", scores={"talk-share": 80, "next-step": 50})
    make_grade(session, "model", scores={"clarity": 60}, overall="60.00")
    return session


def as_(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def post(user: User, path: str, body: Any = None) -> Any:
    return as_(user).post(f"{BASE}/{path}", body or {}, format="json")


def test_a_template_from_its_making_to_the_archive(coach: User, member: User, organisation: Organisation) -> None:
    clause = make_clause("4.1.2")
    criteria = [CRITERIA[0] | {"clauses": [str(clause.pk)]}, CRITERIA[1]]
    made = post(coach, "templates", {"name": "Clarification", "scenario": "A hall.", "criteria": criteria})
    assert made.status_code == 201, made.content
    told = made.json()
    assert told["rubric"]["number"] == told["rubric_number"] == 1 and told["may_change"] is True
    assert [each["key"] for each in told["rubric"]["criteria"]] == ["asks", "explains-clearly"]
    assert told["rubric"]["criteria"][0]["clauses"][0]["number"] == "4.1.2"
    address = f"templates/{told['id']}"
    seen = as_(member).get(f"{BASE}/{address}").json()
    assert seen["name"] == "Clarification" and seen["may_change"] is False
    same = post(coach, f"{address}/rubrics", {"criteria": criteria})
    assert same.status_code == 200 and same.json()["number"] == 1
    second = post(coach, f"{address}/rubrics", {"criteria": criteria[:1], "note": "Shorter", "seen": 1})
    assert second.status_code == 201 and second.json()["number"] == 2
    late = post(coach, f"{address}/rubrics", {"criteria": criteria, "seen": 1})
    assert late.status_code == 409 and late.json()["code"] == "edited_meanwhile" and late.json()["seen"] == 2
    versions = as_(member).get(f"{BASE}/{address}/rubrics").json()
    assert [each["number"] for each in versions["results"]] == [2, 1]
    assert len(as_(member).get(f"{BASE}/{address}/rubrics/1").json()["criteria"]) == 2
    assert as_(member).get(f"{BASE}/{address}/rubrics/9").json()["code"] == "rubric_not_found"
    changed = as_(coach).patch(f"{BASE}/{address}", {"name": "Call", "seen": told["updated_at"]}, format="json")
    assert changed.status_code == 200 and changed.json()["name"] == "Call" and changed.json()["scenario"] == "A hall."
    stale = as_(coach).patch(f"{BASE}/{address}", {"name": "Other", "seen": told["updated_at"]}, format="json")
    assert stale.status_code == 409
    assert post(coach, f"{address}/archive").json()["archived_at"]
    assert as_(member).get(f"{BASE}/templates").json()["count"] == 0
    assert as_(member).get(f"{BASE}/templates?archived=true&search=cal").json()["count"] == 1
    assert post(coach, f"{address}/restore").json()["archived_at"] is None


def test_a_rubric_that_can_not_be_says_why_by_criterion(coach: User, template: TrainingTemplate) -> None:
    wrong = [CRITERIA[0], {"name": "Charm", "kind": "behaviour", "rule": {"measure": "charm"}, "weight": 500}]
    answer = post(coach, f"templates/{template.pk}/rubrics", {"criteria": wrong})
    assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid"
    fine, problem = answer.json()["errors"]["criteria"]
    assert fine == {} and set(problem) == {"rule", "weight"}
    assert post(coach, f"templates/{template.pk}/rubrics", {"criteria": [{"kind": "odd"}]}).status_code == 400


def test_the_example_and_the_agreement(coach: User, session: TrainingSession) -> None:
    made = post(coach, "templates/example")
    assert made.status_code == 201 and len(made.json()["rubric"]["criteria"]) == 6
    make_grade(session, "human", scores={"clarity": 60}, overall="70.00")
    told = as_(coach).get(f"{BASE}/templates/{session.template_id}/agreement").json()
    pair = next(each for each in told["pairs"] if (each["first"], each["second"]) == ("model", "human"))
    assert (pair["n"], pair["kappa"], pair["same"]) == (1, None, 1.0) and "Too few" in pair["reason"]


def test_assignments_are_given_moved_and_withdrawn(coach: User, member: User, template: TrainingTemplate) -> None:
    due = (timezone.now() + timedelta(days=3)).isoformat()
    body = {"template": str(template.pk), "users": [str(member.pk)], "due_at": due, "note": "Ask about the welds."}
    made = post(coach, "assignments", body)
    assert made.status_code == 201
    [row] = made.json()["created"]
    assert row["user"]["name"] == "Member" and row["template"]["name"] == "Clarification"
    again = post(coach, "assignments", body).json()
    assert again["created"] == [] and again["already"] == [str(member.pk)]
    address = f"{BASE}/assignments/{row['id']}"
    assert as_(member).get(address).json()["note"] == "Ask about the welds."
    assert as_(coach).patch(address, {"note": ""}, format="json").json()["due_at"] == row["due_at"]
    assert as_(coach).patch(address, {"due_at": None}, format="json").json()["due_at"] is None
    past = as_(coach).patch(address, {"due_at": "2020-01-01T00:00:00Z"}, format="json")
    assert past.status_code == 400 and "due_at" in past.json()["errors"]
    assert as_(member).get(f"{BASE}/assignments?open=true").json()["count"] == 1
    assert post(coach, f"assignments/{row['id']}/withdraw").json()["withdrawn_at"]
    assert as_(coach).patch(address, {"note": "x"}, format="json").json()["code"] == "assignment_over"
    assert as_(member).get(f"{BASE}/assignments?open=true").json()["count"] == 0
    assert post(coach, "assignments", body | {"users": []}).status_code == 400


def test_a_call_with_all_there_is_of_it(coach: User, member: User, session: TrainingSession) -> None:
    make_note(session, coach, "Well asked.", turn=1)
    told = as_(member).get(f"{BASE}/sessions/{session.pk}").json()
    assert told["title"] == "First call" and told["user"]["name"] == "Member" and told["overall"] == "60.00"
    assert told["speakers"] == ["Client", "Learner"] and told["turns"][1]["is_learner"]
    assert told["turns"][1]["notes"] == [told["notes"][0]["id"]] and not told["notes"][0]["is_mine"]
    assert [each["grader"] for each in told["grades"]] == ["rule", "model"]
    clarity = told["criteria"][2]
    assert clarity["scores"] == {"model": {"score": 60, "level": "Partly", "reason": "", "evidence": []}}
    assert told["next_practice"]["criterion"]["key"] == "next-step"
    assert told["may"] == {
        "coach": False, "note": True, "submit": True, "override": False, "close": False, "reopen": False,
        "correct": False, "process": False,
    }  # fmt: skip
    by_coach = as_(coach).get(f"{BASE}/sessions/{session.pk}").json()
    assert by_coach["may"]["override"] and by_coach["may"]["close"] and by_coach["notes"][0]["is_mine"]


def test_a_review_from_asking_to_closing(coach: User, member: User, session: TrainingSession) -> None:
    address = f"sessions/{session.pk}"
    assert post(member, f"{address}/submit").json()["submitted_for_review"] is True
    [waiting] = as_(coach).get(f"{BASE}/sessions?to_review=true").json()["results"]
    assert waiting["id"] == str(session.pk)
    note = post(coach, f"{address}/notes", {"text": "Good.", "turn": 1})
    assert note.status_code == 201 and note.json()["turn"] == 1
    note_path = f"{BASE}/notes/{note.json()['id']}"
    assert as_(coach).patch(note_path, {"text": "Very good."}, format="json").json()["text"] == "Very good."
    assert as_(member).patch(note_path, {"text": "Mine"}, format="json").json()["code"] == "not_your_note"
    scores = {"clarity": {"score": 90, "reason": "Each gap by its drawing."}}
    judged = post(coach, f"{address}/override", {"scores": scores, "feedback": "Well prepared.", "seen": ""})
    assert judged.status_code == 200 and judged.json()["overall"] == "75.00"
    assert judged.json()["criteria"][2]["scores"]["human"]["level"] == "Partly"
    late = post(coach, f"{address}/override", {"scores": scores, "seen": ""})
    assert late.status_code == 409 and late.json()["code"] == "edited_meanwhile"
    assert late.json()["seen"] == judged.json()["seen"]
    unexplained = post(coach, f"{address}/override", {"scores": {"clarity": {"score": 10}}})
    assert unexplained.status_code == 400 and "clarity" in unexplained.json()["errors"]["scores"]
    closed = post(coach, f"{address}/close").json()
    assert closed["closed_by"]["name"] == "Coach" and closed["may"]["reopen"]
    assert post(member, f"{address}/notes", {"text": "Thanks."}).json()["code"] == "session_closed"
    assert post(coach, f"{address}/reopen").json()["closed_at"] is None
    assert as_(coach).delete(note_path).status_code == 204
    assert as_(coach).delete(note_path).status_code == 404


def test_lists_are_filtered(
    coach: User, member: User, viewer: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    other = make_template(organisation)
    assignment = make_assignment(template, member)
    mine = make_session(user=coach, template=other)
    theirs = make_session(user=member, template=template, assignment=assignment, closed_at=timezone.now())
    unknown = make_session(organisation, status="failed")
    TrainingSession.objects.filter(pk=theirs.pk).update(created_at=timezone.now() - timedelta(days=20))

    def found(query: str, user: User = coach) -> set[str]:
        answer = as_(user).get(f"{BASE}/sessions?{query}")
        assert answer.status_code == 200, answer.content
        return {each["id"] for each in answer.json()["results"]}

    everything = {str(each.pk) for each in (mine, theirs, unknown)}
    assert found("") == everything
    assert found("mine=true") == {str(mine.pk)} and found("mine=false") == everything - {str(mine.pk)}
    assert found("closed=true") == found(f"user={member.pk}") == found(f"assignment={assignment.pk}")
    assert found(f"template={template.pk}") == {str(theirs.pk)} == found("closed=true")
    assert found("status=failed") == {str(unknown.pk)} and str(theirs.pk) not in found("period=7d")
    assert found("period=30d") == everything
    assert found(f"until={(timezone.now() - timedelta(days=10)).date()}") == {str(theirs.pk)}
    assert found(f"organisation={organisation.pk}") == everything and found(f"organisation={uuid4()}") == set()
    assert found("", member) == {str(theirs.pk)} and found("", viewer) == set()
    assert as_(coach).get(f"{BASE}/sessions?status=odd").status_code == 400
    assert as_(coach).get(f"{BASE}/sessions?user=odd").status_code == 400


def test_pages_follow_each_other(coach: User, member: User, template: TrainingTemplate) -> None:
    now = timezone.now()
    made = [make_submitted(make_session(user=member, template=template)) for _ in range(5)]
    TrainingSession.objects.update(created_at=now)  # the very same time: nothing is skipped, nothing told twice
    for query in ("", "to_review=true&"):
        seen: list[str] = []
        address: str | None = f"{BASE}/sessions?{query}page_size=2"
        while address:
            page = as_(coach).get(address).json()
            seen += [each["id"] for each in page["results"]]
            address = page["next"]
        assert len(seen) == 5 and set(seen) == {str(each.pk) for each in made}
    assert as_(coach).get(f"{BASE}/sessions?cursor=nonsense").status_code == 404


def test_corrections_are_for_coaches(
    coach: User, member: User, session: TrainingSession, organisation: Organisation
) -> None:
    colleague = make_user("colleague", organisation=organisation)
    address = f"sessions/{session.pk}"
    assert post(member, f"{address}/who", {"user": str(colleague.pk)}).json()["code"] == "coaches_only"
    named = post(coach, f"{address}/who", {"user": str(colleague.pk)})
    assert named.status_code == 200 and named.json()["user"]["name"] == "Colleague"
    assert named.json()["status"] == "done", "nothing is measured anew"
    assert post(coach, f"{address}/who", {"user": str(uuid4())}).status_code == 400
    swapped = post(coach, f"{address}/who", {"user": str(colleague.pk), "learner_speaker": "Client"})
    assert swapped.json()["status"] == "received" and swapped.json()["learner_speaker"] == "Client"
    assert post(coach, f"{address}/process").json()["code"] == "not_processed"
    again = make_session(user=member, template=session.template)
    other = make_template(organisation)
    moved = post(coach, f"sessions/{again.pk}/template", {"template": str(other.pk)})
    assert moved.json()["template"]["id"] == str(other.pk) and moved.json()["status"] == "received"
    assert moved.json()["job_id"]
    third = make_session(user=member, template=other)
    assert post(coach, f"sessions/{third.pk}/process").status_code == 202
    assert post(coach, f"sessions/{third.pk}/template", {"template": str(uuid4())}).status_code == 404


def writes_of(session: TrainingSession, assignment: Assignment) -> list[tuple[str, Any]]:
    """Of what only its learner and coaches see."""
    call, user = f"sessions/{session.pk}", str(session.user_id)
    return [
        (f"{call}/submit", {}),
        (f"{call}/notes", {"text": "x"}),
        (f"{call}/override", {"scores": {"clarity": {"score": 1, "reason": "Because."}}}),
        (f"{call}/close", {}),
        (f"{call}/reopen", {}),
        (f"{call}/process", {}),
        (f"{call}/who", {"user": user}),
        (f"{call}/template", {"template": str(session.template_id)}),
        (f"assignments/{assignment.pk}/withdraw", {}),
    ]


def writes_of_template(session: TrainingSession) -> list[tuple[str, Any]]:
    """Of what all members see."""
    template = f"templates/{session.template_id}"
    return [
        (f"{template}/archive", {}),
        (f"{template}/restore", {}),
        (f"{template}/rubrics", {"criteria": CRITERIA}),
        ("assignments", {"template": str(session.template_id), "users": [str(session.user_id)]}),
    ]


def test_calls_of_others_are_404_and_templates_are_for_coaches(
    stranger: User, coach: User, member: User, viewer: User, session: TrainingSession
) -> None:
    colleague = make_user("colleague", organisation=session.organisation)
    assignment = make_assignment(make_template(session.organisation), member)
    note = make_note(session, coach)
    for user in (stranger, colleague, viewer):
        for path in (f"sessions/{session.pk}", f"assignments/{assignment.pk}"):
            assert as_(user).get(f"{BASE}/{path}").status_code == 404, path
        for path, body in writes_of(session, assignment):
            assert post(user, path, body).status_code == 404, path
        assert as_(user).patch(f"{BASE}/notes/{note.pk}", {"text": "x"}, format="json").status_code == 404
        assert as_(user).delete(f"{BASE}/notes/{note.pk}").status_code == 404
        for path, body in writes_of_template(session):
            assert post(user, path, body).status_code == (404 if user == stranger else 403), path


def test_strangers_see_no_template_and_nobody_anything(stranger: User, member: User, session: TrainingSession) -> None:
    template = f"templates/{session.template_id}"
    for path in (template, f"{template}/rubrics", f"{template}/rubrics/1", f"{template}/agreement"):
        assert as_(stranger).get(f"{BASE}/{path}").status_code == 404, path
    assert as_(member).get(f"{BASE}/{template}/agreement").json()["code"] == "coaches_only"
    assert as_(stranger).patch(f"{BASE}/{template}", {"name": "x"}, format="json").status_code == 404
    for name in ("sessions", "templates", "assignments"):
        assert as_(stranger).get(f"{BASE}/{name}").json()["results"] == []
        assert APIClient().get(f"{BASE}/{name}").status_code == 401
    body = {"name": "Ours", "organisation": str(session.organisation_id)}
    assert post(stranger, "templates", body).status_code == 404
    assert post(member, "templates", body).json()["code"] == "coaches_only"


def test_viewers_look_on(viewer: User, coach: User, template: TrainingTemplate) -> None:
    session = make_session(user=viewer, template=template)
    told = as_(viewer).get(f"{BASE}/sessions/{session.pk}").json()
    assert not any(told["may"].values())
    assert post(viewer, f"sessions/{session.pk}/submit").json()["code"] == "read_only"
    assert post(viewer, f"sessions/{session.pk}/notes", {"text": "x"}).json()["code"] == "read_only"
    assert post(viewer, f"sessions/{session.pk}/close").json()["code"] == "coaches_only"
    body = {"template": str(template.pk), "users": [str(viewer.pk)]}
    assert post(coach, "assignments", body).status_code == 400


def test_lists_ask_as_often_with_fifty_rows_as_with_one(
    coach: User, member: User, template: TrainingTemplate, session: TrainingSession
) -> None:
    make_assignment(template, member, assigned_by=coach)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_(coach).get(f"{BASE}/{path}").status_code == 200
        return len(captured)

    paths = ["sessions", "sessions?to_review=true", "templates", "assignments", f"templates/{template.pk}/rubrics"]
    before = {path: queries(path) for path in paths}
    for number in range(49):
        person = make_user(f"learner{number}", organisation=template.organisation)
        made = make_template(template.organisation, user=person)
        make_assignment(made, person, assigned_by=coach)
        make_submitted(make_session(user=person, template=made, closed_by=None))
        make_rubric(template)
    assert {path: queries(path) for path in paths} == before


def test_a_call_asks_as_often_with_much_in_it_as_with_little(coach: User, template: TrainingTemplate) -> None:
    def queries(session: TrainingSession) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_(coach).get(f"{BASE}/sessions/{session.pk}").status_code == 200
        return len(captured)

    def made(amount: int) -> TrainingSession:
        criteria = [{"key": f"c{n}", "clauses": [make_clause(f"{amount}.{n}")]} for n in range(amount)]
        full = make_template(template.organisation, criteria=criteria)
        session = make_session(user=coach, template=full, turns=[("Learner", "Which?")] * amount)
        for grader in ("rule", "model", "human"):
            make_grade(session, grader, scores={f"c{n}": 50 for n in range(amount)}, author=coach)
        for n in range(amount):
            make_note(session, make_user(organisation=template.organisation), turn=n)
        return session

    assert queries(made(1)) == queries(made(30)) <= 16
