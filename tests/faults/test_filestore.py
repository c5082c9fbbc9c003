"""Migrating and exporting killed in the middle, as processes of their own: run again, both end where they should."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import User
from projects.models import BudgetVersion, Document, FileProject, Position, Project
from tests.factories.folders import bytes_of, entry, state, write_folder
from tests.factories.running import forget_folders, manage
from tests.jobs.processes import command, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

PROJECTS = 6
ROWS = 400
# The last tables that taking a folder writes; what remembering an export writes.
END_OF_TAKING = "LOCK TABLE projects_budgetversion IN ACCESS EXCLUSIVE MODE"
END_OF_EXPORT = "LOCK TABLE projects_fileproject IN SHARE MODE"
THIRD = "SELECT FROM projects_project WHERE name = 'Stavba proj_3' FOR UPDATE"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDIA_ROOT", str(settings.MEDIA_ROOT))  # else each process of the tests has one of its own
    for number in range(PROJECTS):
        files = {f"raw/vykresy/plan-{n}.pdf": b"%PDF-1.4 " + bytes([n]) * 50_000 for n in range(3)}
        positions = {"positions": [entry(n, qty=n) for n in range(1, ROWS + 1)], "made_by": "agent"}
        write_folder(tmp_path / "store", f"proj_{number}", positions=positions, files=files)
    return tmp_path / "store"


@contextmanager
def held(lock: str) -> Iterator[None]:
    """A lock of a connection of its own."""
    other = connection.get_new_connection(connection.get_connection_params())
    try:
        other.autocommit = False
        other.execute(lock)
        yield
    finally:
        other.close()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def kill_when(is_time: Callable[[], object], *arguments: str) -> None:
    with command(*arguments) as process:
        wait_until(is_time, "it has come so far")
        process.kill()
        process.wait()


def kill_at(lock: str, *arguments: str) -> None:
    """Its statement dies with it: a server that has it already would carry it out once the lock is free."""
    with held(lock):
        kill_when(somebody_waits, *arguments)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        wait_until(lambda: not somebody_waits(), "nobody waits any more")


def whole() -> None:
    assert Project.objects.count() == FileProject.objects.count() == BudgetVersion.objects.count() == PROJECTS
    assert Position.objects.count() == PROJECTS * ROWS and Document.objects.count() == PROJECTS * 4
    stored = {path for path in Path(settings.MEDIA_ROOT, "projects").rglob("*") if path.is_file()}
    assert {Path(document.file.path) for document in Document.objects.all()} <= stored


def test_a_migration_killed_before_its_commit_leaves_nothing_of_that_project_and_is_finished_by_the_next(
    store: Path, owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate = ("migrate_file_projects", str(store), "--owner", owner.email)
    kill_at(END_OF_TAKING, *migrate)
    assert not Project.objects.exists() and not Document.objects.exists() and not Position.objects.exists()

    kill_when(lambda: Project.objects.count() >= 2, *migrate)
    assert Project.objects.count() == FileProject.objects.count() == BudgetVersion.objects.count()
    assert Position.objects.count() == ROWS * Project.objects.count()

    assert manage(capsys, *migrate[:2], owner=owner.email)[0] == 0
    whole()
    assert manage(capsys, "verify_file_projects", store)[1]["states"] == {"equal": PROJECTS}


def test_an_export_killed_in_the_middle_is_finished_by_the_next_and_migrates_to_the_same_state(
    store: Path, owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manage(capsys, "migrate_file_projects", store, owner=owner.email)
    before, out = state(), tmp_path / "out"
    kill_at(THIRD, "export_file_projects", str(out))
    kill_when((out / "proj_4/project.json").exists, "export_file_projects", str(out))
    described = [path.parent for path in out.glob("*/project.json")]
    for folder in described:  # a folder that says it is a project is one, whole
        assert bytes_of(folder) == bytes_of(store / folder.name)

    assert manage(capsys, "export_file_projects", out)[0] == 0
    assert bytes_of(out) == bytes_of(store)
    forget_folders()
    assert manage(capsys, "migrate_file_projects", out, owner=owner.email)[0] == 0
    assert state() == before
    whole()


def test_an_export_into_its_own_folder_killed_before_it_is_remembered_is_recognised_as_ours(
    store: Path, owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    manage(capsys, "migrate_file_projects", store, owner=owner.email)
    Project.objects.update(name="Renamed")
    kill_at(END_OF_EXPORT, "export_file_projects", str(store))
    assert b"Renamed" in (store / "proj_0/project.json").read_bytes()
    assert "written" not in FileProject.objects.get(legacy_id="proj_0").report

    assert manage(capsys, "export_file_projects", store)[0] == 0
    assert manage(capsys, "verify_file_projects", store)[1]["states"] == {"equal": PROJECTS}
    assert manage(capsys, "migrate_file_projects", store, owner=owner.email)[1]["states"] == {"unchanged": PROJECTS}
