"""Suspended means out at once: session, tokens, sockets; and for good, also after reactivation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import services
from accounts.exceptions import Missing, NotSignedIn, Refused
from accounts.models import User
from accounts.services import withdrawal
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Iterator[list[services.Withdrawal]]:
    """What a registered listener is told."""
    told: list[services.Withdrawal] = []
    services.on_withdrawn(told.append)
    yield told
    withdrawal._callbacks.remove(told.append)


@pytest.fixture
def browser(client: Client, member: User) -> Client:
    response = client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    assert response.status_code == 302
    assert client.get("/accounts/email/").status_code == 200
    return client


def is_in(browser: Client) -> bool:
    return browser.get("/accounts/email/").status_code == 200


def tokens_of(api: APIClient, user: User) -> Any:
    return api.post("/api/auth/login", {"email": user.email, "password": PASSWORD}).json()


def test_a_session_ends_with_the_next_request_and_does_not_come_back(
    browser: Client, member: User, superuser: User
) -> None:
    services.suspend(user_id=member.pk, actor=superuser)
    assert not is_in(browser)
    services.reactivate(user_id=member.pk, actor=superuser)
    assert not is_in(browser)
    browser.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    assert is_in(browser)


def test_tokens_end_at_once_and_do_not_come_back(api: APIClient, member: User, superuser: User) -> None:
    tokens = tokens_of(api, member)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    assert api.get("/api/auth/me").status_code == 200
    services.suspend(user_id=member.pk, actor=superuser)
    refused = api.get("/api/auth/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "suspended")
    assert api.post("/api/auth/refresh", {"refresh": tokens["refresh"]}).status_code == 401
    services.reactivate(user_id=member.pk, actor=superuser)
    assert api.get("/api/auth/me").json()["code"] == "token_invalid"
    assert api.post("/api/auth/refresh", {"refresh": tokens["refresh"]}).status_code == 401
    assert tokens_of(api, member)["access"]


def test_a_socket_s_token_is_refused(api: APIClient, member: User, superuser: User) -> None:
    access = tokens_of(api, member)["access"]
    assert services.user_of_access_token(access=access) == member
    services.suspend(user_id=member.pk, actor=superuser)
    with pytest.raises(NotSignedIn) as refused:
        services.user_of_access_token(access=access)
    assert refused.value.code == "suspended"


def test_every_refresh_token_is_recorded_as_revoked(api: APIClient, member: User, superuser: User) -> None:
    for _ in range(3):
        tokens_of(api, member)
    services.suspend(user_id=member.pk, actor=superuser)
    assert OutstandingToken.objects.filter(user=member).count() == 3
    assert BlacklistedToken.objects.filter(token__user=member).count() == 3


@pytest.mark.django_db(transaction=True)
def test_listeners_hear_of_it_once_it_is_committed(
    member: User, superuser: User, heard: list[services.Withdrawal]
) -> None:
    services.suspend(user_id=member.pk, actor=superuser)
    assert heard == [services.Withdrawal(user_id=member.pk)]
    services.suspend(user_id=member.pk, actor=superuser)
    assert len(heard) == 1


@pytest.mark.django_db(transaction=True)
def test_a_listener_that_fails_keeps_neither_the_others_nor_the_suspension_from_happening(
    member: User, superuser: User
) -> None:
    told: list[services.Withdrawal] = []

    def fails(_: services.Withdrawal) -> None:
        raise RuntimeError("no Redis")

    services.on_withdrawn(fails)
    services.on_withdrawn(told.append)
    try:
        services.suspend(user_id=member.pk, actor=superuser)
    finally:
        withdrawal._callbacks.remove(fails)
        withdrawal._callbacks.remove(told.append)
    assert told == [services.Withdrawal(user_id=member.pk)]
    member.refresh_from_db()
    assert member.status == User.Status.SUSPENDED


def test_who_was_never_confirmed_is_pending_again(member: User, superuser: User) -> None:
    User.objects.filter(pk=member.pk).update(status=User.Status.PENDING, email_verified=False)
    services.suspend(user_id=member.pk, actor=superuser)
    assert services.reactivate(user_id=member.pk, actor=superuser).status == User.Status.PENDING


def test_nobody_suspends_themselves_or_a_superuser_above_them(superuser: User, owner: User) -> None:
    with pytest.raises(Refused, match="yourself"):
        services.suspend(user_id=superuser.pk, actor=superuser)
    with pytest.raises(Refused, match="superuser"):
        services.suspend(user_id=superuser.pk, actor=owner)
    with pytest.raises(Missing):
        services.suspend(user_id=uuid4(), actor=superuser)


def test_the_sign_in_page_says_that_the_account_is_suspended(client: Client, suspended: User) -> None:
    response = client.post("/accounts/login/", {"login": suspended.email, "password": PASSWORD}, follow=True)
    assert b"This account is suspended" in response.content
    assert not is_in(client)


def test_confirming_an_address_does_not_lift_a_suspension(suspended: User) -> None:
    services.confirm_email(user=suspended, email=suspended.email)
    assert suspended.status == User.Status.SUSPENDED
