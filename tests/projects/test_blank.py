"""The unpriced file: chosen or joined, its positions as they were read, and what audits say of a bid beside it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from accounts.models import User
from projects.demo.gaeb import bid_xml, tender_xml
from projects.demo.sports_hall import HALL
from projects.models import AuditRun, Document, Finding, Position, Project
from projects.services.blank import blank_of, choices_for
from projects.services.choosing import choose_references
from projects.services.documents import upload_document
from tests.factories.bills import GivenPosition, write_kros
from tests.factories.imports import given_bill
from tests.factories.projects import make_project

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
DIG = GivenPosition("1", "Odkopávky v hornině třídy těžitelnosti I", "m3", D("123"), None, "121151113")
BED = GivenPosition("2", "Lože pod potrubí ze štěrkopísku", "m3", D("10.5"), None, "451573111")
CHANGED = GivenPosition("1", DIG.description, "m3", D("100"), D("29.10"), DIG.code)
PRICED = GivenPosition("2", BED.description, "m3", D("10.5"), D("900"), BED.code)


def put(project: Project, owner: User, name: str, content: bytes, **options: object) -> Document:
    file = ContentFile(content, name=name)
    return upload_document(
        project_id=project.pk, actor=owner, file=file, filename=name, options=dict(options) or None
    ).document


def kros(tmp_path: Path, *positions: GivenPosition) -> bytes:
    path = tmp_path / "bill.xlsx"
    write_kros(path, given_bill(*positions))
    return path.read_bytes()


def said(project: Project) -> dict[str, str]:
    rows = Finding.objects.filter(project=project, rule_id="V13").select_related("position")
    return {row.position.number if row.position else "": row.reasoning for row in rows}


def test_a_bid_in_place_of_the_blank_bill_is_compared_with_it(
    owner: User, tmp_path: Path, drain: Callable[[], int]
) -> None:
    project = make_project(owner)
    blank = put(project, owner, "blank.xlsx", kros(tmp_path, DIG, BED))
    drain()
    put(project, owner, "bid.xlsx", kros(tmp_path, CHANGED, PRICED), replaces=str(blank.pk))
    drain()
    assert said(project) == {}
    choose_references(project_id=project.pk, actor=owner, blank_document_id=blank.pk)
    drain()
    assert said(project) == {"1": 'Changed against the unpriced file: quantity "100" in place of "123".'}
    run = AuditRun.objects.filter(project=project).latest("finished_at")
    assert run.references["blank"]["filename"] == "blank.xlsx"
    assert run.references["blank"]["positions"] == 2


def test_rows_as_they_were_imported_and_the_file_read_again_say_the_same(
    owner: User, tmp_path: Path, drain: Callable[[], int]
) -> None:
    project = make_project(owner)
    document = put(project, owner, "blank.xlsx", kros(tmp_path, DIG, BED))
    drain()
    Project.objects.filter(pk=project.pk).update(blank_document=document)
    project.refresh_from_db()
    stored = blank_of(project=project)
    Position.objects.filter(document=document, number="1").update(document=None)  # as merged into what was there
    read = blank_of(project=project)
    assert stored is not None
    assert read is not None
    assert stored.positions is not None
    assert read.positions is not None
    assert [(p.identity, p.code, p.description, p.unit, p.quantity) for p in stored.positions] == [
        (p.identity, p.code, p.description, p.unit, p.quantity) for p in read.positions
    ]


def test_a_blank_file_that_is_damaged_meanwhile_is_told_and_not_taken_for_unchanged(
    owner: User, tmp_path: Path, drain: Callable[[], int]
) -> None:
    project = make_project(owner)
    document = put(project, owner, "bid.xlsx", kros(tmp_path, CHANGED, PRICED))
    drain()
    lost = Document.objects.create(
        project=project, original_filename="blank.xlsx", size=4, sha256="f" * 64, parser="kros_xlsx",
        parse_status=Document.ParseStatus.COMPLETED, file=ContentFile(b"PK\x03\x04", name="lost"),
    )  # fmt: skip
    assert {one.pk for one in choices_for(project=project)} == {document.pk, lost.pk}
    choose_references(project_id=project.pk, actor=owner, blank_document_id=lost.pk)
    drain()
    run = AuditRun.objects.filter(project=project).latest("finished_at")
    reasons = {rule: reason for rule, _, reason in run.not_checked_rules}
    assert "can't be read any more" in reasons["V13"]
    assert run.references["blank"]["problem"] == reasons["V13"]


def test_a_bid_joined_to_its_tender_is_compared_with_it_without_being_told(
    owner: User, drain: Callable[[], int]
) -> None:
    project = make_project(owner)
    put(project, owner, "hall.x83", tender_xml(HALL))
    drain()
    changed = bid_xml(HALL).replace(b"<UP>", b"<Qty>7.000</Qty><UP>", 1)
    put(project, owner, "hall.x84", changed)
    drain()
    run = AuditRun.objects.filter(project=project).latest("finished_at")
    assert "V13" not in {rule for rule, _, _ in run.not_checked_rules}
    assert run.references["blank"]["filename"] == "hall.x83"
    (reason,) = said(project).values()
    assert 'quantity "7" in place of' in reason
    assert "the schema of GAEB" in {rule: why for rule, _, why in run.not_checked_rules}["N05"]


def test_facts_of_the_file_are_kept_with_the_document(owner: User, tmp_path: Path, drain: Callable[[], int]) -> None:
    project = make_project(owner)
    document = put(project, owner, "blank.xlsx", kros(tmp_path, CHANGED, PRICED))
    drain()
    document.refresh_from_db()
    assert document.extracted_data["file_facts"]["dialect"] == "kros_xlsx"
    assert document.extracted_data["file_facts"]["problem"] == ""
    run = AuditRun.objects.filter(project=project).latest("finished_at")
    assert "V14" not in {rule for rule, _, _ in run.not_checked_rules}
