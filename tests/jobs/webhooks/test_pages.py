"""The webhooks pages: for owners, in every state, with the secret shown once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from jobs.models import WebhookDelivery, WebhookEndpoint
from tests.factories.people import make_organisation

from ..receiving_end import Receiver
from .steps import Drain, again, only_delivery, tell

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "/organisation/webhooks/"


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def page_of(user: User, address: str = HERE) -> str:
    answer = browser_of(user).get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_empty_list_says_what_to_do(owner: User) -> None:
    page = page_of(owner)
    assert "No endpoints yet" in page
    assert "job.completed" in page


def test_endpoint_is_added_and_its_secret_shown_once(owner: User, settings: Any) -> None:
    browser = browser_of(owner)
    form = {"url": "https://hooks.example.com/a", "description": "Our ERP", "event_types": ["job.failed"]}
    answer = browser.post(f"{HERE}add/", form)
    endpoint = WebhookEndpoint.objects.get()
    assert answer["Location"] == f"{HERE}{endpoint.pk}/"
    first = browser.get(answer["Location"])
    assert endpoint.secret in first.content.decode()
    assert "no-store" in first["Cache-Control"]
    assert endpoint.secret not in browser.get(answer["Location"]).content.decode()
    assert "Our ERP" in page_of(owner)


def test_refreshed_part_does_not_use_the_secret_up(owner: User, endpoint: WebhookEndpoint) -> None:
    browser = browser_of(owner)
    browser.post(f"{HERE}{endpoint.pk}/rotate-secret/")
    endpoint.refresh_from_db()
    part = browser.get(f"{HERE}{endpoint.pk}/", headers={"HX-Request": "true"})
    assert endpoint.secret not in part.content.decode()
    whole = browser.get(f"{HERE}{endpoint.pk}/").content.decode()
    assert endpoint.secret in whole
    assert "former secret" in whole


def test_improper_address_is_refused_beside_what_was_entered(owner: User) -> None:
    answer = browser_of(owner).post(f"{HERE}add/", {"url": "https://10.0.0.1/x", "event_types": ["*"]})
    page = answer.content.decode()
    assert "private or special network" in page
    assert 'value="https://10.0.0.1/x"' in page
    assert not WebhookEndpoint.objects.exists()
    nothing = browser_of(owner).post(f"{HERE}add/", {"url": "https://hooks.example.com/"}).content.decode()
    assert "field-error" in nothing


def test_owner_of_several_organisations_chooses(owner: User, organisation: Organisation) -> None:
    assert 'name="organisation"' not in page_of(owner, f"{HERE}add/")
    second = make_organisation("Second office")
    Membership.objects.create(user=owner, organisation=second, role=Membership.Role.OWNER)
    assert "Second office" in page_of(owner, f"{HERE}add/")
    form = {"url": "https://hooks.example.com/", "event_types": ["*"], "organisation": str(second.pk)}
    browser_of(owner).post(f"{HERE}add/", form)
    assert WebhookEndpoint.objects.get().organisation == second


def test_endpoint_is_changed(owner: User, endpoint: WebhookEndpoint) -> None:
    address = f"{HERE}{endpoint.pk}/edit/"
    assert f'value="{endpoint.url}"' in page_of(owner, address)
    form = {"url": "https://hooks.example.com/new", "event_types": ["*"], "description": "New"}
    assert browser_of(owner).post(address, form)["Location"] == f"{HERE}{endpoint.pk}/"
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.event_types) == ("https://hooks.example.com/new", ["*"])
    assert "port" in browser_of(owner).post(address, form | {"url": "https://a.example:25/"}).content.decode()


def test_page_watches_while_a_message_is_on_its_way(
    owner: User, endpoint: WebhookEndpoint, there: Receiver, drain: Drain
) -> None:
    address = f"{HERE}{endpoint.pk}/"
    assert "Nothing was sent yet" in page_of(owner, address)
    browser_of(owner).post(f"{address}test/")
    waiting = page_of(owner, address)
    assert "Being sent" in waiting
    assert 'hx-trigger="every 3s"' in waiting
    drain()
    done = page_of(owner, address)
    assert "Delivered" in done
    assert "every 3s" not in done
    assert "webhook.test" in page_of(owner, f"{HERE}deliveries/{only_delivery().pk}/")


def test_failure_is_told_with_its_next_attempt_and_what_was_answered(
    owner: User, endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    there.will_answer(500, body=b"<script>alert(1)</script>")
    tell(organisation, name="<b>")
    drain()
    again(only_delivery(), drain)
    again(only_delivery(), drain)
    page = page_of(owner, f"{HERE}{endpoint.pk}/")
    assert "Waiting to retry" in page
    assert "Messages have not been accepted since" in page
    one = page_of(owner, f"{HERE}deliveries/{only_delivery().pk}/")
    assert "The receiver answered 500." in one
    assert "&lt;script&gt;alert(1)" in one
    assert "<script>alert" not in one


def test_given_up_message_is_sent_again_by_button(
    owner: User, endpoint: WebhookEndpoint, there: Receiver, drain: Drain
) -> None:
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event_type="job.failed", payload={"type": "job.failed"}, status="failed", error="No."
    )
    page = page_of(owner, f"{HERE}{endpoint.pk}/?status=failed")
    assert f"{HERE}deliveries/{delivery.pk}/redeliver/" in page
    answer = browser_of(owner).post(f"{HERE}deliveries/{delivery.pk}/redeliver/", follow=True)
    assert "It is sent once more." in answer.content.decode()
    twice = browser_of(owner).post(f"{HERE}deliveries/{delivery.pk}/redeliver/", follow=True)
    assert "still being tried" in twice.content.decode()
    drain()
    assert [came.headers["webhook-id"] for came in there.came] == [str(delivery.pk)]
    assert "Nothing in this state" in page_of(owner, f"{HERE}{endpoint.pk}/?status=failed")


def test_endpoint_that_was_switched_off_says_why_and_is_switched_on(owner: User, endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.update(
        is_active=False, disabled_at=timezone.now(), disabled_reason="The receiver answered 410 Gone."
    )
    page = page_of(owner, f"{HERE}{endpoint.pk}/")
    assert "410 Gone" in page
    assert "Switched off" in page_of(owner)
    browser_of(owner).post(f"{HERE}{endpoint.pk}/switch/", {"is_active": "on"})
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_reason) == (True, "")
    browser_of(owner).post(f"{HERE}{endpoint.pk}/switch/", {"is_active": "off"})
    assert "Switched off by Owner." in page_of(owner, f"{HERE}{endpoint.pk}/")


def test_endpoint_is_deleted(owner: User, endpoint: WebhookEndpoint) -> None:
    answer = browser_of(owner).post(f"{HERE}{endpoint.pk}/delete/", follow=True)
    assert "The endpoint was deleted." in answer.content.decode()
    assert not WebhookEndpoint.objects.exists()


def addresses(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> tuple[list[str], list[str]]:
    one, sent = f"{HERE}{endpoint.pk}/", f"{HERE}deliveries/{delivery.pk}/"
    return [HERE, f"{HERE}add/", one, f"{one}edit/", sent], [
        *(f"{one}{what}/" for what in ("edit", "test", "switch", "rotate-secret", "delete")),
        f"{sent}redeliver/",
    ]


@pytest.mark.parametrize("who", ["member", "viewer", "stranger"])
def test_for_all_but_owners_there_are_no_pages(
    who: str, request: pytest.FixtureRequest, endpoint: WebhookEndpoint, organisation: Organisation
) -> None:
    tell(organisation)
    browser = browser_of(request.getfixturevalue(who))
    read, changed = addresses(endpoint, only_delivery())
    own = 2 if who == "stranger" else 0  # who owns another organisation has a list and a form of their own
    for address in read[own:]:
        assert browser.get(address).status_code == 404, address
    for address in changed:
        assert browser.post(address, {"is_active": "off"}).status_code == 404, address
    if who == "stranger":
        assert endpoint.url not in browser.get(HERE).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.is_active
    assert not endpoint.previous_secret


def test_nobody_is_sent_to_sign_in(endpoint: WebhookEndpoint, organisation: Organisation) -> None:
    tell(organisation)
    for address in addresses(endpoint, only_delivery())[0]:
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


def test_buttons_answer_posts_only(owner: User, endpoint: WebhookEndpoint) -> None:
    for what in ("test", "switch", "rotate-secret", "delete"):
        assert browser_of(owner).get(f"{HERE}{endpoint.pk}/{what}/").status_code == 405


def test_pages_have_no_inline_script_or_style(
    owner: User, endpoint: WebhookEndpoint, organisation: Organisation
) -> None:
    tell(organisation)
    for address in addresses(endpoint, only_delivery())[0]:
        page = page_of(owner, address)
        assert not re.search(r"\sstyle=|<script>|\son\w+=", page), address


def test_account_pages_lead_owners_here_and_nobody_else(owner: User, member: User) -> None:
    address = reverse("account_email")
    assert HERE in page_of(owner, address)
    assert HERE not in page_of(member, address)
