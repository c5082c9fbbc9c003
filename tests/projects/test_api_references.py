"""The API of references: importing catalogues and indices, listing them, choosing them for a project."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from jobs.models import Job
from projects.models import CatalogueItem, PriceIndex, Project
from tests.factories.projects import make_document, make_project

pytestmark = pytest.mark.django_db
LIST = "code;text;unit;unit price\n274321611;Strip footings;m3;4000\n274351121;Formwork;m2;many\n"
INDEX = "month;value\n2024-01;100\n2024-07;105\n"
TOGETHER = [("catalogues", LIST, {"catalogue": "ÚRS", "edition": "2025 02"}), ("price-indices", INDEX, {"series": "W"})]
KINDS = pytest.mark.parametrize(("place", "content", "fields"), TOGETHER, ids=["catalogue", "index"])


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def send(user: User, place: str, content: str, fields: dict[str, Any], query: str = "") -> Any:
    file = SimpleUploadedFile("list.csv", content.encode())
    return client_of(user).post(f"/api/{place}{query}", {"file": file, **fields}, format="multipart")


def make_items(organisation: Organisation | None, how_many: int) -> None:
    CatalogueItem.objects.bulk_create(
        CatalogueItem(organisation=organisation, catalogue="ÚRS", edition=f"e{n}", code="1") for n in range(how_many)
    )
    PriceIndex.objects.bulk_create(
        PriceIndex(organisation=organisation, series=f"s{n}", on=date(2024, 1, 1), value=100) for n in range(how_many)
    )


@pytest.mark.django_db(transaction=True)
def test_an_owner_imports_a_catalogue_and_finds_it_listed(
    owner: User, organisation: Organisation, drain: Callable[[], int]
) -> None:
    fields = {"catalogue": " ÚRS ", "edition": "2025 02", "currency": "czk", "priced_on": "2025-07-01"}
    answer = send(owner, "catalogues", LIST, fields)
    assert answer.status_code == 202, answer.content
    drain()
    job = Job.objects.get(pk=answer.json()["job_id"])
    assert job.status == Job.Status.COMPLETED
    assert (job.result["created"], job.result["rejected"]) == (1, 1)
    item = CatalogueItem.objects.get()
    assert (item.organisation_id, item.currency, item.priced_on) == (organisation.pk, "CZK", date(2025, 7, 1))
    assert client_of(owner).get("/api/catalogues/").json() == [
        {"catalogue": "ÚRS", "edition": "2025 02", "items": 1, "priced": 1, "own": 1, "priced_on": "2025-07-01"}
    ]


@pytest.mark.django_db(transaction=True)
def test_an_owner_imports_an_index_and_finds_it_listed(owner: User, drain: Callable[[], int]) -> None:
    answer = send(owner, "price-indices", INDEX, {"series": "Works"})
    assert answer.status_code == 202, answer.content
    drain()
    listed = client_of(owner).get("/api/price-indices").json()
    assert listed == [{"series": "Works", "months": 2, "newest": "2024-07-01"}]


@KINDS
def test_a_member_who_does_not_own_the_organisation_imports_nothing(
    member: User, place: str, content: str, fields: dict[str, str]
) -> None:
    answer = send(member, place, content, fields)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_owner")
    assert not Job.objects.exists()


@KINDS
def test_a_stranger_sees_and_imports_nothing_of_an_organisation(
    stranger: User, organisation: Organisation, place: str, content: str, fields: dict[str, str]
) -> None:
    make_items(organisation, 1)
    query = f"?organisation={organisation.pk}"
    assert client_of(stranger).get(f"/api/{place}{query}").status_code == 404
    assert send(stranger, place, content, fields, query).status_code == 404
    assert send(stranger, place, content, {}, query).status_code == 404
    assert not Job.objects.exists()


@KINDS
def test_the_list_needs_a_sign_in_and_takes_no_more_queries_for_more_rows(
    owner: User, organisation: Organisation, place: str, content: str, fields: dict[str, str]
) -> None:
    assert APIClient().get(f"/api/{place}").status_code == 401
    client = client_of(owner)

    def cost(rows: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(f"/api/{place}").json()) == rows
        return len(captured)

    make_items(organisation, 1)
    few = cost(1)
    CatalogueItem.objects.all().delete()
    PriceIndex.objects.all().delete()
    make_items(organisation, 50)
    assert cost(50) <= few


@KINDS
def test_only_staff_import_what_is_everyones(owner: User, place: str, content: str, fields: dict[str, str]) -> None:
    answer = send(owner, place, content, {**fields, "for_all": "true"})
    assert (answer.status_code, answer.json()["code"]) == (400, "not_staff")


@pytest.mark.parametrize(
    ("content", "fields", "code"),
    [
        ("", {"catalogue": "ÚRS", "edition": "1"}, "empty_file"),
        (LIST, {"catalogue": "ÚRS"}, "invalid"),
        (LIST, {"catalogue": "x" * 31, "edition": "1"}, "invalid"),
        (LIST, {"catalogue": "ÚRS", "edition": "1", "currency": "koruna"}, "invalid"),
        (LIST, {"catalogue": "ÚRS", "edition": "1", "priced_on": "yesterday"}, "invalid"),
    ],
    ids=["empty", "no edition", "long name", "currency", "date"],
)
def test_what_can_not_be_imported_is_refused_and_not_kept(
    owner: User, content: str, fields: dict[str, str], code: str
) -> None:
    kept = default_storage.listdir("catalogues")[1] if default_storage.exists("catalogues") else []
    answer = send(owner, "catalogues", content, fields)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Job.objects.exists()
    assert (default_storage.listdir("catalogues")[1] if default_storage.exists("catalogues") else []) == kept


def test_a_project_is_given_its_references_and_audited_again(project: Project, owner: User) -> None:
    make_items(None, 1)
    blank = make_document(project, parse_status="completed")
    wanted = {"catalogue": "ÚRS", "edition": "e0", "price_index": "s0", "blank_document": str(blank.pk)}
    client, address = client_of(owner), f"/api/projects/{project.pk}/references"
    assert client.get(address).json() == {"catalogue": "", "edition": "", "price_index": "", "blank_document": None}
    answer = client.put(address, wanted, format="json")
    assert (answer.status_code, answer.json()) == (200, wanted | {"is_changed": True})
    assert client.get(address).json() == wanted
    project.refresh_from_db()
    assert project.status == Project.Status.AUDITING
    assert client.put(address, wanted, format="json").json()["is_changed"] is False


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"catalogue": "ÚRS", "edition": "2030"}, "catalogue_unknown"),
        ({"price_index": "none such"}, "price_index_unknown"),
        ({"blank_document": str(uuid4())}, "blank_unknown"),
        ({"blank_document": "first"}, "invalid"),
    ],
    ids=["catalogue", "index", "blank", "no id"],
)
def test_references_that_are_not_there_are_refused(
    project: Project, owner: User, wanted: dict[str, str], code: str
) -> None:
    answer = client_of(owner).put(f"/api/projects/{project.pk}/references", wanted, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_another_organisations_catalogue_can_not_be_chosen(project: Project, owner: User, stranger: User) -> None:
    make_items(make_project(stranger).organisation, 1)
    wanted = {"catalogue": "ÚRS", "edition": "e0"}
    answer = client_of(owner).put(f"/api/projects/{project.pk}/references", wanted, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "catalogue_unknown")
    assert client_of(owner).get("/api/catalogues").json() == []


def test_who_only_looks_reads_references_and_a_stranger_does_not(
    project: Project, viewer: User, stranger: User
) -> None:
    address = f"/api/projects/{project.pk}/references"
    assert client_of(viewer).get(address).status_code == 200
    assert client_of(viewer).put(address, {}, format="json").status_code == 403
    assert client_of(stranger).get(address).status_code == 404
    assert client_of(stranger).put(address, {}, format="json").status_code == 404
