"""What a project's folder holds: every file with its size and digest, and one checksum over all of them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from projects.filestore.places import OURS, Limits, StoreError, check_path, opened_file, opened_folder

CHUNK = 1 << 20
PROJECT, AUDIT = "project.json", "audit_results.json"
POSITIONS = ("positions.json", "artifacts/positions.json")  # the first there is


@dataclass(frozen=True, slots=True)
class StoredFile:
    path: str  # inside the folder, with slashes
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    folder: str
    files: tuple[StoredFile, ...]  # by path

    @property
    def checksum(self) -> str:
        """SHA-256 over names, sizes and contents."""
        return checksum_of(self.files)

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def positions(self) -> StoredFile | None:
        return next((found for path in POSITIONS if (found := self.file(path))), None)

    def file(self, path: str) -> StoredFile | None:
        return next((file for file in self.files if file.path == path), None)


def checksum_of(files: tuple[StoredFile, ...] | list[StoredFile]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path):
        digest.update(f"{file.path}\x00{file.size}\x00{file.sha256}\n".encode())
    return digest.hexdigest()


def snapshot(root: Path, folder: str, limits: Limits = Limits()) -> Snapshot:  # noqa: B008 - frozen
    """Every file read once. Raises StoreError: a link, a device, a name that is no text, too many, too large."""
    with opened_folder(root, folder) as descriptor:
        files: list[StoredFile] = []
        for path in _paths(descriptor, limits):
            if len(files) >= limits.files:
                raise StoreError(f"The folder holds more than {limits.files:,} files.", code="too_many_files")
            with opened_file(descriptor, path) as file:
                files.append(StoredFile(path, *_digest(file, path, limits)))
    return Snapshot(folder, tuple(sorted(files, key=lambda file: file.path)))


def _paths(folder: int, limits: Limits) -> Iterator[str]:
    for place, folders, files, descriptor in os.fwalk(".", dir_fd=folder, follow_symlinks=False, onerror=_unlistable):
        above = "" if place == "." else place.removeprefix("./") + "/"
        if above.count("/") > limits.depth:
            raise StoreError(f"Folders are more than {limits.depth} deep: {above[:80]}", code="too_deep")
        for name in (*folders, *files):
            _check(above + name, os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode)
        folders.sort()
        for name in sorted(files):
            if not name.startswith(OURS):
                yield above + name


def _unlistable(error: OSError) -> None:
    raise StoreError(f"{error.filename or 'A folder'} can't be listed: {error.strerror}.", code="unreadable")


def _check(path: str, mode: int) -> None:
    try:
        path.encode()
    except UnicodeEncodeError:
        raise StoreError(f"{path[:80]!r} has a name that is not UTF-8. Rename the file.", code="bad_path") from None
    check_path(path)
    if stat.S_ISLNK(mode):
        raise StoreError(f"{path} is a link. Links are not followed: put the file itself in its place.", code="link")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise StoreError(f"{path} is neither file nor folder. Remove it.", code="not_a_file")


def _digest(file: BinaryIO, path: str, limits: Limits) -> tuple[int, str]:
    most = limit_of(path, limits)
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(CHUNK):
        size += len(chunk)
        if size > most:
            raise StoreError(
                f"{path} has more than {most / (1 << 20):,.0f} MB, which is the limit for it. Split the project, or "
                "take out what is not needed.",
                code="too_large",
            )
        digest.update(chunk)
    return size, digest.hexdigest()


def limit_of(path: str, limits: Limits) -> int:
    """Bytes that this file may have."""
    if path == PROJECT:
        return limits.project_bytes
    return limits.positions_bytes if path in POSITIONS else limits.file_bytes
