"""The older file store in the admin: lists open, actions are jobs, for those who may change projects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from jobs.models import Job
from projects.models import FileProject, Position, StoreDivergence
from tests.factories.folders import entry, write_folder
from tests.factories.running import manage

pytestmark = pytest.mark.django_db
LIST = "admin:projects_fileproject_changelist"


@pytest.fixture
def store(tmp_path: Path, owner: User, capsys: pytest.CaptureFixture[str], settings: Settings) -> Path:
    write_folder(tmp_path / "store", "proj_1", positions=[entry(1)])
    write_folder(tmp_path / "store", "proj_2", project=b"{")
    manage(capsys, "migrate_file_projects", tmp_path / "store", owner=owner.email)
    settings.FILE_PROJECTS_DIR = str(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def as_staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "a long password"))
    return client


def act(client: Client, action: str) -> str:
    chosen = [str(pk) for pk in FileProject.objects.values_list("pk", flat=True)]
    answer = client.post(reverse(LIST), {"action": action, "_selected_action": chosen}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_folders_and_what_was_wrong_with_them_are_listed(store: Path, as_staff: Client) -> None:
    page = as_staff.get(reverse(LIST)).content.decode()
    assert "1 positions, 2 files" in page and "project.json is damaged" in page
    for row in FileProject.objects.all():
        assert as_staff.get(reverse("admin:projects_fileproject_change", args=[row.pk])).status_code == 200


def test_comparing_and_writing_again_are_jobs(store: Path, as_staff: Client, drain: Callable[[], int]) -> None:
    Position.objects.update(quantity=7, content_hash="x")
    page = act(as_staff, "verify")
    assert "1 comparisons queued" in page and "never became a project" in page
    drain()
    found = Job.objects.get(kind="projects.verify_file_project")
    assert found.status == "completed" and (found.result or {})["state"] == "differs"
    divergence = StoreDivergence.objects.get()
    assert "position" in as_staff.get(reverse("admin:projects_storedivergence_changelist")).content.decode()
    assert divergence.difference["differences"][0]["tables"]["quantity"] == 7
    (store / "proj_1/positions.json").write_text("[]")
    act(as_staff, "write_again")
    drain()
    assert b'"qty": 7' in (store / "proj_1/positions.json").read_bytes()


def test_without_a_store_the_actions_say_so(store: Path, as_staff: Client, settings: Settings) -> None:
    settings.FILE_PROJECTS_DIR = ""
    assert "FILE_PROJECTS_DIR is not set" in act(as_staff, "verify") and not Job.objects.exists()


def test_who_may_only_look_may_not_write(store: Path) -> None:
    looker = User.objects.create_user("looker@example.com", "a long password", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_fileproject"))
    client = Client()
    client.force_login(looker)
    assert client.get(reverse(LIST)).status_code == 200
    act(client, "write_again")
    assert not Job.objects.exists()


def test_the_list_asks_as_many_queries_for_50_folders_as_for_1(store: Path, as_staff: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_staff.get(reverse(LIST)).status_code == 200
        return len(captured)

    queries()
    few = queries()
    FileProject.objects.bulk_create(FileProject(legacy_id=f"x{n}", state="failed", checksum="") for n in range(50))
    assert queries() == few
