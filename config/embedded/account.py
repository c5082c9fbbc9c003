"""Which operating-system account runs the servers, and what it can reach.

PostgreSQL refuses to run as root. No account is created and nobody's folder is opened up: an existing account is taken,
and what it cannot reach is put where it can.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import ServicesError

# Debian's own account for the job, else the account that owns nothing.
UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """`uid` and `gid` are None for the account that we run as already: nothing is changed then."""

    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        """Supplementary groups for a child: none at all once the account is changed."""
        return None if self.uid is None else []

    def can(self, test: str, path: Path) -> bool:
        """`test -x path` and the like, asked as this account: only the kernel knows all of the rules."""
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", 'test "$1" "$2"', "sh", test, str(path)],
                cwd="/",
                check=False,
                user=self.uid,
                group=self.gid,
                extra_groups=self.groups,
            )
        except OSError:
            return False
        return done.returncode == 0

    def make_dir(self, path: Path) -> None:
        """A directory of this account's own, closed to all others. Refuses one that somebody else put there."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        mine = os.geteuid() if self.uid is None else self.uid
        if path.is_symlink() or found.st_uid not in (mine, os.geteuid()):
            raise ServicesError(f"{path} belongs to another user: remove it, or set PLUMBLINE_VAR to another folder.")
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        path.chmod(0o700)


def for_root_of(root: Path) -> Account:
    """The account for servers whose files are in `root`: ourselves, or its owner when we are root."""
    owner = root.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    return Account()


def unprivileged_for(root: Path) -> Account:
    """Like `for_root_of`, but never root itself."""
    account = for_root_of(root)
    if os.geteuid() != 0 or account.uid is not None:
        return account
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise ServicesError(
        "PostgreSQL does not run as root and this machine has neither of the accounts "
        f"{' and '.join(UNPRIVILEGED)}. Run as an ordinary user, or set DATABASE_URL."
    )
