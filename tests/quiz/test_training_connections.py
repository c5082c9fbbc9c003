"""Connections to voice services: owners make and change them; secrets are told once and never again."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Membership, Organisation, User
from quiz.models import TrainingSession, VoiceConnection
from tests.factories.people import make_organisation, make_user
from tests.factories.training import make_session, make_template
from tests.factories.voice import SECRET, make_connection

pytestmark = pytest.mark.django_db
HERE = "/api/training/connections/"


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def test_a_secret_is_made_told_once_and_never_again(organisation: Organisation, owner: User) -> None:
    client = client_of(owner)
    made = client.post(
        HERE, {"name": " Vapi  calls ", "method": "hmac", "api_url": "https://api.vapi.ai/", "api_key": "k1"}
    )
    assert made.status_code == 201, made.json()
    told = made.json()
    row = VoiceConnection.objects.get()
    assert (told["secret"], len(told["secret"]) >= 40) == (row.secret, True)
    assert (told["name"], told["api_url"], told["timestamp_header"]) == (
        "Vapi calls",
        "https://api.vapi.ai",
        "x-vapi-timestamp",
    )
    assert told["address"].endswith(f"/api/hooks/voice?connection={row.pk}")
    assert (told["has_api_key"], "api_key" in told) == (True, False)
    for path in (HERE, f"{HERE}{row.pk}/"):
        text = client.get(path).content.decode()
        assert row.secret not in text and "k1" not in text
    changed = client.patch(
        f"{HERE}{row.pk}/", {"is_active": False, "header": "X-Our-Signature", "timestamp_header": ""}
    )
    assert (changed.status_code, "secret" in changed.json()) == (200, False)
    before = row.secret
    row.refresh_from_db()
    assert (row.is_active, row.header, row.timestamp_header, row.secret) == (False, "x-our-signature", "", before)
    rotated = client.post(f"{HERE}{row.pk}/rotate-secret/")
    row.refresh_from_db()
    assert rotated.json()["secret"] == row.secret != before
    own = client.post(f"{HERE}{row.pk}/rotate-secret/", {"secret": SECRET})
    assert own.json()["secret"] == SECRET


def test_removing_a_connection_leaves_its_calls(organisation: Organisation, owner: User) -> None:
    row = make_connection(organisation)
    session = make_session(organisation, connection=row, call_id="c", source="voice")
    assert client_of(owner).delete(f"{HERE}{row.pk}/").status_code == 204
    assert TrainingSession.objects.get(pk=session.pk).connection is None


def test_only_owners_see_that_there_is_any(
    organisation: Organisation, owner: User, member: User, viewer: User, stranger: User
) -> None:
    row = make_connection(organisation)
    coach = make_user("coach", organisation=organisation, role=Membership.Role.COACH)
    requests: list[tuple[str, str]] = [
        ("get", ""), ("patch", ""), ("delete", ""), ("post", "rotate-secret/"), ("post", "reconcile/"),
    ]  # fmt: skip
    for user in (member, coach, viewer, stranger):
        for method, path in requests:
            answer = getattr(client_of(user), method)(f"{HERE}{row.pk}/{path}")
            assert answer.status_code == 404, (user, method, path)
        assert client_of(user).get(HERE).json()["count"] == 0
    assert client_of(None).get(HERE).status_code == 401
    assert client_of(coach).post(HERE, {"name": "x"}).status_code == 404
    assert client_of(stranger).post(HERE, {"name": "x", "organisation": str(organisation.pk)}).status_code == 404
    row.refresh_from_db()
    assert row.secret == SECRET
    refused = client_of(owner).post(f"{HERE}{row.pk}/reconcile/")
    assert (refused.status_code, refused.json()["code"]) == (400, "calls_not_listed")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("method", "none"),
        ("header", "two words"),
        ("timestamp_header", "a:b"),
        ("secret", "short"),
        ("secret", "é" * 40),
        ("api_url", "http://api.vapi.ai"),
        ("api_url", "https://127.0.0.1/"),
        ("api_url", "https://169.254.169.254/latest"),
        ("api_url", "https://api.vapi.ai/?x=1"),
        ("api_key", "line\nbreak"),
        ("template", "00000000-0000-0000-0000-00000000c0de"),
    ],
)
def test_what_a_connection_can_not_be_is_said_by_field(
    organisation: Organisation, owner: User, settings: Any, field: str, value: str
) -> None:
    settings.OUTBOUND_ALLOW_HTTP, settings.OUTBOUND_ALLOWED_NETWORKS = False, []
    answer = client_of(owner).post(HERE, {"name": "Vapi", field: value})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert field in answer.json()["errors"]
    assert not VoiceConnection.objects.exists()


def test_a_template_of_others_is_none_and_owners_of_several_say_which(organisation: Organisation, owner: User) -> None:
    other = make_organisation("Second")
    Membership.objects.create(organisation=other, user=owner, role=Membership.Role.OWNER)
    client = client_of(owner)
    assert "organisation" in client.post(HERE, {"name": "x"}).json()["errors"]
    fields = {"name": "x", "organisation": str(organisation.pk)}
    foreign, own = make_template(other), make_template(organisation)
    assert client.post(HERE, fields | {"template": str(foreign.pk)}).status_code == 400
    made = client.post(HERE, fields | {"template": str(own.pk)})
    assert (made.status_code, made.json()["template"]) == (201, str(own.pk))


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_the_same_however_long_it_is(
    organisation: Organisation, owner: User, django_assert_num_queries: Any, count: int
) -> None:
    for number in range(count):
        make_connection(organisation, name=f"Connection {number}")
    client = client_of(owner)
    with django_assert_num_queries(2):
        assert client.get(HERE).json()["count"] == count
    assert client.post(HERE, {"name": "One more"}).status_code == (201 if count == 1 else 400)
