"""How often the API may be called: who is counted, what refusals and answers say."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import Membership, User
from jobs.services import enqueue
from projects.services.auditing import AUDIT
from tests.factories.people import PASSWORD, make_organisation, make_user
from tests.factories.projects import make_audited_project
from tests.platform.throttled import DEAD_REDIS, limit, throttled

pytestmark = pytest.mark.django_db
__all__ = ["throttled"]
ME = "/api/auth/me"
FIELDS = ("RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


@pytest.fixture
def owner() -> User:
    return make_user("owner", organisation=make_organisation())


def client_of(user: User | None = None, **defaults: str) -> APIClient:
    client = APIClient(**defaults)
    client.force_authenticate(user)
    return client


def statuses(client: APIClient, path: str, times: int) -> list[int]:
    return [client.get(path).status_code for _ in range(times)]


def test_the_call_after_the_last_one_is_refused_with_words_and_a_time(throttled: LazySettings, owner: User) -> None:
    limit(throttled, user="3/minute")
    client = client_of(owner)
    assert statuses(client, ME, 3) == [200, 200, 200]
    refused = client.get(ME)
    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    body = refused.json()
    wait = int(refused["Retry-After"])
    assert 1 <= wait <= 61
    assert body["code"] == "throttled"
    assert body["retry_after_s"] == wait
    assert body["violated-policies"] == ["user-60"]
    assert body["detail"] == f"Too many calls: at most 3 in 60 seconds. Ask again in {wait} seconds."


def test_answers_say_what_is_left_in_every_window(throttled: LazySettings, owner: User) -> None:
    limit(throttled, user="5/minute; 100/15 minutes", organisation="1000/15 minutes")
    answer = client_of(owner).get(ME)
    assert answer["RateLimit-Policy"] == '"user-60";q=5;w=60, "user-900";q=100;w=900, "organisation-900";q=1000;w=900'
    left = [part.partition(";t=")[0] for part in answer["RateLimit"].split(", ")]
    assert left == ['"user-60";r=4', '"user-900";r=99', '"organisation-900";r=999']
    assert (answer["RateLimit-Limit"], answer["RateLimit-Remaining"]) == ("5", "4"), "of the tightest window"
    assert 1 <= int(answer["RateLimit-Reset"]) <= 60


def test_refusals_of_other_kinds_carry_the_headers_too(throttled: LazySettings, owner: User) -> None:
    for client, path, status in (
        (client_of(owner), "/api/jobs/00000000-0000-0000-0000-000000000000", 404),
        (client_of(owner), "/api/projects?page=99", 404),
        (client_of(), ME, 401),
    ):
        answer = client.get(path)
        assert answer.status_code == status
        assert all(field in answer for field in FIELDS)


def test_retry_after_and_ratelimit_name_the_same_time(throttled: LazySettings, owner: User) -> None:
    limit(throttled, user="1/minute; 50/hour")
    client = client_of(owner)
    client.get(ME)
    refused = client.get(ME)
    assert f'"user-60";r=0;t={refused["Retry-After"]}' in refused["RateLimit"]
    assert refused["RateLimit-Reset"] == refused["Retry-After"]


def test_people_are_counted_by_who_they_are_not_by_where_they_call_from(throttled: LazySettings, owner: User) -> None:
    limit(throttled, user="2/minute")
    elsewhere = client_of(owner, REMOTE_ADDR="198.51.100.7")
    assert statuses(client_of(owner), ME, 1) + statuses(elsewhere, ME, 2) == [200, 200, 429]
    assert statuses(client_of(make_user("other")), ME, 1) == [200]


def test_a_new_token_does_not_begin_a_new_count(throttled: LazySettings, owner: User) -> None:
    limit(throttled, user="2/minute")
    found = []
    for _ in range(3):
        client = APIClient()
        tokens = client.post("/api/auth/login", {"email": owner.email, "password": PASSWORD}).json()
        found.append(client.get(ME, HTTP_AUTHORIZATION=f"Bearer {tokens['access']}").status_code)
    assert found == [200, 200, 429]


def test_an_organisation_is_the_sum_of_its_people(throttled: LazySettings, owner: User) -> None:
    limit(throttled, organisation="3/minute")
    colleague = make_user("colleague", organisation=owner.memberships.get().organisation)
    stranger = make_user("stranger", organisation=make_organisation("Elsewhere"))
    assert statuses(client_of(owner), ME, 2) + statuses(client_of(colleague), ME, 2) == [200, 200, 200, 429]
    assert statuses(client_of(stranger), ME, 1) == [200]


def test_of_many_organisations_a_call_counts_in_the_first_one(throttled: LazySettings, owner: User) -> None:
    limit(throttled, organisation="2/minute")
    second = make_organisation("Second")
    Membership.objects.create(organisation=second, user=owner)
    assert statuses(client_of(owner), ME, 3) == [200, 200, 429]
    assert statuses(client_of(make_user("of second", organisation=second)), ME, 1) == [200]


def test_what_one_window_refuses_uses_up_no_other(throttled: LazySettings, owner: User) -> None:
    limit(throttled, user="2/minute", organisation="4/minute")
    colleague = make_user("colleague", organisation=owner.memberships.get().organisation)
    assert statuses(client_of(owner), ME, 6) == [200, 200, 429, 429, 429, 429]
    assert statuses(client_of(colleague), ME, 2) == [200, 200], "refused calls are not their colleagues' loss"


def test_strangers_are_counted_by_address_also_when_they_are_refused(throttled: LazySettings) -> None:
    limit(throttled, anonymous="2/minute")
    here, there = client_of(), client_of(REMOTE_ADDR="198.51.100.7")
    assert statuses(here, ME, 3) == [401, 401, 429]
    here.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    refused = here.get(ME)
    assert refused.status_code == 429
    assert "without sign-in" in refused.json()["detail"]
    assert statuses(there, ME, 1) == [401]


def test_whoever_is_signed_in_is_not_held_to_what_strangers_at_the_address_did(
    throttled: LazySettings, owner: User
) -> None:
    limit(throttled, anonymous="1/minute")
    assert statuses(client_of(), ME, 2) == [401, 429]
    assert statuses(client_of(owner), ME, 2) == [200, 200]


def test_costly_calls_have_a_window_of_their_own(throttled: LazySettings, owner: User) -> None:
    limit(throttled, expensive="2/15 minutes")
    project = make_audited_project(owner)
    client = client_of(owner)
    job = enqueue(kind=AUDIT, params={"project_id": str(project.pk)}, actor=owner)
    assert client.post(f"/api/projects/{project.pk}/audit").status_code == 202
    assert client.post(f"/api/projects/{project.pk}/documents").status_code == 400, "also what is refused costs"
    for path in (
        f"/api/projects/{project.pk}/audit",
        f"/api/projects/{project.pk}/documents",
        f"/api/jobs/{job.pk}/retry",
        f"/api/documents/{project.pk}/read",
        f"/api/projects/{project.pk}/versions/1/restore",
    ):
        refused = client.post(path)
        assert (refused.status_code, refused.json()["violated-policies"]) == (429, ["expensive-900"]), path
    assert client.get(f"/api/projects/{project.pk}/documents").status_code == 200, "reading is not costly"
    assert client.get(ME).status_code == 200


def test_clients_sign_in_and_refresh_within_a_window_of_their_own(throttled: LazySettings, owner: User) -> None:
    limit(throttled, anonymous="1/15 minutes", tokens="3/minute")
    client = client_of()
    assert statuses(client, ME, 2) == [401, 429]
    tokens = client.post("/api/auth/login", {"email": owner.email, "password": PASSWORD}).json()
    for _ in range(2):
        tokens = client.post("/api/auth/refresh", {"refresh": tokens["refresh"]}).json()
    refused = client.post("/api/auth/refresh", {"refresh": tokens["refresh"]})
    assert refused.status_code == 429
    assert "to sign in or refresh" in refused.json()["detail"]


def test_a_classroom_behind_one_address_has_a_window_of_its_own(throttled: LazySettings, owner: User) -> None:
    limit(throttled, anonymous="1/15 minutes", quiz="3/15 minutes", user="1/minute")
    client = client_of()
    assert statuses(client, "/api/quiz", 1) == [200]
    assert statuses(client, "/api/quiz/categories", 1) == [200]
    assert statuses(client, "/api/quiz/clauses?q=4.1", 1) == [200]
    refused = client.get("/api/quiz")
    assert (refused.status_code, refused.json()["violated-policies"]) == (429, ["quiz-900"])
    assert "quizzes and clauses" in refused.json()["detail"]
    assert statuses(client, ME, 2) == [401, 429], "other calls have what all have"
    assert statuses(client_of(owner), "/api/quiz", 2) == [200, 429], "who is signed in is counted as a person"


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/accounts/login/", "/admin/login/", "/projects/"])
def test_health_pages_and_admin_are_not_counted(throttled: LazySettings, client: Client, path: str) -> None:
    limit(throttled, anonymous="1/minute", user="1/minute")
    answers = [client.get(path) for _ in range(3)]
    assert 429 not in {answer.status_code for answer in answers}
    assert not any(field in answer for answer in answers for field in FIELDS)


def test_pages_of_signed_in_people_are_not_counted(throttled: LazySettings, client: Client, owner: User) -> None:
    limit(throttled, user="1/minute")
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    assert [client.get("/projects/").status_code for _ in range(3)] == [200, 200, 200]


def test_without_redis_calls_are_served(throttled: LazySettings, owner: User) -> None:
    throttled.REDIS_CACHE_URL = DEAD_REDIS
    limit(throttled, user="1/minute", anonymous="1/minute")
    answers = [client_of(owner).get(ME) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "RateLimit" not in answers[-1], "what is not counted is not claimed"
    assert statuses(client_of(), ME, 2) == [401, 401]


def test_an_empty_limit_is_none(throttled: LazySettings, owner: User) -> None:
    limit(throttled, user="", organisation="")
    answers = [client_of(owner).get(ME) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_counting_costs_no_query_once_the_organisation_is_known(throttled: LazySettings, owner: User) -> None:
    client = client_of(owner)
    throttled.THROTTLES_ENABLED = False
    with CaptureQueriesContext(connection) as without:
        client.get(ME)
    throttled.THROTTLES_ENABLED = True
    client.get(ME)
    with CaptureQueriesContext(connection) as counted:
        client.get(ME)
    assert len(counted) == len(without)


def test_the_schema_says_that_every_operation_may_be_refused() -> None:
    document: Any = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    operations = [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    assert operations
    for operation in operations:
        answer = operation["responses"]["429"]
        assert "Retry-After" in answer["headers"]
        reference = answer["content"]["application/problem+json"]["schema"]["$ref"]
        assert reference == "#/components/schemas/Problem"
    assert "Problem" in document["components"]["schemas"]
