"""Where the embedded services keep their files. Paths only: nothing is created on import."""

import hashlib
import os
import tempfile
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# sun_path holds 108 bytes on Linux and 104 on macOS, its closing NUL included.
SOCKET_PATH_LIMIT = 103

POSTGRES_PORT = 5432
POSTGRES_SOCKET = f".s.PGSQL.{POSTGRES_PORT}"


def default_root() -> Path:
    """`PLUMBLINE_VAR`, or `var/` beside manage.py."""
    return Path(os.environ.get("PLUMBLINE_VAR") or BASE_DIR / "var")


class Layout:
    """The files below one root, by name. The root is absolute and free of links, so that every process agrees on it."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self.host_lock = self.root / "host.lock"
        self.clients_lock = self.root / "clients.lock"
        self.services_file = self.root / "services.json"
        self.wanted = self.root / "wanted"
        self.logs = self.root / "log"
        self.host_log = self.logs / "host.log"
        self.postgres = self.root / "postgres"
        self.redis = self.root / "redis"
        # A file and not an argument, so that whoever restarts the host of a throw-away root starts the same thing.
        self.testing_mark = self.root / "testing"

    @property
    def key(self) -> str:
        """Ten hex digits that name this root in directories shared with other roots."""
        return hashlib.sha256(os.fsencode(self.root)).hexdigest()[:10]

    @property
    def is_testing(self) -> bool:
        return self.testing_mark.exists()

    def server_lock(self, name: str) -> Path:
        """Held by the server itself, through an inherited descriptor, for as long as any of its processes lives."""
        return self.root / f"{name}.lock"

    def server_log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def socket_dir(self, service: str, preferred: Path, socket_name: str) -> Path:
        """`preferred`, or a short one under the temp folder where its path would not fit into a socket address."""
        if len(os.fsencode(preferred / socket_name)) <= SOCKET_PATH_LIMIT:
            return preferred
        short = Path(tempfile.gettempdir()) / f"plumbline-{self.key}-{service}"
        if len(os.fsencode(short / socket_name)) > SOCKET_PATH_LIMIT:
            short = Path("/tmp") / short.name  # noqa: S108 - the directory is made 0700 and its owner is checked
        return short
