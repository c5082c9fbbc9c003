"""Projects in the older shape: read from files or tables as the modes say, saved as versions; strangers see none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from projects.models import FileProject, Position, Project
from projects.services.editing import add_position
from tests.factories.folders import entry, state, write_folder
from tests.factories.projects import make_project
from tests.factories.running import forget_folders, manage

pytestmark = pytest.mark.django_db
BASE = "/api/older-projects"
PATHS = (f"{BASE}/proj_1", f"{BASE}/proj_1/positions")


@pytest.fixture
def folders(tmp_path: Path, owner: User, capsys: pytest.CaptureFixture[str], settings: Settings) -> Path:
    write_folder(tmp_path / "store", "proj_1", positions=[entry(1), entry(2)])
    manage(capsys, "migrate_file_projects", tmp_path / "store", owner=owner.email)
    settings.FILE_PROJECTS_DIR = str(tmp_path / "store")
    return tmp_path / "store"


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def live() -> dict[str, Position]:
    rows = Position.objects.filter(project__file_project__legacy_id="proj_1", removed_in=None)
    return {row.number: row for row in rows}


def test_a_project_is_given_as_its_folder_says_it(folders: Path, viewer: User) -> None:
    client = client_of(viewer)
    listed = client.get(BASE).json()["results"]
    assert [(row["project_id"], row["project_name"], row["total_positions"]) for row in listed] == [
        ("proj_1", "Stavba proj_1", 2)
    ]
    assert client.get(PATHS[0]).content == (folders / "proj_1/project.json").read_bytes()
    assert client.get(PATHS[1]).content == (folders / "proj_1/positions.json").read_bytes()


@pytest.mark.parametrize(("source", "quantity"), [("files", 55), ("postgres", "12,5")])
def test_what_is_read_is_where_the_setting_says(
    source: str, quantity: Any, folders: Path, owner: User, settings: Settings
) -> None:
    settings.MIGRATION_MODE, settings.MIGRATION_READ_FROM = "dual_write", source
    write_folder(folders, "proj_1", positions=[entry(1, qty=55)])
    assert client_of(owner).get(PATHS[1]).json()[0]["qty"] == quantity


def test_a_saved_list_is_the_next_version_and_reaches_the_folder(
    folders: Path, owner: User, settings: Settings, drain: Callable[[], int]
) -> None:
    settings.MIGRATION_MODE = "dual_write"
    kept = live()["2"]
    fields = {"description": "By hand", "category": "mine"}
    add_position(project_id=kept.project_id, actor=owner, fields=fields)
    client = client_of(owner)
    entries = client.get(PATHS[1]).json()
    assert [row.get("position_number", row.get("number")) for row in entries] == ["1", "2", "3"]
    entries[0]["unit_price"], entries[2]["note"] = 7.5, "new"
    answer = client.put(f"{PATHS[1]}?seen=2", [*entries, entry(9)], format="json")
    assert (answer.status_code, answer.json()) == (200, {"version": 3})
    assert sorted(live()) == ["1", "2", "3", "9"] and live()["2"].pk == kept.pk
    assert (live()["1"].unit_price, live()["3"].category) == (7.5, "mine")

    stale = client.put(f"{PATHS[1]}?seen=2", [], format="json")
    assert (stale.status_code, stale.json()["code"]) == (409, "edit_conflict")
    assert client.put(PATHS[1], [*entries, entry(9)], format="json").json() == {"version": 3}  # nothing differs
    drain()
    written = json.loads((folders / "proj_1/positions.json").read_text())
    assert written[0]["unit_price"] == 7.5 and written[3]["tags"] == ["x", None]
    before = state()
    forget_folders()
    from projects.services.filestore.migrating import MigrationOptions, migrate_store, owner_in

    options = MigrationOptions(owner=owner_in(user=owner))
    assert [row.state for row in migrate_store(root=folders, options=options, report=lambda *_: None)] == ["migrated"]
    assert state() == before


def test_bad_lists_and_times_are_refused(folders: Path, owner: User, viewer: User, settings: Settings) -> None:
    client = client_of(owner)
    for bad in ({"rows": []}, 7, "text"):
        answer = client.put(PATHS[1], bad, format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, "no_positions"), bad
    assert client.put(f"{PATHS[1]}?seen=x", [], format="json").status_code == 400
    assert client_of(viewer).put(PATHS[1], [], format="json").status_code == 403
    settings.MIGRATION_MODE, settings.MIGRATION_READ_FROM = "files_only", "files"
    answer = client.put(PATHS[1], [], format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "files_are_the_truth")
    assert len(live()) == 2
    (folders / "proj_1/positions.json").unlink()
    assert client.get(PATHS[1]).status_code == 404


def test_strangers_see_and_change_nothing(folders: Path, stranger: User) -> None:
    client = client_of(stranger)
    assert client.get(BASE).json()["results"] == []
    assert {client.get(path).status_code for path in PATHS} == {404}
    assert client.put(PATHS[1], [], format="json").status_code == 404
    assert {APIClient().get(path).status_code for path in (BASE, *PATHS)} == {401}
    assert len(live()) == 2


def test_the_list_asks_as_many_queries_for_50_as_for_1(folders: Path, owner: User) -> None:
    client = client_of(owner)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(BASE, {"page_size": 100}).status_code == 200
        return len(captured)

    queries()
    few = queries()
    more = [make_project(owner, f"More {n}") for n in range(50)]
    FileProject.objects.bulk_create(
        FileProject(legacy_id=f"m{n}", state="migrated", checksum="", project=project) for n, project in enumerate(more)
    )
    assert queries() == few and Project.objects.count() == 51
