"""The tenders API: what each endpoint answers to those who may, and 404 to those who may not."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from jobs.models import Job
from tenders.models import Import, Rejection, Source, Tender
from tenders.services import sources
from tests.factories.notices import given_release, lines_of
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)
As = Callable[[User], APIClient]


@pytest.fixture
def as_() -> As:
    def client_of(user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return client_of


@pytest.fixture
def staff() -> User:
    user = make_user("keeper", is_staff=True)
    user.user_permissions.add(
        *Permission.objects.filter(content_type__app_label="tenders", codename__in=["add_source", "change_source"])
    )
    return user


def bring(source: Source, content: bytes) -> Import:
    return sources.import_file(source=source, stream=io.BytesIO(content), filename="notices.jsonl")


@pytest.fixture
def own(organisation: Organisation) -> Source:
    """The organisation's own: two tenders, one rejection."""
    source = sources.source_named(name="Own", organisation=organisation)
    bring(source, lines_of(given_release(1), given_release(2)) + b"{broken\n")
    return source


@pytest.fixture
def shared(transactional_db: None) -> Source:
    return sources.source_named(name="Shared")


def paths_of(source: Source) -> dict[str, str]:
    """Every address that reads something of the source."""
    record = Import.objects.filter(source=source)[0]
    tender = Tender.objects.filter(source=source)[0]
    return {
        "tender": f"/api/tenders/{tender.pk}/",
        "releases": f"/api/tenders/{tender.pk}/releases/",
        "source": f"/api/tenders/sources/{source.pk}/",
        "import": f"/api/tenders/imports/{record.pk}/",
        "rejections": f"/api/tenders/imports/{record.pk}/rejections/",
    }


def file_of(*releases: Any) -> SimpleUploadedFile:
    return SimpleUploadedFile("../../etc/notices.jsonl", lines_of(*releases))


def writes_of(source: Source) -> dict[str, tuple[str, dict[str, Any], str]]:
    """Every address that writes something of the source: (path, body, format)."""
    rejection = Rejection.objects.filter(source=source)[0]
    mended = {"text": json.dumps(given_release(3))}
    return {
        "rename": (f"/api/tenders/sources/{source.pk}/", {"name": "Mine now"}, "json"),
        "remove": (f"/api/tenders/sources/{source.pk}/", {}, "delete"),
        "sync": (f"/api/tenders/sources/{source.pk}/sync/", {}, "json"),
        "read": (f"/api/tenders/rejections/{rejection.pk}/read/", mended, "json"),
        "upload": ("/api/tenders/imports/", {"file": file_of(given_release(9)), "source": str(source.pk)}, "multipart"),
    }


def ask(client: APIClient, path: str, body: dict[str, Any], form: str) -> Any:
    if form == "delete":
        return client.delete(path)
    method = client.patch if "name" in body else client.post
    return method(path, body, format=form)


def test_members_read_everything_and_strangers_find_nothing(
    own: Source, member: User, viewer: User, stranger: User, as_: As
) -> None:
    for name, path in paths_of(own).items():
        for given in (path, path.rstrip("/")):
            assert as_(member).get(given).status_code == 200, name
            assert as_(viewer).get(given).status_code == 200, name
            assert as_(stranger).get(given).status_code == 404, name
            assert APIClient().get(given).status_code == 401, name


def test_lists_and_facets_hold_only_what_one_may_see(
    own: Source, shared: Source, member: User, stranger: User, as_: As
) -> None:
    bring(shared, lines_of(given_release(7)))
    base = "/api/tenders/"
    for user, tenders, names in ((member, 3, ["Own", "Shared"]), (stranger, 1, ["Shared"])):
        client = as_(user)
        assert len(client.get(base).data["results"]) == client.get(base + "facets/").data["count"] == tenders
        assert [row["name"] for row in client.get(base + "sources/").data["results"]] == names
        assert {row["source_name"] for row in client.get(base + "imports/").data["results"]} == set(names)
    assert as_(stranger).get(base, {"source": str(own.pk)}).data["results"] == []
    for path in (base, base + "facets/", base + "sources/", base + "imports/"):
        assert APIClient().get(path).status_code == 401


