"""Writing into a project's folder: each file whole or not at all, whenever the writer is killed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from projects.filestore.places import DIRECTORY, OURS, StoreError, check_id, check_path, opened_folder
from projects.filestore.snapshot import StoredFile


@contextmanager
def writable_folder(root: Path, folder: str) -> Iterator[int]:
    """The project's folder, made where there is none; what killed writers left in it is swept away.

    Raises StoreError("not_writable" | "no_folder")."""
    try:
        (root / check_id(folder, "folder's name", 255)).mkdir()
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"{folder!r} can't be made in {root}: {error.strerror}.", code="not_writable") from error
    with opened_folder(root, folder) as descriptor:
        _sweep(descriptor)
        yield descriptor


def _sweep(folder: int) -> None:
    for _, _, names, place in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
        for name in names:
            if name.startswith(OURS):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=place)


def write_file(folder: int, path: str, chunks: Iterable[bytes], *, sha256: str = "") -> StoredFile:
    """Written beside, synced, renamed into place. With `sha256`: refused unless that is what came.

    Raises StoreError("not_writable" | "damaged")."""
    *parents, name = check_path(path).split("/")
    try:
        with _parent(folder, parents) as place:
            beside = f"{OURS}{secrets.token_hex(6)}"
            try:
                written = StoredFile(path, *_write(place, beside, chunks))
                if sha256 and written.sha256 != sha256:
                    raise StoreError(f"{path}: what is stored is not what was taken in (other digest).", code="damaged")
                os.replace(beside, name, src_dir_fd=place, dst_dir_fd=place)
                os.fsync(place)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(beside, dir_fd=place)
                raise
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror}.", code="not_writable") from error
    return written


@contextmanager
def _parent(folder: int, parents: list[str]) -> Iterator[int]:
    opened = [os.dup(folder)]
    try:
        for name in parents:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=opened[-1])
            opened.append(os.open(name, DIRECTORY, dir_fd=opened[-1]))
        yield opened[-1]
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _write(place: int, name: str, chunks: Iterable[bytes]) -> tuple[int, str]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(name, flags, 0o644, dir_fd=place), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()
