"""Several documents of one budget: which of them it holds, whatever the order in which they come."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from accounts.models import User
from jobs.models import Job
from jobs.runner import run_here
from projects.exceptions import Refused
from projects.models import BudgetVersion, Document, Finding, Position, Project
from projects.services.documents import read_again, upload_document
from projects.services.importing import record_failure
from projects.services.versions import restore_version
from tests.factories.bills import (
    GivenBill,
    GivenObject,
    GivenPosition,
    GivenSection,
    write_csv,
    write_gaeb,
    write_kros,
    write_unixml,
)
from tests.factories.imports import given_bill, run_audit, upload
from tests.factories.projects import make_project

pytestmark = pytest.mark.django_db

DIG = GivenPosition("0010", "Odkopávky v hornině I", "m3", Decimal(10), Decimal(30), "121151113")
BED = GivenPosition("0020", "Lože ze štěrkopísku", "m3", Decimal(5), Decimal(900), "451573111")
FILL = GivenPosition("0030", "Zásyp rýh", "m3", Decimal(7), Decimal(100), "174151101")
BILL = (DIG, BED)
COST = DIG.total + BED.total


@pytest.fixture
def empty(owner: User) -> Project:
    return make_project(owner, "Novostavba")


def rows(project: Project) -> list[Position]:
    return list(Position.objects.filter(project=project, removed_in=None).order_by("ordinal", "id"))


def numbers(project: Project) -> list[str]:
    return [row.number for row in rows(project)]


def write_bid(path: Path, *positions: GivenPosition) -> Path:
    write_gaeb(path, given_bill(*positions), phase="84")
    return path


def write_tender(path: Path, *positions: GivenPosition) -> Path:
    write_gaeb(path, given_bill(*(replace(p, unit_price=None) for p in positions)), phase="83")
    return path


def read_waiting(project: Project) -> None:
    """Run the readings that wait, as a worker would."""
    for job in Job.objects.filter(kind="projects.parse_document", status="queued"):
        run_here(job_id=job.pk)
    project.refresh_from_db()


def test_a_second_bid_takes_the_place_of_the_first(empty: Project, owner: User, tmp_path: Path) -> None:
    upload(empty, owner, write_tender(tmp_path / "lv.x83", *BILL))
    upload(empty, owner, write_bid(tmp_path / "a.x84", *BILL))
    lineages = {row.lineage for row in rows(empty)}

    document = upload(empty, owner, write_bid(tmp_path / "b.x84", DIG, replace(BED, unit_price=Decimal(800))))

    assert document.parse_status == "completed", document.parse_error
    assert (empty.total_positions, empty.total_cost) == (2, Decimal("4300.00"))
    assert {row.lineage for row in rows(empty)} == lineages
    assert BudgetVersion.objects.get(project=empty, number=3).delta_price == Decimal("-500.00")


def test_a_bid_that_came_before_its_tender_is_joined_when_that_comes(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    bid = upload(empty, owner, write_bid(tmp_path / "bid.x84", *BILL))
    assert bid.parse_status == "completed" and rows(empty)[0].quantity is None
    upload(empty, owner, write_tender(tmp_path / "lv.x83", *BILL))
    read_waiting(empty)

    bid.refresh_from_db()
    assert bid.parse_status == "completed", bid.parse_error
    assert numbers(empty) == sorted(numbers(empty)) and len(rows(empty)) == 2
    assert empty.total_cost == COST and rows(empty)[0].quantity == DIG.quantity
    assert {row.document_id for row in rows(empty)} == {bid.pk}


def test_a_bid_of_another_tender_stays_as_it_was(empty: Project, owner: User, tmp_path: Path) -> None:
    bid = upload(empty, owner, write_bid(tmp_path / "bid.x84", *BILL))
    upload(empty, owner, write_tender(tmp_path / "lv.x83", FILL))
    read_waiting(empty)
    bid.refresh_from_db()
    assert (bid.parse_status, bid.parse_error_code) == ("completed", "not_a_pair")
    assert len(rows(empty)) == 3 and Job.objects.filter(kind="projects.parse_document", status="failed").count() == 1


def test_what_supersedes_a_superseded_document_supersedes_its_successor(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    documents: list[Document] = []
    for step, price in enumerate((900, 950, 990)):
        path = tmp_path / f"{step}.xlsx"
        write_kros(path, given_bill(DIG, replace(BED, unit_price=Decimal(price))))
        named = {"replaces": str(documents[0].pk)} if documents else {}
        documents.append(upload(empty, owner, path, **named))
        assert documents[-1].parse_status == "completed", documents[-1].parse_error
    assert len(rows(empty)) == 2
    assert {row.document_id for row in rows(empty)} == {documents[2].pk}


def test_a_document_that_a_restored_version_dropped_can_be_read_again(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    for name, positions in (("a", (DIG,)), ("b", (BED,))):
        write_kros(tmp_path / f"{name}.xlsx", given_bill(*positions))
        document = upload(empty, owner, tmp_path / f"{name}.xlsx")
    restore_version(project_id=empty.pk, number=1, actor=owner)
    assert [row.code for row in rows(empty)] == [DIG.code]

    again = upload(empty, owner, tmp_path / "b.xlsx")

    assert again.pk == document.pk and again.parse_status == "completed"
    assert [row.code for row in rows(empty)] == [DIG.code, BED.code] and empty.version_number == 4
    with pytest.raises(Refused, match="already"):
        read_again(document_id=document.pk, actor=owner)


def test_the_older_of_two_bills_of_one_family_comes_back_in_place_of_the_newer(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    write_kros(tmp_path / "a.xlsx", given_bill(DIG))
    first = upload(empty, owner, tmp_path / "a.xlsx")
    write_kros(tmp_path / "b.xlsx", given_bill(replace(DIG, unit_price=Decimal(31))))
    upload(empty, owner, tmp_path / "b.xlsx", replaces=str(first.pk))
    upload(empty, owner, tmp_path / "a.xlsx")
    assert [(row.document_id, row.unit_price) for row in rows(empty)] == [(first.pk, Decimal(30))]


def test_the_same_bill_exported_anew_changes_no_version(empty: Project, owner: User, tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", given_bill(DIG, BED))
    first = upload(empty, owner, tmp_path / "a.csv")
    run_audit(empty)
    (tmp_path / "b.csv").write_bytes(b"Note;;;\n" + (tmp_path / "a.csv").read_bytes().removeprefix(b"\xef\xbb\xbf"))
    second = upload(empty, owner, tmp_path / "b.csv", replaces=str(first.pk))
    assert second.parse_status == "completed", second.parse_error
    assert empty.version_number == 1 and {row.document_id for row in rows(empty)} == {second.pk}


def test_positions_that_share_a_number_or_have_none_keep_who_they_are(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    twice = (
        DIG,
        replace(BED, number="0010"),
        replace(FILL, number=""),
        replace(DIG, number=""),
        replace(DIG, number=""),
    )
    write_kros(tmp_path / "a.xlsx", given_bill(*twice))
    first = upload(empty, owner, tmp_path / "a.xlsx")
    assert len(rows(empty)) == 5
    before = {(row.lineage, row.code) for row in rows(empty)}
    dearer = [replace(p, unit_price=(p.unit_price or 0) + 1) for p in twice]
    write_kros(tmp_path / "b.xlsx", given_bill(*dearer))

    second = upload(empty, owner, tmp_path / "b.xlsx", replaces=str(first.pk))

    assert second.parse_status == "completed", second.parse_error
    assert {(row.lineage, row.code) for row in rows(empty)} == before
    assert BudgetVersion.objects.get(project=empty, number=2).summary == {"added": 0, "removed": 0, "modified": 5}


def test_rows_put_in_between_stand_in_between_and_renumbered_ones_keep_who_they_are(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    write_kros(tmp_path / "before.xlsx", given_bill(replace(FILL, code="171251201")))
    upload(empty, owner, tmp_path / "before.xlsx")
    write_kros(tmp_path / "a.xlsx", given_bill(replace(DIG, number="1"), replace(BED, number="2")))
    first = upload(empty, owner, tmp_path / "a.xlsx")
    lineages = {row.code: row.lineage for row in rows(empty)}
    given = ((FILL, FILL.code), (DIG, DIG.code), (FILL, "998"), (FILL, "999"), (BED, BED.code), (FILL, "997"))
    shifted = [replace(position, number=str(n), code=code) for n, (position, code) in enumerate(given, 1)]
    write_kros(tmp_path / "b.xlsx", given_bill(*shifted))
    upload(empty, owner, tmp_path / "b.xlsx", replaces=str(first.pk))
    codes = [row.code for row in rows(empty)]
    assert codes == ["171251201", FILL.code, DIG.code, "998", "999", BED.code, "997"]
    after = {row.code: row.lineage for row in rows(empty)}
    assert after[DIG.code] == lineages[DIG.code] and after[BED.code] == lineages[BED.code]


def test_any_change_of_content_is_taken_over_and_a_category_that_people_gave_is_kept(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    write_kros(tmp_path / "a.xlsx", given_bill(DIG, BED))
    first = upload(empty, owner, tmp_path / "a.xlsx")
    Position.objects.filter(project=empty).update(category="earthworks")
    write_kros(tmp_path / "b.xlsx", given_bill(replace(DIG, note="Včetně odvozu"), BED))
    upload(empty, owner, tmp_path / "b.xlsx", replaces=str(first.pk))
    assert "odvozu" in rows(empty)[0].long_text
    assert [row.category for row in rows(empty)] == ["earthworks", "earthworks"]
    restore_version(project_id=empty.pk, number=1, actor=owner)
    assert "odvozu" not in rows(empty)[0].long_text


def test_kept_rows_say_where_they_are_in_the_newer_file(empty: Project, owner: User, tmp_path: Path) -> None:
    write_kros(tmp_path / "a.xlsx", given_bill(DIG, BED))
    first = upload(empty, owner, tmp_path / "a.xlsx")
    kept = rows(empty)[1]
    write_kros(tmp_path / "b.xlsx", given_bill(DIG, FILL, BED))
    upload(empty, owner, tmp_path / "b.xlsx", replaces=str(first.pk))
    moved = Position.objects.get(pk=kept.pk)
    assert moved.removed_in is None and moved.source != kept.source


def test_sums_of_a_bill_are_not_compared_with_positions_of_another(empty: Project, owner: User, tmp_path: Path) -> None:
    """Both have an object "SO 1" with a section "1"."""
    for name, position in (("a", DIG), ("b", BED)):
        bill = GivenBill((GivenObject("SO 1", "Dům", (GivenSection("1", "Zemní práce", (position,)),)),), title=name)
        write_kros(tmp_path / f"{name}.xlsx", bill)
        upload(empty, owner, tmp_path / f"{name}.xlsx")
    assert run_audit(empty).status == Job.Status.COMPLETED
    assert not Finding.objects.filter(project=empty, rule_id="V08").exists()


def test_a_document_of_elsewhere_cannot_be_replaced(
    empty: Project, owner: User, stranger: User, tmp_path: Path
) -> None:
    write_kros(tmp_path / "a.xlsx", given_bill(DIG))
    foreign = upload(make_project(stranger), stranger, tmp_path / "a.xlsx")
    with pytest.raises(Refused):
        upload(empty, owner, tmp_path / "a.xlsx", replaces=str(foreign.pk))
    assert not Document.objects.filter(project=empty).exists()


def test_a_total_that_no_budget_holds_is_refused(empty: Project, owner: User, tmp_path: Path) -> None:
    large = [replace(p, quantity=Decimal(99), unit_price=Decimal(10) ** 12 * 99) for p in (DIG, BED)]
    write_unixml(tmp_path / "a.xml", given_bill(*large))
    document = upload(empty, owner, tmp_path / "a.xml")
    assert document.parse_status == "failed" and document.parse_error_code == "too_large", document.parse_error
    assert not rows(empty) and empty.version_number == 0 and empty.status == Project.Status.DRAFT


def test_a_failure_told_twice_is_told_once_and_never_of_what_was_read(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("what;is;this\n1;2;3\n")
    failed = upload(empty, owner, tmp_path / "a.csv")
    write_kros(tmp_path / "b.xlsx", given_bill(DIG))
    read = upload(empty, owner, tmp_path / "b.xlsx")
    for document in (failed, read):
        for _ in range(2):
            record_failure(document_id=document.pk, message="Lost.", code="lost")
    failed.refresh_from_db()
    read.refresh_from_db()
    empty.refresh_from_db()
    assert (failed.parse_status, read.parse_status, read.parse_error) == ("failed", "completed", "")
    assert empty.status == Project.Status.AUDITING


@pytest.mark.django_db(transaction=True)
def test_two_bills_at_once_are_both_in_the_budget(empty: Project, owner: User, tmp_path: Path) -> None:
    jobs = []
    for name, position in (("a", DIG), ("b", BED)):
        write_kros(tmp_path / f"{name}.xlsx", given_bill(position))
        file = ContentFile((tmp_path / f"{name}.xlsx").read_bytes())
        made = upload_document(project_id=empty.pk, actor=owner, file=file, filename=f"{name}.xlsx")
        assert made.job is not None
        jobs.append(made.job.pk)
    gate = threading.Barrier(2)

    def read(job_id: object) -> None:
        gate.wait()
        try:
            run_here(job_id=job_id)  # type: ignore[arg-type]
        finally:
            connection.close()

    threads = [threading.Thread(target=read, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    empty.refresh_from_db()
    assert (empty.version_number, empty.total_cost) == (2, COST)
    assert sorted(BudgetVersion.objects.values_list("number", flat=True)) == [1, 2]
    assert Job.objects.filter(kind="projects.audit").count() == 1
