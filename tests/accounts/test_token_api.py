"""POST /api/auth/login, refresh, logout; GET /api/auth/me."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import Membership, User
from tests.factories.people import PASSWORD, make_organisation

pytestmark = pytest.mark.django_db


def sign_in(api: APIClient, email: str, password: str = PASSWORD) -> Any:
    return api.post("/api/auth/login", {"email": email, "password": password})


def me(api: APIClient, access: str) -> Any:
    return api.get("/api/auth/me", HTTP_AUTHORIZATION=f"Bearer {access}")


def assert_problem(response: Any, status: int, code: str) -> None:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]


def test_signing_in_gives_tokens_and_says_who_one_is(api: APIClient, owner: User) -> None:
    response = sign_in(api, owner.email)
    assert response.status_code == 200
    assert response["Cache-Control"].startswith("max-age=0")
    body = response.json()
    assert set(body) == {"access", "access_expires_at", "refresh", "user"}
    assert body["user"]["email"] == owner.email
    assert [(o["name"], o["role"]) for o in body["user"]["organisations"]] == [("Stavby Novák", "owner")]
    assert me(api, body["access"]).json() == body["user"]
    owner.refresh_from_db()
    assert owner.last_login is not None


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/login/"])
def test_the_slash_at_the_end_does_not_matter(api: APIClient, owner: User, path: str) -> None:
    assert api.post(path, {"email": owner.email, "password": PASSWORD}).status_code == 200


def test_the_case_of_an_email_does_not_matter(api: APIClient, owner: User) -> None:
    assert sign_in(api, "OWNER@Example.COM").json()["user"]["id"] == str(owner.pk)


def test_unknown_email_and_wrong_password_are_not_told_apart(api: APIClient, owner: User) -> None:
    wrong, unknown = sign_in(api, owner.email, "wrong"), sign_in(api, "nobody@example.com")
    assert_problem(wrong, 401, "wrong_credentials")
    assert wrong.json() == unknown.json()
    assert wrong["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_suspended_user_learns_it_only_with_the_right_password(api: APIClient, suspended: User) -> None:
    assert_problem(sign_in(api, suspended.email), 401, "suspended")
    assert_problem(sign_in(api, suspended.email, "wrong"), 401, "wrong_credentials")


def test_an_unconfirmed_user_gets_no_token(api: APIClient, member: User) -> None:
    User.objects.filter(pk=member.pk).update(status=User.Status.PENDING)
    assert_problem(sign_in(api, member.email), 401, "email_unconfirmed")


@pytest.mark.parametrize(
    "body", [{}, {"email": "x"}, {"email": "owner@example.com"}, [1], {"email": ["a"], "password": {}}]
)
def test_what_is_no_sign_in_is_refused_without_echoing_the_password(api: APIClient, body: Any) -> None:
    response = api.post("/api/auth/login", body)
    assert_problem(response, 400, "invalid")
    response = api.post("/api/auth/login", {"email": "no address", "password": "hunter2-hunter2"})
    assert b"hunter2" not in response.content


def test_attempts_are_limited_also_for_the_right_password_afterwards(api: APIClient, owner: User) -> None:
    for _ in range(10):
        response = sign_in(api, owner.email, "wrong")
        if response.status_code != 401:
            break
    assert_problem(response, 429, "too_many_attempts")
    assert_problem(sign_in(api, owner.email), 429, "too_many_attempts")


def test_a_refresh_token_works_once(api: APIClient, owner: User) -> None:
    first = sign_in(api, owner.email).json()
    second = api.post("/api/auth/refresh", {"refresh": first["refresh"]})
    assert second.status_code == 200
    assert second.json()["refresh"] != first["refresh"]
    assert me(api, second.json()["access"]).status_code == 200
    assert_problem(api.post("/api/auth/refresh", {"refresh": first["refresh"]}), 401, "token_invalid")
    assert api.post("/api/auth/refresh", {"refresh": second.json()["refresh"]}).status_code == 200


def test_after_signing_out_the_refresh_token_is_dead(api: APIClient, owner: User) -> None:
    tokens = sign_in(api, owner.email).json()
    response = api.post("/api/auth/logout", {"refresh": tokens["refresh"]})
    assert (response.status_code, response.content) == (204, b"")
    assert_problem(api.post("/api/auth/refresh", {"refresh": tokens["refresh"]}), 401, "token_invalid")
    assert api.post("/api/auth/logout", {"refresh": tokens["refresh"]}).status_code == 204


def test_signing_out_with_something_else_does_not_pretend_to_have_worked(api: APIClient, owner: User) -> None:
    tokens = sign_in(api, owner.email).json()
    for other in (tokens["access"], "nonsense", tokens["refresh"][:-3] + "AAA"):
        assert_problem(api.post("/api/auth/logout", {"refresh": other}), 401, "token_invalid")
    assert api.post("/api/auth/refresh", {"refresh": tokens["refresh"]}).status_code == 200


def test_tokens_run_out(api: APIClient, owner: User) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=16), tick=False):
        tokens = sign_in(api, owner.email).json()
    assert_problem(me(api, tokens["access"]), 401, "token_invalid")
    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        assert_problem(api.post("/api/auth/refresh", {"refresh": tokens["refresh"]}), 401, "token_invalid")


def test_a_refresh_token_opens_nothing_by_itself(api: APIClient, owner: User) -> None:
    assert_problem(me(api, sign_in(api, owner.email).json()["refresh"]), 401, "token_invalid")


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer nonsense", "bearer é"])
def test_a_malformed_token_is_refused(api: APIClient, header: str) -> None:
    assert_problem(api.get("/api/auth/me", HTTP_AUTHORIZATION=header), 401, "token_invalid")


def test_a_dead_token_keeps_nobody_from_signing_in(api: APIClient, owner: User) -> None:
    api.credentials(HTTP_AUTHORIZATION="Bearer dead")
    assert sign_in(api, owner.email).status_code == 200


def test_without_a_token_one_is_nobody(api: APIClient) -> None:
    assert_problem(api.get("/api/auth/me"), 401, "not_authenticated")


def test_changing_the_password_ends_every_token(api: APIClient, owner: User) -> None:
    tokens = sign_in(api, owner.email).json()
    owner.refresh_from_db()
    owner.set_password("another battery, another staple")
    owner.save()
    assert_problem(me(api, tokens["access"]), 401, "token_invalid")
    assert_problem(api.post("/api/auth/refresh", {"refresh": tokens["refresh"]}), 401, "token_invalid")


def test_the_database_does_not_hold_the_tokens_themselves(api: APIClient, owner: User) -> None:
    refresh = sign_in(api, owner.email).json()["refresh"]
    assert OutstandingToken.objects.filter(user=owner).exists()
    assert not OutstandingToken.objects.filter(token__contains=refresh[:20]).exists()


def test_me_takes_the_same_queries_with_many_organisations(api: APIClient, owner: User) -> None:
    access = sign_in(api, owner.email).json()["access"]
    with CaptureQueriesContext(
        connection,
    ) as with_one:
        me(api, access)
    for number in range(49):
        Membership.objects.create(organisation=make_organisation(f"Office {number}"), user=owner)
    with CaptureQueriesContext(connection) as with_fifty:
        assert len(me(api, access).json()["organisations"]) == 50
    assert len(with_fifty) == len(with_one)
