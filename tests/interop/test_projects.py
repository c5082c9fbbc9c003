"""Real bills all the way: uploaded, read by the job, stored, audited (see docs/development.md)."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import Sum

from accounts.models import Membership, User
from jobs.models import Job
from projects.models import Finding, Position, Project
from tests.factories.imports import run_audit, upload
from tests.factories.people import make_organisation, make_user
from tests.factories.projects import make_project

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere")) / "construction"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files"),
]
GAEB = FOLDER / "gaeb"
CZECH = FOLDER / "cz"
VALCHA = (CZECH / "valcha_kros_unixml12.xml", CZECH / "valcha_kros_export_komplet.xlsx")


@pytest.fixture
def owner() -> User:
    return make_user("owner", organisation=make_organisation(), role=Membership.Role.OWNER)


@pytest.fixture
def project(owner: User) -> Iterator[Project]:
    yield make_project(owner)


def by_object(project: Project) -> dict[str, tuple[int, Decimal]]:
    rows = Position.objects.filter(project=project, removed_in=None)
    found: dict[str, tuple[int, Decimal]] = {}
    for code in rows.values_list("object_code", flat=True).distinct().order_by("object_code"):
        of_object = rows.filter(object_code=code)
        found[code] = (of_object.count(), of_object.aggregate(sum=Sum("total"))["sum"])
    return found


@pytest.mark.parametrize("path", VALCHA, ids=lambda path: path.suffix)
def test_valcha_comes_in_whole_and_clean(project: Project, owner: User, path: Path) -> None:
    document = upload(project, owner, path)
    assert document.parse_status == "completed", document.parse_error
    assert (project.total_positions, project.total_cost) == (298, Decimal("8205797.76"))
    assert project.currency == "CZK" and len(by_object(project)) == 5

    run_audit(project)

    hits = Finding.objects.filter(project=project)
    assert not hits.filter(rule_id__in=["V07", "V08", "V09"], grade__in=["red", "amber"]).exists()
    spread = hits.filter(rule_id="C02")
    assert any({"351", "834"} <= {part.split(".")[0] for part in str(f.evidence).split("'")} for f in spread)


def test_both_files_of_valcha_are_the_same_budget(owner: User) -> None:
    one, two = make_project(owner, "uniXML"), make_project(owner, "xlsx")
    upload(one, owner, VALCHA[0])
    upload(two, owner, VALCHA[1])
    assert by_object(one) == by_object(two)


def test_the_bvbs_bid_is_joined_to_its_tender(project: Project, owner: User) -> None:
    upload(project, owner, next(GAEB.glob("Pruefdatei*Bauausfuehrung*.x83")))
    assert (project.total_positions, project.total_cost) == (28, Decimal(0))
    document = upload(project, owner, next(GAEB.glob("BVBS*Bauausfuehrung*.x84")))
    assert document.parse_status == "completed", document.parse_error
    assert (project.version_number, project.total_positions) == (2, 28)
    assert project.total_cost == Decimal("2000000.00")
    rows = Position.objects.filter(project=project, removed_in=None)
    assert [row.total for row in rows.filter(billing="alternative")] == [Decimal("0.00")]
    assert [row.total for row in rows.filter(billing="surcharge")] == [Decimal("85000.00")]
    assert not rows.filter(unit_price=None).exclude(billing__in=["alternative", "surcharge"]).exists()


@pytest.mark.parametrize(
    ("name", "positions", "total"),
    [
        ("gaeb2.x83", 170, None),
        ("gaebphp_realistic.x84", 4, "9649.00"),
        ("gaebphp_contract.x86", 2, "3475.00"),
        ("gaebphp_nachtrag.x86", 4, "4575.00"),
        ("gaebphp_nonconforming.x83", None, None),
    ],
)
def test_gaeb_files_come_in(project: Project, owner: User, name: str, positions: int | None, total: str | None) -> None:
    document = upload(project, owner, GAEB / name)
    assert document.parse_status == "completed", document.parse_error
    assert positions in (None, project.total_positions) and project.total_positions > 0
    if total is not None:
        assert project.total_cost == Decimal(total)
    if "nonconforming" in name:
        assert document.extracted_data["warnings"]
    assert run_audit(project).status == Job.Status.COMPLETED


def zip_bomb(path: Path) -> Path:
    """1 GiB of zeros in a workbook's sheet."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(1024):
                sheet.write(bytes(1024 * 1024))
    return path


@pytest.mark.parametrize("case", ["bomb", "entities", "headless"])
def test_what_can_not_be_read_fails_with_a_reason_and_leaves_nothing(
    project: Project, owner: User, tmp_path: Path, case: str
) -> None:
    path = tmp_path / "file.xlsx"
    if case == "bomb":
        zip_bomb(path)
    elif case == "entities":
        path.write_text('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><unixml format="unixml_cz">&a;</unixml>')
    else:
        path = tmp_path / "file.csv"
        path.write_text("\n".join(";".join(str(row * column) for column in range(200)) for row in range(50)))
    document = upload(project, owner, path)
    job = Job.objects.get(kind="projects.parse_document")
    assert (job.status, document.parse_status) == (Job.Status.FAILED, "failed")
    assert len(document.parse_error) > 30 and document.parse_error_code not in ("", "failed")
    assert not Position.objects.exists() and project.version_number == 0
