"""Where the measurements take place: a database, a Redis database and files of their own, thrown away afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASE = "plumbline_bench"
REDIS_DATABASE = {True: 1020, False: 15}  # embedded: above those of the tests; else the last one by default


@contextlib.contextmanager
def prepared() -> Iterator[Path]:
    """Attach, make a fresh database, point the environment at it, set Django up. Yields a folder for files."""
    from config.embedded.client import NAMES_VARIABLE, attach
    from config.embedded.layout import default_root

    attach(default_root() / "bench")  # servers of their own: neither the site's load nor its locks are measured
    embedded = os.environ.get(NAMES_VARIABLE, "").split(",")
    server = os.environ["DATABASE_URL"]
    folder = Path(tempfile.mkdtemp(prefix="plumbline-bench-"))
    os.environ.update(
        DATABASE_URL=_with_path(server, DATABASE),
        REDIS_URL=_redis(os.environ["REDIS_URL"], REDIS_DATABASE["redis" in embedded]),
        REDIS_KEY_PREFIX="bench",
        MEDIA_ROOT=str(folder / "media"),
        DJANGO_SETTINGS_MODULE="config.settings.development",
        DEBUG="0",
        LOG_LEVEL="ERROR",
        THROTTLES_ENABLED="0",  # one client asks as fast as it can; what throttles cost has a benchmark of its own
    )
    recreate(server)
    try:
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _close()
        recreate(server, again=False)


def _close() -> None:
    from django.db import connections

    connections.close_all()


def recreate(server: str, *, again: bool = True) -> None:
    """Drop the benchmarks' own database, and make it anew."""
    import psycopg
    import redis

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        if again:
            connection.execute(f"CREATE DATABASE {DATABASE}")
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()


def _with_path(url: str, name: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{quote(name)}" + (f"?{parts.query}" if parts.query else "")


def _redis(url: str, number: int) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.netloc}{parts.path}?{urlencode({'db': number})}"
    return f"{parts.scheme}://{parts.netloc}/{number}"


def step(name: str, *arguments: str, module: str = "benchmarks.steps") -> dict[str, Any]:
    """One measured step in a process of its own, whose peak memory is that of the step."""
    done = subprocess.run(
        [sys.executable, "-m", module, name, *arguments],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def running(*command: str, port: int) -> Iterator[None]:
    """A server of our own on loopback, once it answers; ended when the block is left."""
    process = subprocess.Popen([sys.executable, *command], cwd=BASE_DIR)
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[1]} did not start")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def web(*more: str) -> Iterator[int]:
    """The site on one uvicorn process, as in production; its port. `more`: options of uvicorn."""
    port = free_port()
    options = ("--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--timeout-graceful-shutdown", "2")
    options += ("--ws-per-message-deflate", "false")
    with running("-m", "uvicorn", "config.asgi:application", *options, *more, port=port):
        yield port
