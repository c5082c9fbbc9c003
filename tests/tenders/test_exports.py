"""Exports: the hits as a file, made by a job, for its owner alone; safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from openpyxl import load_workbook
from rest_framework.test import APIClient

from accounts.models import Membership, Organisation, User
from jobs.models import Job
from jobs.services import cancel
from tenders.exceptions import BadFilter, ExportMissing, ExportRefused
from tenders.models import Export, Tender
from tenders.services import exporting, sheets
from tests.factories.tenders import make_score, make_source, make_tender
from tests.projects.pages import signed_in
from tests.tenders.test_pages import page_of, queries, url

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/tenders/exports/"


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def api(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def start(user: User, format: str = "csv", **query: Any) -> Export:
    export, _ = exporting.start_export(actor=user, query=query, format=format)
    return export


def content(user: User, export: Export) -> bytes:
    answer: Any = signed_in(user).get(url("export-file", export.pk))
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def table(user: User, export: Export) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(user, export).decode("utf-8-sig"), newline="")))


def test_the_hits_of_the_search_and_no_others_are_in_the_file(
    member: User, organisation: Organisation, drain: Callable[[], int]
) -> None:
    road = make_tender(deadline_at=datetime(2027, 1, 31, 11, 30, tzinfo=UTC))
    make_score(road, organisation)
    make_tender(title="Software", cpv_main="72000000")
    export = start(member, cpv=["45233"])
    assert export.status == "queued"
    assert drain() == 1
    (row,) = table(member, export)
    assert row["Title"] == "Resurfacing of road II/385"
    assert (row["Value"], row["Currency"]) == ("1250000.50", "CZK")
    assert row["Deadline (UTC)"] == "2027-01-31 11:30:00"
    assert (row["Relevance"], row["Score"], row["Keywords"]) == ("high", "0.8", "road, surface")
    assert row["Page"].endswith(f"/tenders/{road.pk}/")
    export.refresh_from_db()
    assert (export.status, export.rows) == ("completed", 1)
    assert export.size == len(content(member, export))


def test_a_workbook_has_numbers_times_and_texts_that_are_no_formulas(member: User, drain: Callable[[], int]) -> None:
    deadline = datetime(2027, 1, 31, 11, 30, tzinfo=UTC)
    make_tender(title='=HYPERLINK("https://evil.example")', buyer_name="A & <B>\x0b", deadline_at=deadline)
    export = start(member, "xlsx")
    drain()
    sheet: Any = load_workbook(io.BytesIO(content(member, export))).active
    headings, values = ([cell.value for cell in row] for row in sheet.iter_rows())
    row = dict(zip(headings, values, strict=True))
    assert row["Title"] == '=HYPERLINK("https://evil.example")'
    assert sheet["A2"].data_type in ("s", "inlineStr")
    assert row["Buyer"] == "A & <B>"
    assert row["Value"] == 1250000.5
    assert row["Deadline (UTC)"] == datetime(2027, 1, 31, 11, 30)
    assert row["Relevance"] is None


@pytest.mark.parametrize("text", ["=1+1", "+420 1", "-1", "@SUM(A1)", "\t=1", "  =1", "|calc", "＝1"])
def test_a_text_that_would_be_a_formula_is_none_in_csv(text: str) -> None:
    out = io.BytesIO()
    sheets.write_csv(out, ["Title", "Value"], [[text, Decimal("-1.50")]])
    _, (told, value) = csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline=""))
    assert told == f"'{text}"
    assert value == "-1.50"


def test_a_workbook_ends_where_a_sheet_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    out = io.BytesIO()
    sheets.write_xlsx(out, ["Number"], ([number] for number in range(5)))
    sheet: Any = load_workbook(out).active
    assert [cell.value for (cell,) in sheet.iter_rows()] == ["Number", 0, 1]


@pytest.mark.parametrize(("order", "titles"), [("published", ["new", "old"]), ("deadline", ["old", "new"])])
def test_rows_come_in_the_order_of_the_page(
    member: User, drain: Callable[[], int], order: str, titles: list[str]
) -> None:
    for title, day, month in (("old", 1, 1), ("new", 2, 2)):
        make_tender(
            title=title,
            published_at=datetime(2026, 11, day, tzinfo=UTC),
            deadline_at=datetime(2027, month, 1, tzinfo=UTC),
        )
    export, _ = exporting.start_export(actor=member, query={}, format="csv", order=order)
    drain()
    assert [row["Title"] for row in table(member, export)] == titles


def test_by_relevance_only_what_has_been_assessed_is_listed(
    member: User, organisation: Organisation, drain: Callable[[], int]
) -> None:
    make_score(make_tender(title="second"), organisation, 0.4)
    make_score(make_tender(title="first"), organisation, 0.9)
    make_tender(title="unread")
    export, _ = exporting.start_export(actor=member, query={}, format="csv", order="relevance")
    drain()
    assert [row["Title"] for row in table(member, export)] == ["first", "second"]


def test_what_may_not_be_seen_is_not_in_it(member: User, stranger: User, drain: Callable[[], int]) -> None:
    make_tender(make_source(Organisation.objects.get(memberships__user=member)), title="Ours")
    exports = start(member), start(stranger)
    drain()
    assert [len(table(who, each)) for who, each in zip((member, stranger), exports, strict=True)] == [1, 0]


def test_a_file_is_its_owners_alone(member: User, owner: User, stranger: User, drain: Callable[[], int]) -> None:
    make_tender()
    export = start(member)
    drain()
    assert "tenders-" in page_of(member, url("exports"))
    for other in (owner, stranger):
        assert signed_in(other).get(url("export-file", export.pk)).status_code == 404
        assert signed_in(other).post(url("export-delete", export.pk)).status_code == 404
        assert api(other).get(f"{API}{export.pk}/file/").status_code == 404
        assert api(other).delete(f"{API}{export.pk}/").status_code == 404
        assert api(other).get(API).json()["results"] == []
        assert "tenders-" not in page_of(other, url("exports"))
        assert not Job.objects.visible_to(other).filter(pk=export.job_id).exists()
    assert APIClient().get(f"{API}{export.pk}/file/").status_code == 401
    Membership.objects.filter(user=member).delete()
    assert signed_in(member).get(url("export-file", export.pk)).status_code == 404


def test_the_file_is_sent_to_be_kept_not_shown(member: User, drain: Callable[[], int]) -> None:
    make_tender()
    export = start(member)
    drain()
    answer = signed_in(member).get(url("export-file", export.pk))
    assert answer["Content-Disposition"].startswith('attachment; filename="tenders-')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]


def test_the_same_twice_is_made_once_and_a_fourth_waits(member: User) -> None:
    first = start(member, q="road")
    assert start(member, q="road").pk == first.pk
    start(member, "xlsx", q="road")
    start(member, q="bridge")
    with pytest.raises(ExportRefused):
        start(member, q="tunnel")
    assert Export.objects.count() == 3


def test_what_can_not_be_made_is_refused_and_a_cancelled_one_says_so(member: User) -> None:
    with pytest.raises(BadFilter):
        start(member, cpv="roads")
    with pytest.raises(ExportRefused):
        start(member, "pdf")
    with pytest.raises(BadFilter):
        exporting.start_export(actor=member, query={}, format="csv", order="colour")
    assert not Export.objects.exists()
    export = start(member)
    assert signed_in(member).get(url("export-file", export.pk)).status_code == 404  # not there yet
    assert signed_in(member).post(url("export-delete", export.pk)).status_code == 400
    cancel(export.job_id, member)
    export.refresh_from_db()
    assert (export.status, export.error) == ("failed", "Cancelled.")


def test_who_left_meanwhile_gets_nothing(member: User, drain: Callable[[], int]) -> None:
    export = start(member)
    Membership.objects.filter(user=member).delete()
    drain()
    export.refresh_from_db()
    assert export.status == "failed"
    assert not export.file


def test_a_second_attempt_leaves_one_file(member: User, drain: Callable[[], int], tmp_path: Path) -> None:
    make_tender()
    export = start(member)
    left = tmp_path / "tenders" / "exports" / f"{export.pk}.csv"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")  # as a killed attempt leaves it
    drain()
    assert [file.name for file in left.parent.iterdir()] == [left.name]
    assert len(table(member, export)) == 1
    exporting.delete_export(export_id=export.pk, actor=member)
    assert not left.exists()
    with pytest.raises(ExportMissing):
        exporting.own_export(export_id=export.pk, user=member)


def test_the_page_leads_from_the_search_to_the_file(member: User, drain: Callable[[], int]) -> None:
    make_tender()
    make_tender(title="Software", cpv_main="72000000")
    address = f"{url('exports')}?q=road&order=deadline"
    page = page_of(member, address)
    assert "1 tender as a file" in page
    assert "“road”" in page
    assert "No files yet" in page_of(member, url("exports"))
    answer = signed_in(member).post(address, {"format": "xlsx"})
    assert answer["Location"] == url("exports")
    assert "Waiting for a worker" in page_of(member, url("exports"))
    drain()
    assert "Download" in page_of(member, url("exports"))
    assert Export.objects.get().order == "deadline"
    assert signed_in(member).post(address, {"format": "pdf"}).status_code == 400
    assert signed_in(member).get(f"{url('exports')}?cpv=x").status_code == 400


def test_rest_starts_follows_and_sends_it(member: User, drain: Callable[[], int]) -> None:
    make_tender()
    started = api(member).post(API, {"format": "xlsx", "query": {"q": "road"}, "ordering": "deadline"})
    assert started.status_code == 202
    told = started.json()
    assert api(member).get(f"/api/jobs/{told['job_id']}/").json()["status"] == "queued"
    assert api(member).get(f"{API}{told['export_id']}/file/").status_code == 404
    drain()
    told = api(member).get(f"{API}{told['export_id']}/").json()
    assert (told["status"], told["rows"], told["query"]) == ("completed", 1, {"q": "road"})
    answer: Any = api(member).get(f"{API}{told['id']}/file/")
    assert b"".join(answer.streaming_content).startswith(b"PK")
    assert api(member).delete(f"{API}{told['id']}/").status_code == 204
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    "body", [{"format": "pdf"}, {"query": {"cpv": "x"}}, {"query": "road"}, {"ordering": "x"}, {"organisation": "x"}]
)
def test_rest_says_what_is_wrong(member: User, body: dict[str, Any]) -> None:
    answer = api(member).post(API, body)
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_nobodys_organisation_is_not_exported_for(member: User, stranger: User) -> None:
    theirs = Organisation.objects.get(memberships__user=stranger)
    assert api(member).post(API, {"organisation": str(theirs.pk)}).status_code == 400


def test_the_page_asks_as_often_for_fifty_as_for_one(member: User) -> None:
    def made(count: int) -> None:
        for _ in range(count):
            Export.objects.create(owner=member, order="published", format="csv", status="completed")

    made(1)
    one = queries(signed_in(member), url("exports"))
    made(49)
    assert queries(signed_in(member), url("exports")) == one
    assert Tender.objects.count() == 0
