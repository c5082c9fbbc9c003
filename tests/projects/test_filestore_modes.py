"""While a firm moves: who may write where, and folders that follow the tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from accounts.models import User
from jobs.models import Job
from projects.exceptions import Conflict
from projects.models import FileProject, Position, Project, StoreDivergence
from projects.services.editing import add_position, edit_position
from projects.services.filestore import mirroring
from projects.services.opening import archive_project, change_project
from tests.factories.folders import entry, write_folder
from tests.factories.projects import make_project
from tests.factories.running import manage

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(tmp_path: Path, owner: User, capsys: pytest.CaptureFixture[str], settings: Settings) -> Path:
    """One project, migrated; the store is the configured one."""
    store = tmp_path / "store"
    write_folder(store, "proj_1", positions=[entry(1)], files={"raw/vykresy/plan.pdf": b"%PDF-1.4"})
    assert manage(capsys, "migrate_file_projects", store, owner=owner.email)[0] == 0
    settings.FILE_PROJECTS_DIR = str(store)
    return store


@pytest.fixture
def project(store: Path) -> Project:
    return Project.objects.get(file_project__legacy_id="proj_1")


def edit(project: Project, owner: User, **changes: Any) -> None:
    row = Position.objects.get(project=project, removed_in=None)
    edit_position(project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes=changes)


def written(store: Path) -> Any:
    return json.loads((store / "proj_1/positions.json").read_text())[0]


def queued() -> int:
    return Job.objects.active().filter(kind=mirroring.WRITE).count()


def test_dual_writing_brings_each_version_into_the_folder(
    store: Path, project: Project, owner: User, settings: Settings, drain: Callable[[], int],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    settings.MIGRATION_MODE, settings.MIGRATION_READ_FROM = "dual_write", "files"
    edit(project, owner, quantity=Decimal(99))
    edit(project, owner, unit_price=Decimal(3))
    change_project(project_id=project.pk, actor=owner, changes={"name": "Renamed"})
    assert queued() == 1  # one job writes whatever has come together
    drain()
    assert (written(store)["qty"], written(store)["unit_price"], written(store)["tags"]) == (99, 3, ["x", None])
    assert json.loads((store / "proj_1/project.json").read_text())["project_name"] == "Renamed"
    assert manage(capsys, "verify_file_projects", store)[0] == 0
    archive_project(project_id=project.pk, actor=owner)
    drain()
    assert json.loads((store / "proj_1/project.json").read_text())["status"] == "archived"
    assert FileProject.objects.get().report["written_version"] == 3 and not StoreDivergence.objects.exists()


def test_other_modes_and_other_projects_write_no_folder(
    store: Path, project: Project, owner: User, settings: Settings
) -> None:
    settings.MIGRATION_MODE = "postgres_only"
    edit(project, owner, quantity=Decimal(99))
    settings.MIGRATION_MODE = "dual_write"
    add_position(project_id=make_project(owner).pk, actor=owner, fields={"description": "Opened here"})
    assert queued() == 0


def test_a_folder_that_somebody_else_changed_is_kept_and_recorded_until_a_person_decides(
    store: Path, project: Project, owner: User, settings: Settings, drain: Callable[[], int]
) -> None:
    settings.MIGRATION_MODE, settings.MIGRATION_READ_FROM = "dual_write", "postgres"
    (store / "proj_1/positions.json").write_text("[]")
    edit(project, owner, quantity=Decimal(99))
    drain()
    job = Job.objects.get(kind=mirroring.WRITE)
    assert (job.status, (job.error or {})["code"]) == ("failed", "changed_elsewhere")
    assert StoreDivergence.objects.get().operation == "write"
    assert (store / "proj_1/positions.json").read_text() == "[]"
    mirroring.ask_to_write(known=FileProject.objects.get(), overwrite=True)
    drain()
    assert written(store)["qty"] == 99


def test_a_store_that_is_away_is_tried_again_and_recorded(
    store: Path, project: Project, owner: User, settings: Settings, drain: Callable[[], int]
) -> None:
    settings.MIGRATION_MODE = "dual_write"
    away = store.rename(store.parent / "away")
    edit(project, owner, quantity=Decimal(99))
    drain()
    job = Job.objects.get(kind=mirroring.WRITE)
    assert job.status == "queued" or job.next_retry_at is not None
    assert StoreDivergence.objects.get().difference["code"] == "no_store"
    away.rename(store)
    Job.objects.filter(pk=job.pk).update(status="queued", next_retry_at=None, scheduled_for=None)
    drain()
    assert written(store)["qty"] == 99


def test_what_the_older_system_still_keeps_is_read_only_here(
    store: Path, project: Project, owner: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MIGRATION_MODE, settings.MIGRATION_READ_FROM = "files_only", "files"
    with pytest.raises(Conflict) as refused:
        edit(project, owner, quantity=Decimal(99))
    assert refused.value.code == "files_are_the_truth"
    add_position(project_id=make_project(owner).pk, actor=owner, fields={"description": "Opened here"})
    write_folder(store, "proj_1", positions=[entry(1, qty=44)])
    assert manage(capsys, "migrate_file_projects", store, owner=owner.email)[1]["states"] == {"updated": 1}
    assert Position.objects.get(project=project, removed_in=None).quantity == 44


def test_a_project_that_changes_while_it_is_written_is_written_again(
    store: Path, project: Project, owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    drain: Callable[[], int],
) -> None:  # fmt: skip
    settings.MIGRATION_MODE = "dual_write"
    edit(project, owner, quantity=Decimal(2))
    real, quantities = mirroring.export_project, [Decimal(3), Decimal(4)]

    def slow(**arguments: Any) -> Any:
        outcome = real(**arguments)
        if quantities:
            edit(project, owner, quantity=quantities.pop())
        return outcome

    monkeypatch.setattr(mirroring, "export_project", slow)
    drain()
    assert written(store)["qty"] == 3
    assert set(Job.objects.filter(kind=mirroring.WRITE).values_list("status", flat=True)) == {"completed"}


@pytest.mark.parametrize(
    ("mode", "source", "folder", "check"),
    [
        ("both", "postgres", "", "projects.E001"),
        ("postgres_only", "disk", "", "projects.E002"),
        ("postgres_only", "files", "", "projects.E003"),
        ("files_only", "postgres", ".", "projects.E004"),
        ("dual_write", "files", "", "projects.E005"),
        ("files_only", "files", "/nowhere", "projects.E005"),
    ],
)
def test_modes_that_contradict_each_other_do_not_start(
    mode: str, source: str, folder: str, check: str, settings: Settings
) -> None:
    settings.MIGRATION_MODE, settings.MIGRATION_READ_FROM, settings.FILE_PROJECTS_DIR = mode, source, folder
    with pytest.raises(SystemCheckError) as refused:
        call_command("check")
    assert check in str(refused.value)


@pytest.mark.parametrize(
    ("mode", "source"), [("files_only", "files"), ("dual_write", "files"), ("dual_write", "postgres")]
)
def test_modes_that_make_sense_start(mode: str, source: str, settings: Settings, tmp_path: Path) -> None:
    settings.MIGRATION_MODE, settings.MIGRATION_READ_FROM = mode, source
    settings.FILE_PROJECTS_DIR = str(tmp_path)
    call_command("check")
