"""What is kept of projects is right after everything that writes to one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from config.cache import stats
from projects.models import Finding, Position, Project
from projects.services.auditing import start_audit
from projects.services.editing import add_position, delete_position, edit_position
from projects.services.overrides import override_finding, withdraw_override
from projects.services.versions import restore_version
from projects.views.charts import _role_counts, _role_rows
from projects.views.sections import _built, tree_of
from tests.factories.bills import GivenPosition, write_kros
from tests.factories.imports import given_bill, run_audit, upload
from tests.factories.people import make_organisation, make_user
from tests.factories.projects import make_audited_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user("owner", organisation=make_organisation())


@pytest.fixture
def project(owner: User) -> Project:
    return make_audited_project(owner)


def first(project: Project) -> Position:
    return Position.objects.filter(project=project, removed_in__isnull=True).order_by("ordinal")[0]


def edit(project: Project, owner: User) -> None:
    row, changes = first(project), {"unit_price": Decimal(777)}
    edit_position(project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes=changes)


def add(project: Project, owner: User) -> None:
    fields = {"description": "Anything", "section": "New section", "unit": "m", "quantity": Decimal(1)}
    add_position(project_id=project.pk, actor=owner, fields=fields)


def delete(project: Project, owner: User) -> None:
    row = first(project)
    delete_position(project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk)


def restore(project: Project, owner: User) -> None:
    edit(project, owner)
    project.refresh_from_db()
    tree_of(project)
    restore_version(project_id=project.pk, number=1, actor=owner)


def audit(project: Project, owner: User) -> None:
    start_audit(project_id=project.pk, actor=owner)
    run_audit(project)


def override(project: Project, owner: User) -> None:
    found = Finding.objects.filter(project=project, position__isnull=False, grade="red")[0]
    override_finding(finding_id=found.pk, actor=owner, reason="It is a known exception of the tender")


def withdraw(project: Project, owner: User) -> None:
    override(project, owner)
    project.refresh_from_db()
    _role_rows(project)
    decided = Finding.objects.filter(project=project, override__isnull=False)[0]
    withdraw_override(finding_id=decided.pk, actor=owner)


def as_rows(counts: dict[tuple[str, str], int], rows: list[dict[str, Any]]) -> bool:
    shown = {(row["label"].lower(), grade): number for row in rows for grade, number in row["counts"].items() if number}
    return sum(shown.values()) == sum(counts.values()) and sorted(shown.values()) == sorted(counts.values())


@pytest.mark.parametrize("write", [edit, add, delete, restore])
def test_the_tree_of_sections_is_that_of_its_version(
    project: Project, owner: User, write: Callable[[Project, User], None]
) -> None:
    before = tree_of(project)
    assert before == tree_of(project) == _built(project, 1)
    write(project, owner)
    project.refresh_from_db()
    assert tree_of(project) == _built(project, project.version_number)
    assert tree_of(project, 1) == before, "a version never changes"


@pytest.mark.parametrize("write", [edit, delete, audit, override, withdraw])
def test_grades_by_role_are_those_of_now(
    project: Project, owner: User, write: Callable[[Project, User], None], django_capture_on_commit_callbacks: Any
) -> None:
    assert as_rows(_role_counts(project.pk), _role_rows(project))
    with django_capture_on_commit_callbacks(execute=False):
        write(project, owner)
    project.refresh_from_db()
    assert as_rows(_role_counts(project.pk), _role_rows(project))


def test_an_import_shows_its_sections_and_is_audited_anew(project: Project, owner: User, tmp_path: Path) -> None:
    before, roles = tree_of(project), _role_rows(project)
    write_kros(tmp_path / "more.xlsx", given_bill(GivenPosition("1", "Hloubení rýh pro vodovod", code="132201101")))
    upload(project, owner, tmp_path / "more.xlsx")
    assert tree_of(project) == _built(project, project.version_number) != before
    run_audit(project)
    assert as_rows(_role_counts(project.pk), _role_rows(project))
    assert _role_rows(project) != roles


def test_a_project_s_second_page_is_served_from_the_cache(project: Project, owner: User) -> None:
    tree_of(project)
    hits = stats()["sections"]["hits"]
    tree_of(project)
    assert stats()["sections"]["hits"] == hits + 1


def test_two_projects_do_not_share_a_tree(project: Project, owner: User) -> None:
    other = make_audited_project(owner, name="Other")
    Position.objects.filter(project=other).update(section="Elsewhere")
    assert tree_of(project) != tree_of(other)
