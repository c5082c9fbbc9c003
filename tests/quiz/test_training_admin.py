"""Training calls in the admin: looked at, processed again, connections switched and given secrets that never show."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from jobs.models import Job
from quiz.models import TrainingSession, VoiceConnection
from tests.factories.people import make_user
from tests.factories.training import SECRET, make_assignment, make_everything, make_session, make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(db: None) -> TrainingSession:
    return make_everything()


@pytest.fixture
def as_staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root@example.com", "a long password"))
    return client


def address(model: str, page: str, *arguments: Any) -> str:
    return reverse(f"admin:quiz_{model}_{page}", args=arguments)


def test_a_call_is_shown_with_grades_and_notes(as_staff: Client, session: TrainingSession) -> None:
    shown = as_staff.get(address("trainingsession", "change", session.pk)).content.decode()
    assert "Which edition of the welding code" in shown and "Explains clearly" in shown and "Well asked." in shown
    assert 'name="title"' not in shown, "nobody edits it here"
    rubric = as_staff.get(address("rubric", "change", session.rubric_id)).content.decode()
    assert "It is there throughout." in rubric and "talk_share" in rubric


def test_what_is_said_in_a_call_is_shown_as_text(as_staff: Client, session: TrainingSession) -> None:
    hostile = make_session(session.organisation, turns=[("<b>X</b>", "<script>alert(1)</script>")])
    shown = as_staff.get(address("trainingsession", "change", hostile.pk)).content.decode()
    assert "<script>alert(1)" not in shown and "&lt;script&gt;alert(1)" in shown


def test_selected_calls_are_processed_again(as_staff: Client, session: TrainingSession) -> None:
    chosen = {"action": "process_again", "_selected_action": [str(session.pk)]}
    assert as_staff.post(address("trainingsession", "changelist"), chosen).status_code == 302
    session.refresh_from_db()
    assert session.status == "received" and Job.objects.get(subject_id=session.pk).status == "queued"


def test_a_connections_secret_goes_in_and_never_comes_out(as_staff: Client, session: TrainingSession) -> None:
    row = VoiceConnection.objects.get()
    VoiceConnection.objects.update(api_key="key-of-the-service")
    pages = [address("voiceconnection", "change", row.pk), address("voiceconnection", "set_secret", row.pk)]
    for page in (*pages, address("voiceconnection", "changelist")):
        shown = as_staff.get(page).content.decode()
        assert SECRET not in shown and "key-of-the-service" not in shown
    refused = as_staff.post(pages[1], {"secret": "short"})
    assert refused.status_code == 200 and b"24 to 200 plain characters" in refused.content
    row.refresh_from_db()
    assert row.secret == SECRET
    assert as_staff.post(pages[1], {"secret": "another secret of the service"}).status_code == 302
    chosen = {"action": "switch_off", "_selected_action": [str(row.pk)]}
    as_staff.post(address("voiceconnection", "changelist"), chosen)
    row.refresh_from_db()
    assert (row.secret, row.is_active) == ("another secret of the service", False)
    as_staff.post(address("voiceconnection", "changelist"), chosen | {"action": "switch_on"})
    row.refresh_from_db()
    assert row.is_active


def test_staff_who_may_only_look_change_nothing(client: Client, session: TrainingSession) -> None:
    looker = make_user("looker", is_staff=True)
    for codename in ("view_trainingsession", "view_voiceconnection"):
        looker.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(looker)
    row = VoiceConnection.objects.get()
    assert client.get(address("voiceconnection", "change", row.pk)).status_code == 200
    page = address("voiceconnection", "set_secret", row.pk)
    assert client.post(page, {"secret": "another secret of the service"}).status_code == 403
    chosen = {"action": "switch_off", "_selected_action": [str(row.pk)]}
    client.post(address("voiceconnection", "changelist"), chosen)
    chosen = {"action": "process_again", "_selected_action": [str(session.pk)]}
    client.post(address("trainingsession", "changelist"), chosen)
    row.refresh_from_db()
    session.refresh_from_db()
    assert row.is_active and row.secret == SECRET and session.status == "done"
    assert client.get(address("assignment", "changelist")).status_code == 403


def test_lists_cost_the_same_queries_whatever_their_length(as_staff: Client, session: TrainingSession) -> None:
    names = ("trainingsession", "assignment", "trainingtemplate", "rubric", "sessionfile", "voiceconnection")

    def queries() -> dict[str, int]:
        told = {}
        for name in names:
            with CaptureQueriesContext(connection) as captured:
                assert as_staff.get(address(name, "changelist")).status_code == 200
            told[name] = len(captured)
        return told

    queries()
    few = queries()
    for number in range(30):
        person = make_user(f"person{number}", organisation=session.organisation)
        template = make_template(session.organisation, user=person)
        make_assignment(template, person, assigned_by=person)
        make_session(user=person, template=template)
    assert queries() == few
