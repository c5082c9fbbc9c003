"""Clients as processes of their own, on roots of their own: what is tested here must not touch the services under test
runs. And a cache namespace of the tests' own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from config.cache import policy, reading
from config.embedded.layout import BASE_DIR
from config.redis_access import ask, key
from tests.platform.caching import NAME

OWN_VARIABLES = ("PLUMBLINE_", "DATABASE_URL", "REDIS_URL", "TEST_", "PYTEST_")
PATIENCE_S = 120.0  # machines that run tests are loaded; only a failure waits this long


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Patience, not timing: fails only when it never happens."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether it runs; one that has ended and only waits to be reaped does not."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.startswith("Z")


def clean_environment(**more: str) -> dict[str, str]:
    """Ours, as it was before the test plugin attached anything."""
    return {key: value for key, value in os.environ.items() if not key.startswith(OWN_VARIABLES)} | more


class Services:
    """The services of one root, seen from outside."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.is_lasting = False
        self.clients: list[subprocess.Popen[str]] = []

    def start_client(self, python: str = sys.executable, *, user: int | None = None, **environment: str) -> "Client":
        process = subprocess.Popen(
            [python, "-m", "tests.platform.services_client", str(self.root), *(["lasting"] if self.is_lasting else [])],
            cwd=BASE_DIR,
            env=clean_environment(**environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        self.clients.append(process)
        return Client(process)

    @property
    def published(self) -> dict:
        return json.loads((self.root / "services.json").read_text())

    def pid(self, name: str) -> int:
        return self.published["host"] if name == "host" else self.published["services"][name]["pid"]

    def pids(self) -> list[int]:
        return [self.pid(name) for name in ("host", *self.published["services"])]

    def close(self) -> None:
        for client in self.clients:
            client.kill()
            client.communicate()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            host = self.pid("host")
            os.kill(host, signal.SIGTERM)
            wait_until(lambda: not is_alive(host), "the host ends when asked to")


class Client:
    """One attached process. `answer` is its line of JSON."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    @property
    def answer(self) -> dict:
        if not hasattr(self, "_answer"):
            self._answer = json.loads(self.process.stdout.readline())
        return self._answer

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def services() -> Iterator[Services]:
    """A root that every account can reach, which pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="plumbline-test-"))
    folder.chmod(0o711)
    found = Services(folder / "var")
    yield found
    found.close()
    shutil.rmtree(folder)


@pytest.fixture
def cache_namespace(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Iterator[None]:
    """A namespace of the tests' own, empty."""
    own = policy.Namespace(NAME, ttl_s=3600, purpose="tests", invalidated_by="tests")
    monkeypatch.setitem(policy.NAMESPACES, NAME, own)
    url = settings.REDIS_CACHE_URL
    _empty_caches()
    yield
    settings.REDIS_CACHE_URL = url
    reading._lost.clear()
    _empty_caches()


def _empty_caches() -> None:
    def drop(client: Any) -> None:
        for name in client.scan_iter(key("cache*")):
            client.delete(name)

    ask(drop)