def test_strangers_change_nothing_and_viewers_are_told_that_they_may_not(
    own: Source, viewer: User, stranger: User, as_: As
) -> None:
    before = (Import.objects.count(), Tender.objects.count())
    for name, given in writes_of(own).items():
        assert ask(as_(stranger), *given).status_code == 404, name
    for name, given in writes_of(own).items():
        answer = ask(as_(viewer), *given)
        assert (answer.status_code, answer.data["code"]) == (403, "read_only"), name
    for name, given in writes_of(own).items():
        assert ask(APIClient(), *given).status_code == 401, name
    own.refresh_from_db()
    assert own.name == "Own" and (Import.objects.count(), Tender.objects.count()) == before
    assert not Job.objects.exists()


def test_a_source_is_removed_by_a_job(own: Source, shared: Source, owner: User, as_: As, drain: Any) -> None:
    bring(shared, lines_of(given_release(7)))
    path = f"/api/tenders/sources/{own.pk}/"
    asked = as_(owner).delete(path)
    assert (asked.status_code, asked.data["status"]) == (202, "queued")
    assert as_(owner).delete(path).data["job_id"] == asked.data["job_id"]
    drain()
    assert as_(owner).get(path).status_code == 404
    assert list(Tender.objects.values_list("source", flat=True)) == [shared.pk]
    assert as_(owner).delete(f"/api/tenders/sources/{shared.pk}/").data["code"] == "read_only"


def test_shared_sources_are_kept_by_staff(shared: Source, owner: User, staff: User, as_: As) -> None:
    path = f"/api/tenders/sources/{shared.pk}/"
    assert as_(owner).patch(path, {"name": "Ours"}).data["code"] == "read_only"
    assert as_(staff).patch(path, {"name": "UK"}).data["name"] == "UK"
    new = {"name": "Everybody's", "is_shared": True}
    assert as_(owner).post("/api/tenders/sources/", new).data["code"] == "read_only"
    made = as_(staff).post("/api/tenders/sources/", new)
    assert (made.status_code, made.data["organisation_id"]) == (201, None)


