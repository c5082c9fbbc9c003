"""flock, with the few moves that the host and its clients need."""

import fcntl
import os
from pathlib import Path

from config.embedded.errors import ServicesError


def give_to_owner(path: Path) -> None:
    """As root: hand a file we made to whoever owns its directory, who may come without root tomorrow."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def open_lock(path: Path) -> int:
    """A descriptor to lock, not inherited by programs started later. Raises ServicesError if not writable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_to_owner(path)
    except PermissionError as error:
        raise ServicesError(
            f"{path} is not writable for this user. Run as the owner of {path.parent}, "
            "or set PLUMBLINE_VAR to a folder of your own."
        ) from error
    return descriptor


def share(descriptor: int) -> None:
    """Wait for a shared lock. The host holds the exclusive one for microseconds, or for the seconds of its farewell."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def try_exclusive(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def release(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_held(path: Path) -> bool:
    """Whether a living process holds the exclusive lock. Looking takes a shared lock for an instant: who wants the
    exclusive one must therefore try more than once."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
