"""The pages of training calls: who sees which, lists and their filters, bringing a call in, assigning, connecting."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, User
from jobs.runner import run_here
from quiz.models import Assignment, SessionGrade, TrainingSession, TrainingTemplate, VoiceConnection
from quiz.services.training import organisation as analytics
from tests.factories.people import make_user
from tests.factories.training import make_assignment, make_grade, make_session, make_submitted, make_template

pytestmark = pytest.mark.django_db
WORDS = (
    "Client: Hello, what can I do for you?\nJana: Which edition do you want us to price? I send it as the next step.\n"
)


@pytest.fixture
def template(organisation: Organisation) -> TrainingTemplate:
    return make_template(organisation, "Bid clarification")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"training:{name}", args=args)


def page_of(user: User, address: str, status: int = 200) -> str:
    response = signed_in(user).get(address)
    assert response.status_code == status
    return response.content.decode()


def sent(by: User, address: str, **fields: Any) -> HttpResponse:
    response: HttpResponse = signed_in(by).post(address, fields)  # type: ignore[assignment]
    return response


@pytest.mark.parametrize(
    "name",
    ["overview", "sessions", "review", "assignments", "templates", "template-new", "organisation", "connections"],
)
def test_every_page_stands_without_anything_in_it(name: str, owner: User) -> None:
    assert Client().get(url(name)).status_code == 302
    page = page_of(owner, url(name))
    assert 'aria-current="page"' in page and "style=" not in page and "onclick" not in page


def test_tabs_are_those_of_the_role(owner: User, coach: User, member: User, viewer: User) -> None:
    def tabs(user: User) -> list[str]:
        return re.findall(r'class="tab"[^>]*>([A-Za-z ]+)', page_of(user, url("overview")))

    assert tabs(member) == tabs(viewer) == ["Overview", "Calls", "Templates", "My figures"]
    assert tabs(coach) == ["Overview", "Calls", "To review", "Assignments", "Templates", "Organisation"]
    assert tabs(owner) == [*tabs(coach), "Connections"]


def test_pages_of_coaches_and_owners_are_theirs(coach: User, member: User) -> None:
    for name in ("review", "assignments", "template-new"):
        assert signed_in(member).get(url(name)).status_code == 403
    for user in (coach, member):
        assert signed_in(user).get(url("connections")).status_code == 404
        assert sent(user, url("connections"), name="x").status_code == 404


def test_a_learner_finds_what_is_due_and_their_own_calls(
    member: User, coach: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    make_assignment(template, member, due_at=timezone.now() + timedelta(days=2), note="Ask about the edition.")
    make_assignment(template, coach)
    make_session(organisation, member, title="Mine")
    make_session(organisation, coach, title="Another's")
    page = page_of(member, url("overview"))
    assert "Bid clarification" in page and "Ask about the edition." in page
    assert "Mine" in page and "Another&#x27;s" not in page
    assert "Waiting for a coach" not in page
    assert "Waiting for a coach" in page_of(coach, url("overview"))
    assert "Another&#x27;s" in page_of(coach, url("sessions")) and "Mine" in page_of(coach, url("sessions"))
    assert "Another&#x27;s" not in page_of(member, url("sessions"))


def test_lists_are_narrowed(coach: User, member: User, template: TrainingTemplate, organisation: Organisation) -> None:
    make_session(organisation, member, title="Failed one", status="failed")
    make_session(organisation, coach, title="Closed one", closed_at=timezone.now())
    make_submitted(make_session(user=member, template=template, title="Waiting one"))
    make_session(organisation, None, title="Nobodys one", created_at=timezone.now() - timedelta(days=40))

    def titles(**wish: Any) -> set[str]:
        page = signed_in(coach).get(url("sessions"), wish).content.decode()
        return set(re.findall(r"<bdi>(\w+) one</bdi>", page))

    assert titles() == {"Failed", "Closed", "Waiting", "Nobodys"}
    assert titles(state="failed") == {"Failed"} and titles(state="closed") == {"Closed"}
    assert titles(state="review") == {"Waiting"} and titles(template=template.pk) == {"Waiting"}
    assert titles(user=member.pk) == {"Failed", "Waiting"} and titles(user="nobody") == {"Nobodys"}
    assert titles(period="30d") == {"Failed", "Closed", "Waiting"}
    assert titles(state="nonsense", user="nonsense", template="x", period="x") == titles()
    queue = page_of(coach, url("review"))
    assert "Waiting one" in queue and "Nobodys one" in queue and "Closed one" not in queue


def test_a_call_is_pasted_uploaded_and_assigned(member: User, template: TrainingTemplate) -> None:
    assignment = make_assignment(template, member)
    made = sent(member, url("upload"), words=WORDS, assignment=assignment.pk, learner_speaker="Jana")
    session = TrainingSession.objects.get()
    assert made.status_code == 302 and made["Location"] == url("session", session.pk)
    assert session.assignment == assignment and session.template == template and session.user == member
    page = page_of(member, url("session", session.pk))
    assert "data-working" in page and "<progress" in page
    assert session.job_id is not None
    run_here(job_id=session.job_id)
    page = page_of(member, url("session", session.pk))
    assert "Which edition do you want us to price?" in page and "data-working" not in page
    file = SimpleUploadedFile("call.txt", WORDS.encode())
    assert sent(member, url("upload"), file=file).status_code == 302
    assert TrainingSession.objects.count() == 2


def test_what_cannot_be_taken_in_is_said(member: User, viewer: User, coach: User, stranger: User) -> None:
    assert "paste what was said" in sent(member, url("upload")).content.decode()
    assert sent(member, url("upload"), words="no names").status_code == 400
    assert sent(viewer, url("upload"), words=WORDS).status_code == 403
    assert sent(member, url("upload"), words=WORDS, user=coach.pk).status_code == 403
    assert sent(member, url("upload"), words=WORDS, started_at="yesterday").status_code == 400
    home = str(member.memberships.get().organisation_id)
    assert sent(stranger, url("upload"), words=WORDS, organisation=home).status_code == 404
    assert not TrainingSession.objects.exists()


def test_a_coach_assigns_to_many_moves_and_withdraws(
    coach: User, member: User, owner: User, viewer: User, template: TrainingTemplate
) -> None:
    due = timezone.now() + timedelta(days=3)
    fields = {"template": template.pk, "user": [member.pk, owner.pk], "due_at": f"{due:%Y-%m-%dT%H:%M}", "note": "Go."}
    assert sent(coach, url("assignments"), **fields).status_code == 302
    assert {each.user for each in Assignment.objects.all()} == {member, owner}
    again = sent(coach, url("assignments"), template=template.pk, user=[viewer.pk], note="Kept")
    assert again.status_code == 400 and "only look on" in again.content.decode() and "Kept" in again.content.decode()
    assert sent(coach, url("assignments"), template=template.pk).status_code == 400
    one = Assignment.objects.get(user=member)
    assert "Member" in page_of(coach, url("assignments"))
    later = due + timedelta(days=1)
    sent(coach, url("assignment", one.pk), due_at=f"{later:%Y-%m-%dT%H:%M}")
    one.refresh_from_db()
    assert one.due_at is not None and one.due_at > due
    sent(coach, url("assignment", one.pk), do="withdraw")
    assert "Member" not in re.sub(r"<form.*?</form>", "", page_of(coach, url("assignments")), flags=re.DOTALL)
    assert "Member" in page_of(coach, url("assignments") + "?state=withdrawn")
    assert sent(member, url("assignment", one.pk), do="withdraw").status_code == 403


def test_strangers_find_nothing(
    stranger: User, owner: User, member: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    session = make_session(user=member, template=template, title="Secret call")
    assignment = make_assignment(template, member)
    for name in ("session", "submit", "note", "override", "close", "reopen", "process", "report", "correct"):
        asked = signed_in(stranger)
        response = asked.get(url(name, session.pk)) if name == "session" else asked.post(url(name, session.pk))
        assert response.status_code == 404, name
    for name in ("template", "template-edit"):
        assert signed_in(stranger).get(url(name, template.pk)).status_code == 404
    assert sent(stranger, url("template-archive", template.pk)).status_code == 404
    assert sent(stranger, url("assignment", assignment.pk), do="withdraw").status_code == 404
    assert signed_in(stranger).get(url("organisation"), {"organisation": organisation.pk}).status_code == 404
    address = f"{url('organisation-file')}?what=people&organisation={organisation.pk}"
    assert signed_in(stranger).get(address).status_code == 404
    for name in ("overview", "sessions", "review", "assignments", "templates"):
        page = page_of(stranger, url(name))
        assert "Secret call" not in page and "Bid clarification" not in page and "Member" not in page


def test_an_owner_connects_and_sees_the_secret_once(owner: User, stranger: User, template: TrainingTemplate) -> None:
    page = sent(owner, url("connections"), name="Vapi", method="hmac", template=template.pk).content.decode()
    made = VoiceConnection.objects.get()
    assert made.secret in page and f"connection={made.pk}" in page and made.template == template
    page = page_of(owner, url("connections"))
    assert made.secret not in page and f"/api/hooks/voice?connection={made.pk}" in page
    rotated = sent(owner, url("connection", made.pk), do="rotate").content.decode()
    former = made.secret
    made.refresh_from_db()
    assert made.secret != former and made.secret in rotated and former not in rotated
    sent(owner, url("connection", made.pk), do="off")
    sent(owner, url("connection", made.pk), do="keep", name="Other", method="bearer", template="", api_key="k" * 20)
    sent(owner, url("connection", made.pk), do="keep", name="Other", method="bearer", api_key="")
    made.refresh_from_db()
    assert (made.is_active, made.name, made.method, made.template, made.api_key) == (
        False, "Other", "bearer", None, "k" * 20,
    )  # fmt: skip
    assert made.api_key not in page_of(owner, url("connections"))
    assert sent(stranger, url("connection", made.pk), do="remove").status_code == 404
    wrong = sent(owner, url("connections"), name="Kept name", method="bearer", api_url="http://127.0.0.1/x")
    assert wrong.status_code == 400 and "Kept name" in wrong.content.decode()
    sent(owner, url("connection", made.pk), do="remove")
    assert not VoiceConnection.objects.exists()


def test_figures_of_an_organisation_and_of_oneself(
    coach: User, member: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    session = make_session(user=member, template=template)
    make_grade(session, SessionGrade.Grader.MODEL, scores={"clarity": 80}, overall="64")
    make_session(user=coach, template=template)
    page = page_of(coach, url("organisation") + "?period=7d")
    assert organisation.name in page and '"Explains clearly"' in page and "Member" in page
    assert "2</span>" in page and "of 1 with an overall score" in page
    mine = page_of(member, url("organisation"))
    assert "My calls in figures" in mine and "Coach" not in mine.split("<tbody>")[-1]
    file = signed_in(coach).get(url("organisation-file"), {"what": "people", "period": "7d"})
    assert b"Member" in b"".join(file.streaming_content)  # type: ignore[attr-defined]
    assert signed_in(coach).get(url("organisation-file"), {"what": "x"}).status_code == 400


@pytest.mark.parametrize("name", ["overview", "sessions", "review", "assignments", "templates", "organisation"])
def test_queries_do_not_grow_with_rows(name: str, coach: User, organisation: Organisation) -> None:
    def fill(number: int) -> None:
        template = make_template(organisation, f"Template {number}")
        user = make_user(f"learner{number}", organisation=organisation)
        make_assignment(template, user, assigned_by=coach)
        make_assignment(template, coach, assigned_by=user)
        make_grade(make_submitted(make_session(user=user, template=template)), scores={"talk-share": 50})
        make_session(user=coach, template=template, closed_by=user, closed_at=timezone.now())
        make_session(organisation, None)

    def queries() -> int:
        analytics.invalidate(organisation.pk)
        page_of(coach, url(name))
        with CaptureQueriesContext(connection) as caught:
            page_of(coach, url(name))
        return len(caught)

    fill(0)
    one = queries()
    for number in range(1, 50):
        fill(number)
    assert queries() == one