def test_a_source_is_made_changed_and_may_not_point_into_our_network(
    owner: User, organisation: Organisation, as_: As, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    client, path = as_(owner), "/api/tenders/sources/"
    given = {"name": "Portal", "kind": "url", "location": "https://data.example.com/all.json", "is_scheduled": True}
    made = client.post(path, given, format="json")
    assert (made.status_code, made.data["organisation_id"]) == (201, str(organisation.pk))
    one = f"{path}{made.data['id']}/"
    Source.objects.update(etag='"1"', cursor="https://data.example.com/2")
    assert client.patch(one, {"country": "cz", "mapping": {"title": "Název"}}, format="json").data["country"] == "CZ"
    assert Source.objects.get().etag == '"1"'
    assert client.patch(one, {"location": "https://data.example.com/new"}, format="json").status_code == 200
    assert (Source.objects.get().etag, Source.objects.get().cursor) == ("", "")
    for changes, code in (
        ({"location": "https://169.254.169.254/latest"}, "address_forbidden"),
        ({"location": "file:///etc/passwd"}, "address_forbidden"),
        ({"kind": "path", "location": "/etc/passwd", "is_scheduled": False}, "read_only"),
        ({"kind": "upload"}, "source_refused"),
        ({"mapping": {"colour": "x"}}, "invalid"),
        ({"organisation_id": None}, "not_editable"),
    ):
        assert client.patch(one, changes, format="json").data["code"] == code, changes
    assert client.post(path, {"name": "Portal"}, format="json").data["code"] == "source_exists"


def test_an_organisation_that_is_not_ones_own_is_refused(owner: User, stranger: User, as_: As) -> None:
    theirs = str(stranger.memberships.get().organisation_id)
    made = as_(owner).post("/api/tenders/sources/", {"name": "X", "organisation_id": theirs}, format="json")
    assert made.data["code"] == "no_organisation"
    assert as_(owner).get("/api/tenders/", {"organisation": theirs}).data["code"] == "invalid"
    assert as_(owner).get("/api/tenders/", {"organisation": "x"}).status_code == 400


def test_the_list_is_searched_sorted_and_paged(own: Source, shared: Source, member: User, as_: As) -> None:
    bring(shared, lines_of(*(given_release(n, tender={"title": f"Bridge {n}"}) for n in range(10, 15))))
    client = as_(member)
    assert len(client.get("/api/tenders/", {"q": "bridg", "country": "CZ", "cpv": "45"}).data["results"]) == 5
    seen: list[str] = []
    path = "/api/tenders/?page_size=2&ordering=deadline"
    while path:
        answer = client.get(path).data
        seen += [row["id"] for row in answer["results"]]
        path = answer["next"]
    assert len(seen) == len(set(seen)) == 7
    for bad in ("cpv=road", "ordering=price", "cursor=abc", "page_size=0", "page_size=201", "deadline=soon", "q=%00"):
        answer = client.get(f"/api/tenders/?{bad}")
        assert answer.status_code == (200 if bad == "q=%00" else 400), bad
        assert bad == "q=%00" or (answer.data["code"] == "invalid" and answer.data["errors"])


def test_a_tender_shows_everything_that_was_published_of_it(own: Source, member: User, as_: As) -> None:
    later = given_release(1, id="2", date="2026-11-09T00:00:00Z", tag=["tenderUpdate"], tender={"title": "Longer"})
    bring(own, lines_of(later))
    tender = Tender.objects.get(key="ocds-test-1")
    told = as_(member).get(f"/api/tenders/{tender.pk}/").data
    assert (told["title"], told["value_amount"], told["value_currency"]) == ("Longer", "1250000.50", "CZK")
    assert [release["tags"] for release in told["releases"]] == [["tender"], ["tenderUpdate"]]
    rows = as_(member).get(f"/api/tenders/{tender.pk}/releases/").data["results"]
    assert [row["raw"]["tender"]["title"] for row in rows] == ["Resurfacing of road II/1", "Longer"]


def test_an_import_shows_counts_quality_and_rejections(own: Source, member: User, as_: As) -> None:
    (row,) = as_(member).get("/api/tenders/imports/", {"source": str(own.pk)}).data["results"]
    assert [row[name] for name in ("fetched", "created", "rejected")] == [3, 2, 1]
    assert row["quality"]["cpv_main"] == 2
    (rejection,) = as_(member).get(f"/api/tenders/imports/{row['id']}/rejections/").data["results"]
    assert (rejection["number"], rejection["raw"]) == (3, "{broken")


def test_a_rejected_record_is_mended_and_read_again(own: Source, member: User, as_: As) -> None:
    rejection = Rejection.objects.get()
    path = f"/api/tenders/rejections/{rejection.pk}/read/"
    for text in ("{still", "{}", "[]", '{"ocid": "x"}\n{', "<a/>", "<!DOCTYPE html>"):
        answer = as_(member).post(path, {"text": text}, format="json")
        assert answer.status_code == 400, text
    assert (Import.objects.count(), Rejection.objects.count()) == (1, 1)
    answer = as_(member).post(path, {"text": json.dumps(given_release(3), indent=2)}, format="json")
    assert (answer.status_code, answer.data["created"]) == (200, 1)
    rejection.refresh_from_db()
    assert rejection.mended_at and Tender.objects.filter(source=own, key="ocds-test-3").exists()


@pytest.mark.parametrize("path", ["", "facets/", "sources/", "imports/"])
def test_lists_ask_as_many_queries_for_50_rows_as_for_1(shared: Source, member: User, as_: As, path: str) -> None:
    client = as_(member)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/tenders/{path}", {"page_size": 100}).status_code == 200
        return len(captured)

    bring(shared, lines_of(given_release(1)))
    queries()
    few = queries()
    bring(shared, lines_of(*(given_release(n) for n in range(2, 60))))
    for number in range(50):
        bring(sources.source_named(name=f"S{number}"), lines_of(given_release(number)))
    assert queries() <= few <= 8


def test_a_tender_asks_as_many_queries_for_50_releases_as_for_1(shared: Source, member: User, as_: As) -> None:
    bring(shared, lines_of(given_release(1)))
    path = f"/api/tenders/{Tender.objects.get().pk}/"

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_(member).get(path).status_code == 200
        return len(captured)

    few = queries()
    bring(shared, lines_of(*(given_release(1, id=str(n), date=f"2026-10-{n:02}T00:00:00Z") for n in range(1, 31))))
    assert queries() == few <= 6
