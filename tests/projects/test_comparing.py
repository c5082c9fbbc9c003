"""Two uploads compared: service, page, API and command; who may, and how much it asks of the database."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from accounts.models import User
from projects.exceptions import Missing, ProjectNotFound, Refused
from projects.models import Document, Position, Project
from projects.services.comparing import compare_documents
from projects.services.editing import edit_position
from tests.factories.bills import GivenPosition, write_kros, write_unixml
from tests.factories.imports import given_bill, upload
from tests.factories.projects import make_document, make_project
from tests.projects.pages import queries, signed_in, url

pytestmark = pytest.mark.django_db

DIG = GivenPosition("1", "Odkopávky v hornině", "m3", Decimal("123"), Decimal("29.10"), "121151113")
BED = GivenPosition("2", "Lože ze štěrkopísku", "m3", Decimal("10.5"), Decimal("900"), "451573111")


@pytest.fixture
def pair(owner: User, tmp_path: Path) -> tuple[Document, Document]:
    """One budget as two files, in two projects."""
    write_kros(tmp_path / "a.xlsx", given_bill(DIG, BED))
    write_unixml(tmp_path / "b.xml", given_bill(DIG, BED))
    one, other = (make_project(owner, name) for name in ("One", "Other"))
    return upload(one, owner, tmp_path / "a.xlsx"), upload(other, owner, tmp_path / "b.xml")


def compared(left: Document, right: Document, user: User) -> dict[str, object]:
    return compare_documents(project_id=left.project_id, left=left.pk, right=right.pk, user=user).as_json()


def test_one_budget_in_two_dialects_and_projects_is_proven_equal(pair: tuple[Document, Document], owner: User) -> None:
    told = compared(*pair, owner)
    assert (told["verdict"], told["is_same_budget"], told["delta"]) == ("equal", True, "0.00")
    assert told["left"]["digest"] == told["right"]["digest"]  # type: ignore[index]
    assert told["counts"] == {"matched": 2, "changed": 0, "moved": 0, "only_left": 0, "only_right": 0}


def test_what_people_changed_since_is_not_what_was_uploaded(pair: tuple[Document, Document], owner: User) -> None:
    row = Position.objects.get(project=pair[0].project, number="2", removed_in__isnull=True)
    edit_position(
        project_id=row.project_id,
        lineage=row.lineage,
        actor=owner,
        seen=row.pk,
        changes={"unit_price": Decimal(950)},
    )
    assert compared(*pair, owner)["verdict"] == "equal"


def test_a_newer_upload_of_the_same_bill_shows_what_changed(owner: User, tmp_path: Path) -> None:
    project = make_project(owner)
    write_kros(tmp_path / "a.xlsx", given_bill(DIG, BED))
    write_kros(tmp_path / "b.xlsx", given_bill(DIG, replace(BED, unit_price=Decimal(950))))
    first = upload(project, owner, tmp_path / "a.xlsx")
    second = upload(project, owner, tmp_path / "b.xlsx", replaces=str(first.pk))
    told = compared(first, second, owner)
    assert (told["verdict"], told["delta"]) == ("different", "525.00")
    [pair] = told["changed"]  # type: ignore[misc]
    assert [one["field"] for one in pair["fields"]] == ["unit_price", "total"]
    assert told["counts"]["matched"] == 1  # type: ignore[index]


def test_currencies_that_differ_are_a_difference(pair: tuple[Document, Document], owner: User) -> None:
    left, right = pair
    right.extracted_data["header"]["currency"] = "EUR"
    right.save(update_fields=["extracted_data"])
    assert compared(left, right, owner)["verdict"] == "different"


def test_a_document_with_itself_or_one_not_read_is_refused(pair: tuple[Document, Document], owner: User) -> None:
    left, _ = pair
    failed = make_document(left.project, name="f.xlsx", parse_status=Document.ParseStatus.FAILED)
    for right, code in ((left, "same_document"), (failed, "not_read")):
        with pytest.raises(Refused) as refused:
            compared(left, right, owner)
        assert refused.value.code == code


def test_positions_that_are_not_kept_whole_are_never_called_equal(pair: tuple[Document, Document], owner: User) -> None:
    Position.objects.filter(project=pair[0].project, number="2").delete()
    with pytest.raises(Refused) as refused:
        compared(*pair, owner)
    assert refused.value.code == "not_kept"


def test_strangers_and_documents_elsewhere_are_not_found(
    pair: tuple[Document, Document], owner: User, stranger: User
) -> None:
    left, right = pair
    with pytest.raises(ProjectNotFound):
        compared(left, right, stranger)
    with pytest.raises(Missing):
        compare_documents(project_id=left.project_id, left=right.pk, right=left.pk, user=owner)
    theirs = make_document(make_project(stranger, "Theirs"))
    with pytest.raises(Missing):
        compared(left, theirs, owner)


def page_of(left: Document, right: Document) -> str:
    return f"{url('compare-documents', left.project_id)}?left={left.pk}&right={right.pk}"


def test_the_page_says_that_it_is_proven_and_what_is_not_part_of_it(
    pair: tuple[Document, Document], owner: User, viewer: User
) -> None:
    for user in (owner, viewer):
        answer = signed_in(user).get(page_of(*pair))
        assert answer.status_code == 200
        page = answer.content.decode()
        assert "Proven: the same budget" in page and "13,029.30" in page
        assert "positions agree in everything" in page


def test_the_page_lists_what_differs(owner: User, tmp_path: Path) -> None:
    project = make_project(owner)
    write_kros(tmp_path / "a.xlsx", given_bill(DIG, BED))
    write_kros(
        tmp_path / "b.xlsx",
        given_bill(replace(BED, quantity=Decimal(11)), replace(DIG, description="<b>Jiné</b>", code="9")),
    )
    left, right = (
        upload(project, owner, tmp_path / "a.xlsx"),
        upload(make_project(owner, "Two"), owner, tmp_path / "b.xlsx"),
    )
    page = signed_in(owner).get(page_of(left, right)).content.decode()
    assert "These are not the same budget" in page
    assert "<del>10.5</del> <ins>11</ins>" in page
    assert "<b>Jiné" not in page and "&lt;b&gt;Jiné" in page


def test_the_page_offers_the_choice_and_says_what_it_can_not_do(pair: tuple[Document, Document], owner: User) -> None:
    left, right = pair
    client = signed_in(owner)
    bare = client.get(url("compare-documents", left.project_id))
    assert bare.status_code == 200 and b"b.xml" in bare.content
    same = client.get(page_of(left, left))
    assert same.status_code == 409 and b"one and the same document" in same.content
    assert client.get(f"{url('compare-documents', left.project_id)}?left=x&right=y").status_code == 400
    assert client.get(f"{url('compare-documents', left.project_id)}?left={uuid4()}&right={right.pk}").status_code == 404


def test_strangers_get_404_on_page_and_api(pair: tuple[Document, Document], stranger: User) -> None:
    left, right = pair
    assert signed_in(stranger).get(page_of(left, right)).status_code == 404
    assert signed_in(stranger).get(url("compare-documents", left.project_id)).status_code == 404
    client = APIClient()
    client.force_authenticate(stranger)
    answer = client.get(f"/api/projects/{left.project_id}/compare?left={left.pk}&right={right.pk}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_api_tells_the_verdict_and_problems(pair: tuple[Document, Document], owner: User) -> None:
    left, right = pair
    client = APIClient()
    client.force_authenticate(owner)
    address = f"/api/projects/{left.project_id}/compare"
    answer = client.get(address, {"left": left.pk, "right": right.pk})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "equal")
    for query, code in (({}, "invalid_parameter"), ({"left": left.pk, "right": left.pk}, "same_document")):
        refused = client.get(address, query)
        assert refused.status_code == 400
        assert (refused["Content-Type"], refused.json()["code"]) == ("application/problem+json", code)


def test_as_many_queries_for_1_position_as_for_50(owner: User, tmp_path: Path) -> None:
    def taken(how_many: int) -> int:
        rows = [replace(DIG, number=str(i), description=f"Odkopávky {i}") for i in range(how_many)]
        write_kros(tmp_path / f"{how_many}.xlsx", given_bill(*rows))
        write_unixml(tmp_path / f"{how_many}.xml", given_bill(*rows))
        left = upload(make_project(owner, f"A{how_many}"), owner, tmp_path / f"{how_many}.xlsx")
        right = upload(make_project(owner, f"B{how_many}"), owner, tmp_path / f"{how_many}.xml")
        return queries(signed_in(owner), page_of(left, right))

    assert taken(1) == taken(50)


def test_the_command_compares_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_kros(tmp_path / "a.xlsx", given_bill(DIG, BED))
    write_unixml(tmp_path / "b.xml", given_bill(DIG, BED))
    write_unixml(tmp_path / "c.xml", given_bill(DIG))
    call_command("compare_bills", str(tmp_path / "a.xlsx"), str(tmp_path / "b.xml"))
    assert "Proven: the same budget." in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        call_command("compare_bills", str(tmp_path / "a.xlsx"), str(tmp_path / "c.xml"), json=True)
    told = json.loads(capsys.readouterr().out)
    assert (ended.value.code, told["verdict"], told["counts"]["only_left"]) == (1, "different", 1)
    with pytest.raises(SystemExit):
        call_command("compare_bills", str(tmp_path / "a.xlsx"), str(tmp_path / "none.xml"), json=True)
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "file_not_found"


def test_documents_read_before_their_version_was_noted_are_compared_too(
    pair: tuple[Document, Document], owner: User
) -> None:
    for document in pair:
        del document.extracted_data["version"]
        document.save(update_fields=["extracted_data"])
    assert compared(*pair, owner)["verdict"] == "equal"
    assert Project.objects.count() == 2
