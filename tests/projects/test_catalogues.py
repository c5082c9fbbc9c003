"""Price catalogues and indices: imported, merged, chosen, and what audits make of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from jobs.models import Job
from projects.exceptions import DocumentRefused, Refused
from projects.models import AuditRun, CatalogueItem, Finding, PriceIndex, Project
from projects.services.auditing import start_audit
from projects.services.catalogues import Counts, Finish, checked_edition, import_catalogue, import_price_index
from projects.services.choosing import choose_references
from projects.services.price_indexing import Series
from tests.factories.projects import make_position, make_project
from tests.projects.pages import queries, signed_in, url

pytestmark = pytest.mark.django_db
D = Decimal
LIST = (
    "Kód;Název;MJ;Jednotková cena;Měna;Platnost\n"
    "274321611;Základové pasy ze ŽB C25/30;m3;4 000,00;CZK;2024-01\n"
    "274351121;Bednění pasů zřízení;m2;450,50;CZK;2024-01\n"
    ";Bez kódu;m2;1;CZK;2024-01\n"
    "274361821;Výztuž pasů;t;mnoho;CZK;2024-01\n"
    "274351121;Bednění pasů ještě jednou;m2;460;CZK;2024-01\n"
    "311238144;Zdivo;m2;52,10;EUR;2024-01\n"
)
INDEX = "Měsíc;Hodnota\n2024-01;100\n2024-07;105\n2025-01;110\n"


@contextmanager
def finishing() -> Iterator[Finish]:
    yield lambda result: None


def quiet(done: int, total: int, message: str) -> None:
    pass


def take(path: Path, organisation: Organisation | None = None, **options: Any) -> Counts:
    edition = checked_edition(
        catalogue="ÚRS", edition="2024 01", organisation_id=organisation.pk if organisation else None
    )
    return import_catalogue(
        path=path, filename=path.name, edition=edition, report=quiet, finishing=finishing, **options
    )


def take_index(path: Path, organisation: Organisation | None = None) -> Counts:
    return import_price_index(
        path=path, filename=path.name, series="Works", organisation_id=organisation.pk if organisation else None,
        report=quiet, finishing=finishing,
    )  # fmt: skip


@pytest.fixture
def price_list(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "index.csv"
    path.write_text(INDEX, encoding="utf-8")
    return path


def test_every_row_is_accounted_for_with_the_reason_where_it_is_not_taken(price_list: Path) -> None:
    counts = take(price_list)
    assert (counts.read, counts.created, counts.updated, counts.unchanged, counts.rejected) == (6, 3, 0, 0, 3)
    reasons = dict(counts.reasons)
    assert reasons["row 4"] == "there is no code"
    assert "'mnoho' is no figure" in reasons["row 5"]
    assert "stands in the list before" in reasons["row 6"]
    item = CatalogueItem.objects.get(code="274351121")
    assert (item.unit_price, item.currency, item.priced_on) == (D("450.5"), "CZK", date(2024, 1, 1))


def test_a_second_import_writes_nothing_and_a_changed_list_what_differs(price_list: Path) -> None:
    take(price_list)
    before = list(CatalogueItem.objects.order_by("pk").values_list("pk", "unit_price"))
    counts = take(price_list)
    assert (counts.created, counts.updated, counts.unchanged) == (0, 0, 3)
    assert list(CatalogueItem.objects.order_by("pk").values_list("pk", "unit_price")) == before
    price_list.write_text(LIST.replace("450,50", "455"), encoding="utf-8")
    counts = take(price_list)
    assert (counts.created, counts.updated, counts.unchanged) == (0, 1, 2)


def test_an_organisations_own_edition_stands_beside_everyones(price_list: Path, organisation: Organisation) -> None:
    take(price_list)
    assert take(price_list, organisation).created == 3
    assert CatalogueItem.objects.filter(organisation=None).count() == 3


def test_an_xlsx_is_read_too_with_the_currency_of_its_titles(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Ceník"], [], ["Kód", "Popis", "MJ", "Cena [CZK]"], [274321611, "Pasy", "m3", 4000.5]):
        sheet.append(row)
    book.save(tmp_path / "list.xlsx")
    assert take(tmp_path / "list.xlsx").created == 1
    item = CatalogueItem.objects.get()
    assert (item.code, item.unit_price, item.currency) == ("274321611", D("4000.5"), "CZK")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"a;b;c\n1;2;3\n", "no_columns"), (b"\x00\x01\x02", None), (b"code;text\n;\n", None),
     ("kód;cena\nx;-5\n".encode(), "no_items"), (b"%PDF-1.4", None)],
    ids=["no titles", "bytes", "empty", "nothing usable", "pdf"],
)  # fmt: skip
def test_what_is_no_price_list_is_refused_with_a_reason(tmp_path: Path, content: bytes, code: str | None) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(DocumentRefused) as refused:
        take(path)
    assert code is None or refused.value.code == code
    assert not CatalogueItem.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_rows_of_a_block(tmp_path: Path) -> None:
    def cost(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        lines = [f"{100000000 + rows * 1000 + i};Work {i};m2;{i}.50" for i in range(rows)]
        path.write_text("code;text;unit;unit price\n" + "\n".join(lines), encoding="utf-8")
        with CaptureQueriesContext(connection) as captured:
            assert take(path).created == rows
        return len(captured)

    assert cost(1) == cost(500)


def test_months_of_an_index_come_in_are_corrected_and_stay(index: Path) -> None:
    assert take_index(index).created == 3
    assert take_index(index).unchanged == 3
    index.write_text(INDEX.replace("110", "111") + "2025 Q2;112\nnonsense;1\n", encoding="utf-8")
    counts = take_index(index)
    assert (counts.created, counts.updated, counts.unchanged, counts.rejected) == (1, 1, 2, 1)
    assert PriceIndex.objects.get(on=date(2025, 4, 1)).value == D(112)


def test_a_price_is_moved_only_where_the_index_reaches() -> None:
    series = Series("Works", (date(2024, 1, 1), date(2024, 7, 1)), (D(100), D(105)))
    assert series.moved(D(200), date(2024, 2, 1), date(2024, 9, 1)) == (D(210), "Works: 105 / 100")
    assert series.moved(D(200), date(2023, 12, 31), date(2024, 9, 1))[0] is None
    assert series.moved(D(200), date(2024, 2, 1), date(2025, 3, 1))[0] is None
    assert series.moved(D(200), None, date(2024, 9, 1)) == (D(200), "")
    assert Series().moved(D(200), date(2024, 2, 1), date(2030, 1, 1)) == (D(200), "")


def budget(owner: User, **changes: Any) -> Project:
    """A concrete strip at 5,000 a m3, formwork at 450."""
    project = make_project(owner, currency="CZK", budget_on=date(2025, 1, 15), **changes)
    rows: list[tuple[str, str, str, str, str]] = [
        ("1", "274321611", "Základové pasy ze ŽB C25/30", "m3", "5000"),
        ("2", "274351121", "Bednění pasů zřízení", "m2", "500"),
        ("3", "311238144", "Zdivo", "m2", "1300"),
        ("4", "999999999", "Práce neznámá v ceníku", "m2", "10"),
    ]
    for number, code, text, unit, price in rows:
        make_position(
            project, number=number, code=code, catalogue="ÚRS", description=text, unit=unit, quantity=D(2),
            unit_price=D(price), total=D(price) * 2, price_system="CS ÚRS 2024 01",
        )  # fmt: skip
    return project


def audited(project: Project, owner: User, drain: Callable[[], int]) -> AuditRun:
    start_audit(project_id=project.pk, actor=owner)
    drain()
    return AuditRun.objects.filter(project=project).latest("finished_at")


def said(project: Project, rule: str) -> dict[str, tuple[str, str]]:
    rows = Finding.objects.filter(project=project, rule_id=rule, position__isnull=False)
    return {number: (grade, text) for number, grade, text in rows.values_list("position__number", "grade", "reasoning")}


def test_prices_are_compared_indexed_to_the_budgets_date_and_foreign_ones_are_told(
    owner: User, price_list: Path, index: Path, drain: Callable[[], int]
) -> None:
    take(price_list)
    take_index(index)
    project = budget(owner, catalogue="ÚRS", catalogue_edition="2024 01", price_index="Works")
    run = audited(project, owner, drain)
    prices = said(project, "C04")
    assert prices["1"][0] == "amber"  # 5,000 against 4,000 x 110 / 100
    assert "4,400.00" in prices["1"][1]
    assert "2" not in prices  # 500 against 495.55
    assert prices["3"][0] == "not_checked"
    assert "EUR" in prices["3"][1]
    assert prices["4"][0] == "not_checked"
    assert said(project, "N01")["4"][0] == "amber"  # the position names this very edition
    finding = Finding.objects.get(project=project, rule_id="C04", position__number="1")
    assert finding.evidence["index"] == "Works: 110 / 100"
    assert run.references["catalogue"] == {"name": "ÚRS", "edition": "2024 01"}
    assert run.references["price_index"]["last"] == "2025-01-01"


def test_a_chosen_catalogue_that_is_gone_is_told_by_name(owner: User, drain: Callable[[], int]) -> None:
    run = audited(budget(owner, catalogue="ÚRS", catalogue_edition="2030"), owner, drain)
    reasons = {rule: reason for rule, _, reason in run.not_checked_rules}
    assert reasons["N02"] == "the price catalogue ÚRS 2030 has not been imported"


def test_own_budgets_stand_in_where_the_catalogue_has_no_price(
    owner: User, stranger: User, drain: Callable[[], int]
) -> None:
    for _ in range(3):
        budget(owner)
    for _ in range(5):
        foreign = budget(stranger)
        foreign.positions.filter(code="999999999").update(unit_price=D(1))
    project = budget(owner, name="Dear")
    project.positions.filter(code="999999999").update(unit_price=D(20), total=D(40))
    run = audited(project, owner, drain)
    prices = said(project, "C04")
    assert prices["4"][0] == "red"
    assert "3 of your own budgets" in prices["4"][1]
    finding = Finding.objects.get(project=project, rule_id="C04", position__number="4")
    assert finding.evidence["source"] == "own history"
    assert run.references["history"] == "the organisation's other budgets"


def test_two_own_budgets_are_too_few_and_archived_ones_do_not_count(owner: User, drain: Callable[[], int]) -> None:
    for _ in range(2):
        budget(owner)
    budget(owner, status=Project.Status.ARCHIVED)
    run = audited(budget(owner, name="Fourth"), owner, drain)
    assert "C04" in {rule for rule, _, _ in run.not_checked_rules}


def test_choosing_references_audits_anew_once(owner: User, viewer: User, stranger: User, price_list: Path) -> None:
    take(price_list)
    project = budget(owner)
    choice: dict[str, Any] = {"catalogue": "ÚRS", "edition": "2024 01"}
    _, is_changed = choose_references(project_id=project.pk, actor=owner, **choice)
    assert is_changed
    assert Job.objects.filter(kind="projects.audit", subject_id=project.pk).count() == 1
    assert choose_references(project_id=project.pk, actor=owner, **choice)[1] is False
    wrongs: list[dict[str, Any]] = [
        {"catalogue": "X", "edition": "1"},
        {"price_index": "None such"},
        {"blank_document_id": project.pk},
    ]
    for wrong in wrongs:
        with pytest.raises(Refused):
            choose_references(project_id=project.pk, actor=owner, **wrong)
    assert signed_in(viewer).post(url("references", project.pk), {}).status_code == 403
    assert signed_in(stranger).get(url("references", project.pk)).status_code == 404
    assert signed_in(stranger).post(url("references", project.pk), {}).status_code == 404


def test_the_page_of_references_saves_and_refuses(owner: User, price_list: Path) -> None:
    take(price_list)
    project = budget(owner)
    client = signed_in(owner)
    assert "ÚRS 2024 01" in client.get(url("references", project.pk)).content.decode()
    values = {"catalogue": json.dumps(["ÚRS", "2024 01"], ensure_ascii=False)}
    assert client.post(url("references", project.pk), values).status_code == 302
    project.refresh_from_db()
    assert (project.catalogue, project.catalogue_edition) == ("ÚRS", "2024 01")
    assert client.post(url("references", project.pk), {"catalogue": "nonsense"}).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_owners_import_by_the_page_and_members_may_not(
    owner: User, member: User, stranger: User, drain: Callable[[], int]
) -> None:
    def send(user: User, **more: str) -> int:
        file = SimpleUploadedFile("list.csv", LIST.encode())
        values = {"file": file, "catalogue": "ÚRS", "edition": "2024 01", **more}
        return signed_in(user).post(url("catalogue-import"), values).status_code

    assert send(member) == 403
    assert send(owner, for_all="on") == 302  # not staff: the choice is not there, so it becomes the firm's own
    drain()
    assert set(CatalogueItem.objects.values_list("organisation__name", flat=True)) == {"Stavby Novák"}
    page = signed_in(owner).get(url("catalogues")).content.decode()
    assert "6 read: 3 new, 0 changed, 0 as before, 3 rejected" in page
    elsewhere = signed_in(stranger).get(url("catalogues")).content.decode()
    assert "ÚRS" not in elsewhere.split("Import a catalogue")[0]
    file = SimpleUploadedFile("index.csv", INDEX.encode())
    assert signed_in(owner).post(url("index-import"), {"file": file, "series": "Works"}).status_code == 302
    drain()
    assert PriceIndex.objects.count() == 3
    assert signed_in(owner).post(url("catalogue-import"), {}).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_a_failed_import_says_why_and_leaves_no_file(owner: User, drain: Callable[[], int]) -> None:
    from django.core.files.storage import default_storage

    file = SimpleUploadedFile("list.csv", b"a;b;c\n1;2;3\n")
    signed_in(owner).post(url("catalogue-import"), {"file": file, "catalogue": "X", "edition": "1"})
    drain()
    job = Job.objects.get(kind="projects.import_catalogue")
    assert (job.status, job.error["code"] if job.error else "") == (Job.Status.FAILED, "no_columns")
    assert not default_storage.exists(job.params["stored"])
    assert "No row of titles was found" in signed_in(owner).get(url("catalogues")).content.decode()


def test_the_page_takes_as_many_queries_for_fifty_editions_as_for_one(owner: User) -> None:
    CatalogueItem.objects.create(catalogue="C", edition="0", code="1", text="x")
    client = signed_in(owner)
    one = queries(client, url("catalogues"))
    CatalogueItem.objects.bulk_create(
        CatalogueItem(catalogue="C", edition=str(number), code="1", text="x") for number in range(1, 51)
    )
    assert queries(client, url("catalogues")) == one


def test_the_commands_print_counts_and_refuse(
    price_list: Path, index: Path, organisation: Organisation, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"catalogue": "ÚRS", "edition": "2024 01"}
    call_command("import_catalogue", str(price_list), json=True, organisation=organisation.name, **options)
    counts = json.loads(capsys.readouterr().out)
    assert (counts["read"], counts["created"], counts["rejected"]) == (6, 3, 3)
    assert CatalogueItem.objects.filter(organisation=organisation).count() == 3
    call_command("import_price_index", str(index), series="Works")
    assert "3 created" in capsys.readouterr().out
    for arguments, code in (([str(price_list) + "x"], 2), ([str(index)], 1)):
        with pytest.raises(CommandError) as refused:
            call_command("import_catalogue", *arguments, **options)
        assert refused.value.returncode == code
    with pytest.raises(CommandError):
        call_command("import_catalogue", str(price_list), organisation="Nobody", **options)
