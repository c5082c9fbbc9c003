"""Folders that lie, break, or lead elsewhere: refused with the reason, and the others come in nonetheless."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import User
from projects.filestore.places import Limits, StoreError, check_path
from projects.filestore.snapshot import snapshot
from projects.filestore.writing import writable_folder, write_file
from projects.models import Document, FileProject, Position, Project
from tests.factories.folders import bytes_of, entry, write_folder
from tests.factories.running import manage


def link_in_raw(folder: Path) -> None:
    (folder / "raw").mkdir()
    (folder / "raw/secret.txt").symlink_to("/etc/passwd")


def linked_folder(folder: Path) -> None:
    (folder / "raw").symlink_to("/etc")


def fifo(folder: Path) -> None:
    os.mkfifo(folder / "positions.json")


def name_of_bytes(folder: Path) -> None:
    with (folder / os.fsdecode(b"na\xffme.json")).open("wb") as file:
        file.write(b"{}")


def text(content: bytes, name: str = "project.json") -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "link": (link_in_raw, "link"),
    "linked-folder": (linked_folder, "link"),
    "fifo": (fifo, "not_a_file"),
    "bytes-name": (name_of_bytes, "bad_path"),
    "no-json": (text(b"{"), "damaged"),
    "no-object": (text(b"[1]"), "damaged"),
    "not-utf8": (text(b'{"name": "\xff"}'), "damaged"),
    "deep": (text(b'{"a":' * 100_000), "damaged"),
    "slashes": (text(b'{"id": "../../etc"}'), "bad_id"),
    "zero-byte": (text(b'{"id": "a\\u0000b"}'), None),  # type: ignore[dict-item]
    "dots": (text(b'{"id": ".."}'), "bad_id"),
    "long-id": (text(json.dumps({"id": "x" * 81}).encode()), "bad_id"),
    "positions-damaged": (text(b"[{]", "positions.json"), "damaged"),
    "positions-nan": (text(b'[{"name": "a", "quantity": NaN}]', "positions.json"), "damaged"),
    "positions-scalar": (text(b"7", "positions.json"), "no_positions"),
    "positions-none": (text(b'{"rows": []}', "positions.json"), "no_positions"),
    "half-character": (text(b'[{"name": "\\ud800", "quantity": 1}]', "positions.json"), "damaged"),
    "too-large-a-sum": (text(b'[{"name": "a", "quantity": 99999999999999, "unit_price": 99999999999}]',
                             "positions.json"), "failed"),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", BAD)
def test_a_bad_folder_is_told_with_the_reason_and_the_others_come_in(
    name: str, owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, code = BAD[name]
    make(write_folder(tmp_path / "store", "bad"))
    write_folder(tmp_path / "store", "good", positions=[entry(1)])
    status, told = manage(capsys, "migrate_file_projects", tmp_path / "store", owner=owner.email)
    found = {row["folder"]: row for row in told["projects"]}
    assert found["good"]["state"] == "migrated"
    if code is None:  # a zero byte in a text is left out
        assert found["bad"]["legacy_id"] == "ab" and status == 0
        return
    assert (status, found["bad"]["state"], found["bad"]["code"]) == (1, "failed", code), found["bad"]
    assert found["bad"]["error"]
    assert Project.objects.get().name == "Stavba good"
    failed = FileProject.objects.get(state="failed")
    assert failed.error == found["bad"]["error"] and failed.project is None
    assert not Document.objects.exclude(project__name="Stavba good").exists()

    status, told = manage(capsys, "migrate_file_projects", tmp_path / "store", owner=owner.email)
    assert status == 1 and FileProject.objects.count() == 2


@pytest.mark.django_db
def test_a_mended_folder_comes_in(owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_folder(tmp_path / "store", "p", positions=b"{")
    assert manage(capsys, "migrate_file_projects", tmp_path / "store", owner=owner.email)[0] == 1
    (folder / "positions.json").write_text(json.dumps([entry(1)]))
    assert manage(capsys, "migrate_file_projects", tmp_path / "store", owner=owner.email)[0] == 0
    known = FileProject.objects.get()
    assert (known.state, known.error, Position.objects.count()) == ("migrated", "", 1)


@pytest.mark.django_db
def test_one_id_twice_is_taken_once_and_what_is_no_folder_is_told(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    write_folder(store, "a", project={"id": "same", "name": "first"})
    write_folder(store, "b", project={"id": "same", "name": "second"})
    (store / "index.json").write_text("{}")
    (store / "outside").symlink_to("/etc")
    (store / "empty").mkdir()
    status, told = manage(capsys, "migrate_file_projects", store, owner=owner.email)
    found = {row["folder"]: row for row in told["projects"]}
    assert (status, Project.objects.get().name) == (1, "first")
    assert found["b"]["code"] == "duplicate_id" and found["empty"]["code"] == "no_project"
    assert found["index.json"]["state"] == found["outside"]["state"] == "left_out"
    assert "link" in found["outside"]["notes"][0]
    assert FileProject.objects.get(legacy_id="same").state == "migrated"


def test_no_store_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = manage(capsys, "migrate_file_projects", tmp_path / "none", dry_run=True)
    assert (status, told["error"]["message"].startswith(str(tmp_path / "none"))) == (1, True)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(project_bytes=10), "too_large"),
        (Limits(positions_bytes=10), "too_large"),
        (Limits(file_bytes=3), "too_large"),
        (Limits(files=2), "too_many_files"),
        (Limits(depth=1), "too_deep"),
    ],
    ids=["project", "positions", "file", "files", "depth"],
)
def test_what_is_beyond_a_limit_is_refused(tmp_path: Path, limits: Limits, code: str) -> None:
    write_folder(tmp_path, "p", positions=[entry(1)], files={"raw/a/b/c.txt": b"four"})
    with pytest.raises(StoreError) as refused:
        snapshot(tmp_path, "p", limits)
    assert refused.value.code == code


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "a\x00b", "a\\b", "a\nb"])
def test_no_path_leads_out_of_the_folder(path: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        check_path(path)
    with writable_folder(tmp_path, "p") as folder, pytest.raises(StoreError):
        write_file(folder, path, [b"x"])
    assert bytes_of(tmp_path) == {}


def test_writing_follows_no_link_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    store = tmp_path / "store"
    (store / "p").mkdir(parents=True)
    (store / "p/raw").symlink_to(outside)
    (store / "p/link.txt").symlink_to(outside / "kept.txt")
    (store / "q").symlink_to(outside)
    with writable_folder(store, "p") as folder:
        with pytest.raises(StoreError):
            write_file(folder, "raw/new.txt", [b"x"])
        write_file(folder, "link.txt", [b"ours"])  # the link itself is replaced
    with pytest.raises(StoreError), writable_folder(store, "q"):
        pass
    assert bytes_of(outside) == {"kept.txt": b"kept"}
    assert (store / "p/link.txt").read_bytes() == b"ours" and not (store / "p/link.txt").is_symlink()


def test_what_a_killed_writer_left_is_no_file_of_the_project_and_is_swept(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "p", files={"raw/.plumbline-1": b"half", ".plumbline-2": b"half"})
    assert [file.path for file in snapshot(tmp_path, "p").files] == ["project.json"]
    with writable_folder(tmp_path, "p"):
        pass
    assert list(bytes_of(folder)) == ["project.json"]
