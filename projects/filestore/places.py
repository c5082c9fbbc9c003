"""Where things are in the store, opened step by step so that no link is ever followed out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

OURS = ".plumbline-"  # what is being written, and what a killed writer left
LONGEST_ID = 80
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class StoreError(Exception):
    """A folder can't be taken or written. `str()` says to a person what is wrong and what to do; `code` is stable."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Limits:
    """What a folder may hold; beyond it the folder is refused with the reason, and nothing of it is taken."""

    project_bytes: int = 4 << 20  # project.json
    positions_bytes: int = 256 << 20  # positions.json, streamed
    file_bytes: int = 4 << 30
    files: int = 20_000
    depth: int = 12


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    reason: str  # "" for a project's folder; else why it is none


def check_id(legacy_id: str, what: str = "id", longest: int = LONGEST_ID) -> str:
    """The id (or the folder's name), if it can be the name of one folder. Raises StoreError("bad_id")."""
    is_name = 0 < len(legacy_id) <= longest and legacy_id.isprintable() and legacy_id == legacy_id.strip()
    if not is_name or legacy_id.startswith(".") or "/" in legacy_id or "\\" in legacy_id:
        raise StoreError(
            f"The {what} {legacy_id[:60]!r} can't be taken: it needs 1 to {longest} printable characters, no slashes, "
            "and no dot at its beginning. Correct it.",
            code="bad_id",
        )
    return legacy_id


def check_path(path: str) -> str:
    """A file's path inside its folder. Raises StoreError("bad_path") for one that leads elsewhere."""
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") for part in parts) or not path.isprintable() or "\\" in path:
        raise StoreError(f"{path[:80]!r} is no path inside a project's folder: rename the file.", code="bad_path")
    return path


def entries(root: Path) -> list[Entry]:
    """What the store holds, by name: folders of projects, and what is none of them with the reason.

    Raises StoreError("no_store") if it is no folder that can be listed."""
    try:
        with os.scandir(root) as found:
            listed = sorted(found, key=lambda entry: entry.name)
            return [Entry(entry.name, _why_not(entry)) for entry in listed if not entry.name.startswith(OURS)]
    except OSError as error:
        raise StoreError(
            f"{root} can't be listed: {error.strerror}. Name the store's folder.", code="no_store"
        ) from error


def _why_not(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "a link; links are not followed"
    if not entry.is_dir(follow_symlinks=False):
        return "not a folder"
    if entry.name.startswith("."):
        return "hidden"
    return ""


@contextmanager
def opened_folder(root: Path, folder: str) -> Iterator[int]:
    """A descriptor of the project's folder. Raises StoreError("no_folder")."""
    try:
        store = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"{root} can't be opened: {error.strerror}.", code="no_store") from error
    try:
        try:
            descriptor = os.open(folder, DIRECTORY, dir_fd=store)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise StoreError(f"The folder {folder!r} can't be opened: {why}.", code="no_folder") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    finally:
        os.close(store)


@contextmanager
def opened_file(folder: int, path: str) -> Iterator[BinaryIO]:
    """A regular file of the opened folder, for reading. Raises StoreError("unreadable") for links and the like too."""
    *parents, name = check_path(path).split("/")
    opened: list[int] = []
    try:
        try:
            for parent in parents:
                opened.append(os.open(parent, DIRECTORY, dir_fd=opened[-1] if opened else folder))
            descriptor = os.open(name, _FILE, dir_fd=opened[-1] if opened else folder)
        except OSError as error:
            raise StoreError(f"{path} can't be read: {error.strerror}.", code="unreadable") from error
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise StoreError(f"{path} is not a regular file. Remove it or replace it by one.", code="not_a_file")
            yield file
    finally:
        for descriptor in opened:
            os.close(descriptor)
