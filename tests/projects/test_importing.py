"""From a file to a version: what is stored, what is refused, and that nothing is half imported."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from jobs.models import Job
from projects.exceptions import FileTooLarge, ProjectNotFound, Refused
from projects.models import BudgetVersion, Document, Finding, Position, Project, TableMapping, Verdict
from projects.parsers.bill import BillPosition, Rounding
from projects.services.access import ReadOnly
from projects.services.documents import read_again, upload_document
from projects.services.rows import NULL, PositionSpool
from tests.factories.bills import GivenPosition, write_csv, write_gaeb, write_kros, write_unixml
from tests.factories.imports import given_bill, run_audit, upload
from tests.factories.projects import make_document, make_project

pytestmark = pytest.mark.django_db

DIG = GivenPosition(
    "1", "Odkopávky v hornině třídy těžitelnosti I", "m3", Decimal("123"), Decimal("29.10"), "121151113"
)
BED = GivenPosition("2", "Lože pod potrubí ze štěrkopísku", "m3", Decimal("10.5"), Decimal("900"), "451573111")


@pytest.fixture
def empty(owner: User) -> Project:
    return make_project(owner, "Novostavba")


def test_a_kros_workbook_becomes_version_1(empty: Project, owner: User, tmp_path: Path) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG, BED))
    document = upload(empty, owner, tmp_path / "bill.xlsx")

    assert (document.parse_status, document.parser, document.parse_error) == ("completed", "kros_xlsx", "")
    assert (empty.version_number, empty.total_positions, empty.currency) == (1, 2, "CZK")
    assert empty.total_cost == DIG.total + BED.total == Decimal("13029.30")
    version = BudgetVersion.objects.get(project=empty)
    assert (version.trigger, version.created_by, version.delta_scope) == ("initial", owner, empty.total_cost)
    rows = list(Position.objects.filter(project=empty))
    assert [row.code for row in rows] == ["121151113", "451573111"]
    assert rows[0].document_id == document.pk and rows[0].source and rows[0].content_hash
    assert len({row.lineage for row in rows}) == 2


def test_the_import_asks_for_an_audit_whose_result_is_stored(empty: Project, owner: User, tmp_path: Path) -> None:
    faulty = replace(BED, unit="")
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG, faulty))
    upload(empty, owner, tmp_path / "bill.xlsx")
    assert empty.status == Project.Status.AUDITING and not empty.is_audited

    job = run_audit(empty)

    assert job.status == Job.Status.COMPLETED, job.error
    assert empty.is_audited and empty.status == Project.Status.COMPLETED
    assert empty.count_green + empty.count_amber + empty.count_red + empty.count_not_checked == 2
    row = Position.objects.get(project=empty, code=BED.code)
    assert row.verdict.grade == "red"
    assert Finding.objects.filter(position=row, rule_id="V02", grade="red").exists()
    assert job.result["counts"]["red"] == empty.count_red


def test_a_second_bill_is_added_after_the_first(empty: Project, owner: User, tmp_path: Path) -> None:
    write_kros(tmp_path / "a.xlsx", given_bill(DIG))
    write_unixml(tmp_path / "b.xml", given_bill(BED))
    upload(empty, owner, tmp_path / "a.xlsx")
    upload(empty, owner, tmp_path / "b.xml")

    assert empty.version_number == 2 and empty.total_positions == 2
    assert [row.code for row in Position.objects.filter(project=empty)] == [DIG.code, BED.code]
    version = BudgetVersion.objects.get(project=empty, number=2)
    assert version.summary == {"added": 1, "removed": 0, "modified": 0}
    assert version.delta_cost == version.delta_scope == BED.total


def test_a_bill_that_supersedes_another_touches_only_what_differs(empty: Project, owner: User, tmp_path: Path) -> None:
    write_kros(tmp_path / "a.xlsx", given_bill(DIG, BED))
    first = upload(empty, owner, tmp_path / "a.xlsx")
    before = {row.code: row for row in Position.objects.filter(project=empty)}
    dearer = replace(BED, unit_price=Decimal("1000"))
    write_kros(tmp_path / "b.xlsx", given_bill(DIG, dearer))

    second = upload(empty, owner, tmp_path / "b.xlsx", replaces=str(first.pk))

    assert second.parse_status == "completed", second.parse_error
    after = {row.code: row for row in Position.objects.filter(project=empty, removed_in=None)}
    assert after[DIG.code].pk == before[DIG.code].pk and after[DIG.code].document_id == second.pk
    assert after[BED.code].pk != before[BED.code].pk and after[BED.code].lineage == before[BED.code].lineage
    version = BudgetVersion.objects.get(project=empty, number=2)
    assert version.summary == {"added": 0, "removed": 0, "modified": 1}
    assert version.delta_price == version.delta_cost == Decimal("1050.00")
    assert version.changes[0]["before"]["unit_price"] == "900.0000"


def test_a_gaeb_bid_is_joined_to_the_tender_of_the_project(empty: Project, owner: User, tmp_path: Path) -> None:
    tender = given_bill(replace(DIG, number="0010", unit_price=None), replace(BED, number="0020", unit_price=None))
    bid = given_bill(replace(DIG, number="0010"), replace(BED, number="0020"))
    write_gaeb(tmp_path / "lv.x83", tender, phase="83")
    write_gaeb(tmp_path / "bid.x84", bid, phase="84")
    upload(empty, owner, tmp_path / "lv.x83")
    assert empty.total_cost == 0
    lineages = set(Position.objects.filter(project=empty).values_list("lineage", flat=True))

    document = upload(empty, owner, tmp_path / "bid.x84")

    assert document.parse_status == "completed", document.parse_error
    assert (empty.total_positions, empty.total_cost) == (2, Decimal("13029.30"))
    assert set(Position.objects.filter(project=empty, removed_in=None).values_list("lineage", flat=True)) == lineages


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("bill.xlsx", b"PK\x03\x04 cut short", "damaged"),
        (
            "bill.xml",
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
            "xml_forbidden",
        ),
        ("bill.xlsx", b"just some words", "unknown_dialect"),
    ],
)
def test_what_is_no_bill_fails_with_a_reason_and_leaves_nothing(
    empty: Project, owner: User, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (tmp_path / name).write_bytes(content)
    document = upload(empty, owner, tmp_path / name)

    job = Job.objects.get(kind="projects.parse_document")
    assert job.status == Job.Status.FAILED and job.attempt == 1  # a refusal is not retried
    assert document.parse_status == "failed" and document.parse_error == job.error["message"]
    assert document.parse_error_code == code, document.parse_error
    assert (empty.version_number, empty.status) == (0, Project.Status.DRAFT)
    assert not Position.objects.exists() and not BudgetVersion.objects.exists()


def test_a_total_that_does_not_reconcile_is_refused_unless_accepted(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG, BED), stated_total=Decimal("99999"))
    document = upload(empty, owner, tmp_path / "bill.xlsx")
    assert document.parse_error_code == "does_not_reconcile" and "99,999.00" in document.parse_error
    assert not Position.objects.exists()

    document = upload(empty, owner, tmp_path / "bill.xlsx", accept_difference=True)

    assert document.parse_status == "completed" and empty.total_cost == Decimal("13029.30")
    run_audit(empty)
    assert Finding.objects.filter(project=empty, rule_id="V08").exists()


def test_the_same_content_twice_is_one_document(empty: Project, owner: User, tmp_path: Path) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG))
    first = upload(empty, owner, tmp_path / "bill.xlsx")
    again = upload(empty, owner, (tmp_path / "bill.xlsx").rename(tmp_path / "renamed.xlsx"))
    assert again.pk == first.pk and Document.objects.count() == 1
    assert empty.version_number == 1


def test_a_confirmed_mapping_is_remembered_for_tables_with_the_same_titles(
    empty: Project, owner: User, tmp_path: Path
) -> None:
    table = "Was;Wieviel;Wovon;Wie teuer\nAushub;12,5;m3;10,00\n"
    (tmp_path / "a.csv").write_text(table)
    document = upload(empty, owner, tmp_path / "a.csv")
    assert document.parse_error_code == "mapping_needed"
    mapping = {"columns": {"description": 0, "quantity": 1, "unit": 2, "unit_price": 3}, "delimiter": ";",
               "decimal_mark": ",", "currency": "EUR", "encoding": "utf-8"}  # fmt: skip

    document = upload(empty, owner, tmp_path / "a.csv", mapping=mapping)

    assert document.parse_status == "completed", document.parse_error
    assert empty.total_cost == Decimal("125.00")
    assert TableMapping.objects.get().organisation == empty.organisation
    (tmp_path / "b.csv").write_text(table.replace("Aushub;12,5", "Verfüllung;4"))
    document = upload(empty, owner, tmp_path / "b.csv")
    assert document.parse_status == "completed", document.parse_error
    assert empty.total_cost == Decimal("165.00")


def test_a_plain_table_with_clear_titles_needs_no_mapping(empty: Project, owner: User, tmp_path: Path) -> None:
    write_csv(tmp_path / "bill.csv", given_bill(DIG, BED))
    document = upload(empty, owner, tmp_path / "bill.csv")
    assert document.parse_status == "completed", document.parse_error
    assert empty.total_cost == DIG.total + BED.total


def test_uploads_of_strangers_viewers_and_of_too_much_are_refused(
    empty: Project, owner: User, viewer: User, stranger: User, tmp_path: Path, settings: object
) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG))
    with pytest.raises(ProjectNotFound):
        upload(empty, stranger, tmp_path / "bill.xlsx")
    with pytest.raises(ReadOnly):
        upload(empty, viewer, tmp_path / "bill.xlsx")
    (tmp_path / "empty.xlsx").touch()
    with pytest.raises(Refused, match="empty"):
        upload(empty, owner, tmp_path / "empty.xlsx")
    settings.UPLOAD_LIMIT_BYTES = 100  # type: ignore[attr-defined]
    with pytest.raises(FileTooLarge, match="limit"):
        upload(empty, owner, tmp_path / "bill.xlsx")
    assert not Document.objects.exists()


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


@given(texts=st.lists(st.tuples(TEXTS, TEXTS, st.none() | TEXTS.filter(lambda unit: unit != NULL)), max_size=5))
@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(texts=[("back\\slash\ttab\nline\rreturn", "\\N", "\x1f"), ("a\x1eb", "\x1f\x1f", None)])
def test_any_text_is_stored_as_it_stands(empty: Project, texts: list[tuple[str, str, str | None]]) -> None:
    document = make_document(empty)
    kept = str.maketrans("", "", "\x00\x1e\x1f")  # PostgreSQL holds no NUL; the other two separate values on the way
    with PositionSpool(project_id=empty.pk, document_id=document.pk, rounding=Rounding()) as spool:
        for n, (description, code, unit) in enumerate(texts, 1):
            text = description.strip()
            spool.add(BillPosition(n, str(n), text, code=code.strip(), unit=None if unit is None else unit.strip()))
        spool.copy(table="projects_position", version=1, after_ordinal=0)
    rows = Position.objects.filter(document=document).values_list("description", "code", "unit")
    expected = [(d.strip(), c.strip(), None if u is None else u.strip()) for d, c, u in texts]
    assert list(rows) == [tuple(v if v is None else v.translate(kept) for v in row) for row in expected]


def test_a_drawing_is_kept_and_not_read(empty: Project, owner: User, tmp_path: Path) -> None:
    from django.core.files.base import ContentFile

    made = upload_document(
        project_id=empty.pk, actor=owner, file=ContentFile(b"%PDF-1.7 plan"), filename="../../plan.pdf", kind="drawing"
    )
    assert made.job is None and made.is_new
    assert (made.document.original_filename, made.document.file_type) == ("plan.pdf", "pdf")


def test_a_document_that_was_read_is_not_read_again(empty: Project, owner: User, tmp_path: Path) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG))
    document = upload(empty, owner, tmp_path / "bill.xlsx")
    with pytest.raises(Refused) as caught:
        read_again(document_id=document.pk, actor=owner)
    assert caught.value.code == "already_read"
    assert Verdict.objects.count() == 0
