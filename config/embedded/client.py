"""How any process gets at the services: `attach()` before settings load.

With a host already up this costs a few milliseconds; nothing heavy is imported on that path.
"""

import contextlib
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from config.embedded import locks
from config.embedded.errors import ServicesError
from config.embedded.layout import BASE_DIR, Layout, default_root

if TYPE_CHECKING:
    import subprocess

VARIABLES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
ROOT_VARIABLE = "PLUMBLINE_EMBEDDED_ROOT"
NAMES_VARIABLE = "PLUMBLINE_EMBEDDED"

START_TIMEOUT_S = 180.0  # crash recovery of a large database is the slow case
_POLL_S = 0.02

_held: dict[Path, int] = {}  # root -> descriptor of our shared lock, open for the life of this process
_hosts: list["subprocess.Popen[bytes]"] = []


class Service(TypedDict, total=False):
    """One entry of services.json: `url`, `socket` and `pid` of a ready service, or `error` and `at` (epoch seconds)."""

    url: str
    socket: str
    pid: int
    error: str
    at: float


class Services(TypedDict):
    """services.json: the host's process id and its services by name."""

    host: int
    services: dict[str, Service]


def attach(root: Path | None = None, *, testing: bool = False) -> None:
    """Put DATABASE_URL and REDIS_URL into `os.environ`, starting the services if nobody has.

    A URL that is already set is respected and its service is not embedded. Children inherit the URLs, and with
    PLUMBLINE_EMBEDDED the knowledge where they came from: a child that calls `attach()` holds the services for itself.
    `testing` makes a new root a throw-away one (no fsync). Idempotent. Raises ServicesError with what to do.
    """
    inherited = os.environ.get(ROOT_VARIABLE)
    if inherited:
        names = [name for name in os.environ.get(NAMES_VARIABLE, "").split(",") if name in VARIABLES]
        _hold(Layout(Path(inherited)), names)
        return
    names = [name for name, variable in VARIABLES.items() if not _is_configured(variable)]
    if not names:
        return
    layout = Layout(root or default_root())
    make_root(layout, testing=testing)
    services = _hold(layout, names)
    for name in names:
        os.environ[VARIABLES[name]] = services[name]["url"]
    os.environ[ROOT_VARIABLE] = str(layout.root)
    os.environ[NAMES_VARIABLE] = ",".join(names)


def _is_configured(variable: str) -> bool:
    """Settings take each variable also from the file that NAME_FILE names."""
    return bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE"))


def make_root(layout: Layout, *, testing: bool = False) -> None:
    """The root itself, with a mode that suits what it will hold."""
    if not layout.root.exists():
        try:
            layout.root.mkdir(parents=True, exist_ok=True)  # another client may be making it, too
        except OSError as error:
            raise ServicesError(f"{layout.root} cannot be created ({error.strerror}): set PLUMBLINE_VAR.") from error
        # As root, PostgreSQL runs as another account, which has to pass through; nobody else has business here.
        layout.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
        locks.give_to_owner(layout.root)
    if testing:
        layout.testing_mark.touch()


def _hold(layout: Layout, names: list[str]) -> dict[str, Service]:
    """Take our share of the services, then wait until all of `names` are ready."""
    if layout.root not in _held:
        descriptor = locks.open_lock(layout.clients_lock)
        locks.share(descriptor)
        _held[layout.root] = descriptor
    services = _ready(layout, names)
    return services if services is not None else _start(layout, names)


def _read(layout: Layout) -> dict[str, Service]:
    try:
        published: Services = json.loads(layout.services_file.read_bytes())
    except FileNotFoundError:
        return {}
    return published["services"]


def _ready(layout: Layout, names: list[str]) -> dict[str, Service] | None:
    """The services when a living host has published all of `names` and each answers on its socket."""
    services = _read(layout)
    if not all("url" in services.get(name, {}) and _listens(services[name]["socket"]) for name in names):
        return None
    return services if locks.is_held(layout.host_lock) else None


def _listens(path: str) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(2)
        return probe.connect_ex(path) == 0


def _start(layout: Layout, names: list[str]) -> dict[str, Service]:
    """Ask for the services, start a host if none lives, and wait. Two clients may do so at once: one host stays."""
    asked_at = time.time()
    _ask(layout, names)
    host: subprocess.Popen[bytes] | None = None
    while time.time() < asked_at + START_TIMEOUT_S:
        if (host is None or host.poll() is not None) and not locks.is_held(layout.host_lock):
            if host is not None and host.returncode:
                raise ServicesError(f"The services host did not start; {layout.host_log} ends:\n{_end_of_log(layout)}")
            _ask(layout, names)
            host = _spawn_host(layout)
        services = _ready(layout, names)
        if services is not None:
            return services
        for name, entry in _read(layout).items():
            if name in names and entry.get("at", 0.0) >= asked_at:
                raise ServicesError(entry["error"])
        time.sleep(_POLL_S)
    raise ServicesError(f"The services were not ready within {START_TIMEOUT_S:.0f} s; see {layout.logs}.")


def _ask(layout: Layout, names: list[str]) -> None:
    """Leave one file per service in `wanted/`; the host takes them away and answers in services.json."""
    layout.wanted.mkdir(exist_ok=True)
    locks.give_to_owner(layout.wanted)
    for name in names:
        wish = layout.wanted / name
        wish.touch()
        with contextlib.suppress(FileNotFoundError):  # already taken away
            locks.give_to_owner(wish)


def _spawn_host(layout: Layout) -> "subprocess.Popen[bytes]":
    import subprocess

    layout.logs.mkdir(exist_ok=True)
    locks.give_to_owner(layout.logs)
    with layout.host_log.open("ab") as log:
        locks.give_to_owner(layout.host_log)
        host = subprocess.Popen(
            [sys.executable, "-m", "config.embedded.host", "--root", str(layout.root)],
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in our terminal is not meant for it
        )
    _hosts.append(host)  # it outlives us on purpose: no warning about a forgotten child
    return host


def _end_of_log(layout: Layout) -> str:
    return layout.host_log.read_text(errors="replace")[-800:].strip()
