"""Webhooks over REST: only owners, secrets once, and a query count that does not grow."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Membership, Organisation, User
from jobs.models import Job, WebhookDelivery, WebhookEndpoint
from jobs.webhooks import endpoints
from tests.factories.people import make_organisation

from ..receiving_end import Receiver
from .steps import Drain, only_delivery, tell

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "/api/webhooks/endpoints/"


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def create(user: User, **fields: Any) -> Any:
    body = {"url": "https://hooks.example.com/plumbline", "event_types": ["job.failed"]}
    return client_of(user).post(HERE, body | fields)


def test_secret_is_shown_at_creation_and_rotation_only(owner: User) -> None:
    answer = create(owner, description="Our ERP")
    assert answer.status_code == 201
    made = answer.json()
    assert made["secret"].startswith("whsec_")
    one = f"{HERE}{made['id']}/"
    client = client_of(owner)
    assert "secret" not in client.get(one).json()
    assert "secret" not in client.get(HERE).json()["results"][0]
    assert "secret" not in client.patch(one, {"description": "Our other ERP"}).json()
    rotated = client.post(f"{one}rotate-secret/").json()
    assert rotated["secret"] not in ("", made["secret"])
    assert rotated["previous_secret_until"] is not None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"url": "http://hooks.example.com/"}, "address_forbidden"),
        ({"url": "https://10.0.0.1/"}, "address_forbidden"),
        ({"url": "https://user:password@hooks.example.com/"}, "address_forbidden"),
        ({"url": "https://hooks.example.com/#part"}, "invalid"),
        ({"url": ""}, "invalid"),
        ({"event_types": []}, "invalid"),
        ({"event_types": ["job.dreamt"]}, "invalid"),
        ({"event_types": ["webhook.test"]}, "invalid"),
        ({"event_types": "job.failed"}, "invalid"),
        ({"description": "x" * 201}, "invalid"),
    ],
)
def test_improper_endpoints_are_refused(fields: dict[str, Any], code: str, owner: User, settings: Any) -> None:
    settings.OUTBOUND_ALLOW_HTTP = False
    answer = create(owner, **fields)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not WebhookEndpoint.objects.exists()


def test_everything_swallows_the_other_types(owner: User) -> None:
    assert create(owner, event_types=["job.failed", "*"]).json()["event_types"] == ["*"]
    assert create(owner, event_types=["job.failed", "job.completed", "job.failed"]).json()["event_types"] == [
        "job.completed",
        "job.failed",
    ]


def test_owner_of_several_organisations_says_which(owner: User, organisation: Organisation, stranger: User) -> None:
    second = make_organisation("Second")
    Membership.objects.create(user=owner, organisation=second, role=Membership.Role.OWNER)
    assert create(owner).json()["code"] == "invalid"
    assert create(owner, organisation_id=str(second.pk)).json()["organisation_id"] == str(second.pk)
    theirs = stranger.memberships.get().organisation_id
    assert create(owner, organisation_id=str(theirs)).status_code == 404
    assert create(owner, organisation_id=str(uuid4())).status_code == 404


def test_organisation_has_at_most_twenty_endpoints(owner: User) -> None:
    for _ in range(20):
        assert create(owner).status_code == 201
    assert create(owner).json()["code"] == "webhook_endpoint_refused"


@pytest.mark.parametrize("who", ["member", "viewer", "stranger", "staff"])
def test_for_all_but_owners_there_is_nothing(
    who: str, request: pytest.FixtureRequest, endpoint: WebhookEndpoint, organisation: Organisation, drain: Drain
) -> None:
    tell(organisation)
    drain()
    client = client_of(request.getfixturevalue(who))
    one, delivery = f"{HERE}{endpoint.pk}/", f"/api/webhooks/deliveries/{only_delivery().pk}/"
    assert client.get(HERE).json()["results"] == []
    assert client.get("/api/webhooks/deliveries/").json()["results"] == []
    for address in (one, delivery):
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    if who == "staff":
        return  # a superuser holds the permission to change endpoints, and uses the admin for it
    assert client.patch(one, {"description": "Mine"}).status_code == 404
    assert client.delete(one).status_code == 404
    assert client.post(f"{one}rotate-secret/").status_code == 404
    assert client.post(f"{one}test/").status_code == 404
    assert client.post(f"{delivery}redeliver/").status_code == 404
    if who != "stranger":
        assert create(request.getfixturevalue(who)).status_code == 404
    endpoint.refresh_from_db()
    assert endpoint.description == ""
    assert WebhookDelivery.objects.count() == 1


def test_nobody_gets_401(endpoint: WebhookEndpoint) -> None:
    for address in (HERE, f"{HERE}{endpoint.pk}/", "/api/webhooks/deliveries/", "/api/webhooks/event-types/"):
        assert client_of(None).get(address).status_code == 401
    assert client_of(None).post(HERE, {}).status_code == 401


def test_former_owner_sees_nothing_more(endpoint: WebhookEndpoint, owner: User) -> None:
    Membership.objects.filter(user=owner).update(role=Membership.Role.MEMBER)
    assert client_of(owner).get(f"{HERE}{endpoint.pk}/").status_code == 404


def test_endpoint_is_changed_switched_and_deleted(endpoint: WebhookEndpoint, owner: User) -> None:
    client, one = client_of(owner), f"{HERE}{endpoint.pk}"
    changed = client.patch(one, {"url": "https://hooks.example.com/new", "event_types": ["*"]}).json()
    assert (changed["url"], changed["event_types"]) == ("https://hooks.example.com/new", ["*"])
    off = client.patch(one, {"is_active": False}).json()
    assert (off["is_active"], off["disabled_reason"]) == (False, "Switched off by Owner.")
    assert off["disabled_at"] is None, "that says when we did it"
    assert client.patch(one, {"is_active": True}).json()["disabled_reason"] == ""
    assert client.patch(one, {"url": "https://127.0.0.2:22/"}).status_code == 400
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


def test_test_is_sent_and_followed(endpoint: WebhookEndpoint, owner: User, there: Receiver, drain: Drain) -> None:
    client = client_of(owner)
    answer = client.post(f"{HERE}{endpoint.pk}/test")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    second = client.post(f"{HERE}{endpoint.pk}/test")
    assert (second.status_code, second.json()["code"]) == (409, "webhook_still_trying")
    drain()
    assert len(there.came) == 1
    followed = client.get(f"/api/webhooks/deliveries/{answer.json()['id']}").json()
    assert (followed["status"], followed["response_status"], followed["response_excerpt"]) == (
        "delivered",
        200,
        "thanks",
    )
    assert client.post(f"{HERE}{endpoint.pk}/test").status_code == 202


def test_deliveries_are_narrowed_and_sent_again(
    endpoint: WebhookEndpoint, organisation: Organisation, owner: User, there: Receiver, drain: Drain
) -> None:
    other = endpoints.create_endpoint(actor=owner, url=there.url("/other"), event_types=["job.failed"])
    tell(organisation)
    drain()
    tell(organisation, "job.failed")

    def found(**query: Any) -> int:
        answer = client_of(owner).get("/api/webhooks/deliveries/", query)
        assert answer.status_code == 200
        return int(answer.json()["count"])

    assert (found(), found(endpoint=str(other.pk)), found(event_type="job.failed")) == (3, 1, 2)
    assert (found(status="delivered"), found(status=["delivered", "pending"])) == (1, 3)
    assert client_of(owner).get("/api/webhooks/deliveries/", {"status": "lost"}).status_code == 400
    delivered = WebhookDelivery.objects.get(status="delivered")
    assert client_of(owner).post(f"/api/webhooks/deliveries/{delivered.pk}/redeliver/").status_code == 202
    refused = client_of(owner).post(f"/api/webhooks/deliveries/{delivered.pk}/redeliver/")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_still_trying")
    assert Job.objects.filter(kind="jobs.deliver_webhook", status="queued").count() == 3


def test_event_types_are_described_with_examples(member: User) -> None:
    types = {row["name"]: row for row in client_of(member).get("/api/webhooks/event-types/").json()}
    assert {
        "job.completed",
        "job.failed",
        "document.imported",
        "project.version_created",
        "project.audited",
        "webhook.test",
    } <= types.keys()
    assert all(row["description"] and row["example"] for row in types.values())


@pytest.mark.parametrize("address", [HERE, "/api/webhooks/deliveries/", "/organisation/webhooks/"])
def test_number_of_queries_does_not_grow_with_the_rows(address: str, owner: User, organisation: Organisation) -> None:
    def queries(rows: int) -> int:
        WebhookEndpoint.objects.all().delete()
        made = WebhookEndpoint.objects.bulk_create(
            WebhookEndpoint(organisation=organisation, url="https://a.example/", event_types=["*"]) for _ in range(rows)
        )
        WebhookDelivery.objects.bulk_create(
            WebhookDelivery(endpoint=each, event_type="job.failed", payload={}) for each in made
        )
        client = client_of(owner)
        client.force_login(owner)
        client.get(address)  # whatever is read once
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    assert queries(50) == queries(1) <= 8
