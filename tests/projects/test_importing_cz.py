"""Workbooks of Czech programs all the way: uploaded, recognised, read by the job, stored, audited."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import User
from projects.models import Document, Position, Project, Verdict
from tests.factories.bills import GivenPosition
from tests.factories.bills_cz import write_aspe, write_kros_list, write_rts
from tests.factories.imports import given_bill, run_audit, upload
from tests.factories.projects import make_project

pytestmark = pytest.mark.django_db

DIG = GivenPosition(
    "1", "Odkopávky v hornině třídy těžitelnosti I", "m3", Decimal("123"), Decimal("29.10"), "121151113"
)
BED = GivenPosition("2", "Lože pod potrubí ze štěrkopísku", "m3", Decimal("10.5"), Decimal("900"), "451573111")
WRITERS: dict[str, Callable[..., None]] = {"rts_xlsx": write_rts, "aspe_xlsx": write_aspe, "kros_list": write_kros_list}


@pytest.mark.parametrize("dialect", WRITERS)
def test_a_bill_of_another_program_is_imported_and_audited(owner: User, tmp_path: Path, dialect: str) -> None:
    project: Project = make_project(owner)
    path = tmp_path / "ROZPOCET.XLS"
    WRITERS[dialect](path, given_bill(DIG, BED))

    document = upload(project, owner, path)

    assert (document.parse_status, document.parser) == (Document.ParseStatus.COMPLETED, dialect), document.parse_error
    project.refresh_from_db()
    assert (project.total_positions, project.total_cost) == (2, Decimal("13029.30"))
    positions = Position.objects.filter(project=project, removed_in=None).order_by("ordinal")
    assert [(p.code, p.unit_price) for p in positions] == [("121151113", Decimal("29.1")), ("451573111", Decimal(900))]
    assert all("!" in p.source for p in positions)
    run_audit(project)
    assert Verdict.objects.filter(project=project).count() == 2


def test_a_form_whose_own_count_differs_is_not_imported(owner: User, tmp_path: Path) -> None:
    project: Project = make_project(owner)
    write_aspe(tmp_path / "f.xlsx", given_bill(DIG, BED), unpriced=3)
    document = upload(project, owner, tmp_path / "f.xlsx")
    assert document.parse_status == Document.ParseStatus.FAILED
    assert "says it has 5 positions, but 2 were found" in document.parse_error
    assert not Position.objects.filter(project=project).exists()
