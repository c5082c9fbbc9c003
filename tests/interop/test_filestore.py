"""Real folders of the older file store: in, compared, out byte for byte, and in once more (docs/development.md)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from accounts.models import User
from projects.models import Document, FileProject, Project
from tests.factories.folders import bytes_of, state
from tests.factories.running import forget_folders, manage

STORE = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere")) / "construction" / "legacy_projects"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not STORE.is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files"),
]


def test_real_folders_go_in_and_come_out_as_they_were(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = manage(capsys, "migrate_file_projects", STORE, owner=owner.email)
    assert (code, told["states"]) == (0, {"migrated": 2})
    text = Project.objects.get(file_project__legacy_id="proj_0a56b78a847d")
    assert (text.name, text.workflow, text.created_at.isoformat()) == (
        "TXT Dokumentace Test", "workflow_a", "2025-10-28T09:51:58.043458+00:00",
    )  # fmt: skip
    assert dict(text.documents.values_list("original_filename", "kind")) == {
        "vykaz.xml": "bill", "drawing.pdf": "drawing", "doc.txt": "specification",
    }  # fmt: skip
    assert Document.objects.count() == 5
    assert FileProject.objects.get(legacy_id="proj_052f89c43145").contents["unknown"]["selection_status"] == "OK"

    assert manage(capsys, "verify_file_projects", STORE)[1]["states"] == {"equal": 2}
    assert manage(capsys, "migrate_file_projects", STORE, owner=owner.email)[1]["states"] == {"unchanged": 2}
    code, told = manage(capsys, "export_file_projects", tmp_path / "out")
    assert (code, told["states"]) == (0, {"written": 2})
    assert bytes_of(tmp_path / "out") == bytes_of(STORE)

    before = state()
    forget_folders()
    manage(capsys, "migrate_file_projects", tmp_path / "out", owner=owner.email)
    assert state() == before and len(before) == 2
