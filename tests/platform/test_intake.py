"""What no request may bring: refused in words, whoever sends it, and never a fault of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User

pytestmark = pytest.mark.django_db
LOGIN = "/api/auth/login"


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "a long password"))
    return client


def test_json_that_nests_without_end_is_bad_json() -> None:
    answer = Client().post(LOGIN, "[" * 100_000 + "]" * 100_000, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["code"] == "parse_error"
    assert answer["content-type"] == "application/problem+json"


@pytest.mark.parametrize("charset", ["zlib", "bz2", "rot13", "unicode_escape", "undefined", "utf-7"])
@pytest.mark.parametrize("media", ["application/json", "multipart/form-data; boundary=b", "text/plain"])
def test_a_charset_that_is_more_than_one_is_refused_unread(charset: str, media: str) -> None:
    kind = f"{media}; charset={charset}"
    for path in (LOGIN, "/accounts/login/"):
        assert Client().generic("POST", path, b"x\x9c\xff", content_type=kind).status_code == 415, path


def test_utf_8_is_taken_under_all_its_names() -> None:
    for charset in ("utf-8", "UTF8", "utf_8"):
        answer = Client().post(LOGIN, b"{}", content_type=f"application/json; charset={charset}")
        assert answer.status_code == 400 and "email" in answer.json()["errors"], charset


def test_bodies_have_an_end(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.REQUEST_LIMIT_BYTES = 100, 1000
    big = Client().post(LOGIN, b"[" + b" " * 100, content_type="application/json")
    assert big.status_code == 413 and big.json()["code"] == "request_too_large"
    form = {"content_type": "multipart/form-data; boundary=b"}
    assert Client().generic("POST", "/accounts/login/", b"x" * 1001, **form).status_code == 413
    assert Client().generic("POST", "/accounts/login/", b"x" * 500, **form).status_code != 413
    told = Client().generic("POST", "/projects/drop/", b"x" * 1001, headers={"Accept": "application/json"}, **form)
    assert told.status_code == 413 and "larger than" in told.json()["detail"]


def test_a_cookie_with_a_nul_is_refused() -> None:
    assert Client().get("/projects/", HTTP_COOKIE='sessionid="abcdefgh\\000"').status_code == 400


@pytest.mark.parametrize("name", ["project/?currency=%00", "document/?parser=%00", "project/?status__exact=%00"])
def test_a_nul_that_only_the_database_would_refuse_is_400(root: Client, name: str) -> None:
    answer = root.get(f"/admin/projects/{name}")
    assert answer.status_code == 400 and "can't be stored" in answer.content.decode()


@pytest.mark.parametrize("text", ["a\\u0000b", "a\\ud800b"])
def test_texts_that_cannot_be_stored_are_400_in_the_api(text: str) -> None:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("a@example.com", "x"))
    answer = client.generic("POST", "/api/projects", f'{{"name": "{text}"}}', content_type="application/json")
    assert answer.status_code == 400 and answer.json()["code"] == "invalid"
    signing_in = f'{{"email": "a@example.com", "password": "{text}"}}'
    assert Client().post(LOGIN, signing_in, content_type="application/json").status_code == 400


def test_a_form_of_a_thousand_fields_is_a_problem_in_our_shape() -> None:
    client = APIClient()
    user = User.objects.create_superuser("root@example.com", "x")
    client.force_authenticate(user)
    from tests.factories.projects import make_project

    fields = {f"n{number}": "1" for number in range(1100)}
    answer = client.post(f"/api/projects/{make_project(user).pk}/documents", fields, format="multipart")
    assert answer.status_code == 400 and answer.json()["code"] == "bad_request"


def test_staff_without_the_permission_neither_import_nor_export(root: Client) -> None:
    clerk = Client()
    clerk.force_login(User.objects.create_user("clerk@example.com", "x", is_staff=True))
    for name in ("import", "export"):
        address = f"/admin/projects/catalogueitem/{name}/"
        assert clerk.get(address).status_code == clerk.post(address).status_code == 403
        assert root.get(address).status_code == 200
