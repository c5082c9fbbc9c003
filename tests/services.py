"""Real PostgreSQL and Redis for the tests: a pytest plugin, loaded with `-p` because settings load before any conftest.

Without DATABASE_URL and REDIS_URL a throw-away pair under var/test serves. Each pytest run claims a *slot*, each worker
of the run (pytest-xdist) gets a database, a Redis database and a key prefix of its own: several runs go side by side.
With real servers configured, only databases named plumbline_test_… are made there and only an unused Redis database is
taken. The environment is set so that settings, and every process that a test starts, meet the test database:

    DATABASE_URL           the worker's database, cloned by `django_db_setup` from a migrated template
    REDIS_URL              the worker's Redis database, emptied when the session starts
    CHANNEL_PREFIX, REDIS_KEY_PREFIX   t<slot><worker>, for pub/sub, which knows no databases
    TEST_SERVER_URL, TEST_REDIS_URL, TEST_SLOT   what workers derive theirs from
"""

import fcntl
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent
if str(BASE_DIR) not in sys.path:
    sys.path.insert(0, str(BASE_DIR))

from config.embedded.client import NAMES_VARIABLE, attach  # noqa: E402
from config.embedded.errors import ServicesError  # noqa: E402
from config.embedded.layout import default_root  # noqa: E402

if TYPE_CHECKING:
    import psycopg
    import redis

WORKERS_PER_SLOT = 16
SLOTS = 63  # × 16 workers + 1 stays within the embedded server's 1,024 databases
TEMPLATE_LOCK = 0x706C756D  # advisory lock: one run builds the template, the others wait
MARK = "plumbline:tests"  # tells a Redis database that we may empty from somebody's data

_held: list[int] = []


def worker() -> str:
    """`main` in a plain run, `gw0`, `gw1`, … below pytest-xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def database_name() -> str:
    return f"{_checkout()}_{os.environ['TEST_SLOT']}_{worker()}"


def with_database(url: str, name: str) -> str:
    return _joined(urlsplit(url)._replace(path="/" + quote(name)))


def _joined(url: SplitResult) -> str:
    """`urlunsplit` would drop the slashes of unix:// and of a URL without a host."""
    return f"{url.scheme}://{url.netloc}{url.path}" + (f"?{url.query}" if url.query else "")


def _checkout() -> str:
    """plumbline_test_<six digits for this folder on this machine>: two checkouts may share a server."""
    return "plumbline_test_" + hashlib.sha256(f"{platform.node()}:{BASE_DIR}".encode()).hexdigest()[:6]


def claim_slot() -> int:
    """The lowest free slot; it is ours until this process ends."""
    folder = default_root() / "test" / "slots"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(SLOTS):
        descriptor = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        _held.append(descriptor)
        return number
    raise pytest.UsageError(f"All {SLOTS} test slots in {folder} are taken.")


def redis_number() -> int:
    position = 0 if worker() == "main" else int(worker().removeprefix("gw"))
    if position >= WORKERS_PER_SLOT:
        raise pytest.UsageError(f"At most {WORKERS_PER_SLOT} workers: pytest -n {WORKERS_PER_SLOT}.")
    return int(os.environ["TEST_SLOT"]) * WORKERS_PER_SLOT + position + 1


def redis_url() -> str:
    """The worker's own database: counted up on the embedded server, down from the highest on a real one."""
    url = urlsplit(os.environ["TEST_REDIS_URL"])
    if "redis" in os.environ.get(NAMES_VARIABLE, "").split(","):
        return _joined(url._replace(query=f"db={redis_number()}"))
    import redis

    with redis.Redis.from_url(os.environ["TEST_REDIS_URL"]) as server:
        databases = int(server.config_get("databases")["databases"])
    number = databases - redis_number()
    if number < 1:
        raise pytest.UsageError(
            f"The Redis server has {databases} databases, too few: use fewer workers, or wait for the other run."
        )
    if url.scheme == "unix":
        return _joined(url._replace(query=urlencode(dict(parse_qsl(url.query)) | {"db": str(number)})))
    return _joined(url._replace(path=f"/{number}"))


def take_configured_urls() -> None:
    """One URL each, from the variables alone: whatever else could lead settings to somebody's data is taken away."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        file = os.environ.pop(f"{name}_FILE", None)
        if file:
            os.environ[name] = Path(file).read_text().strip()
    for name in ("DATABASE_REPLICA_URL", "REDIS_CACHE_URL", "REDIS_QUEUE_URL", "REDIS_EVENTS_URL"):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)


def prepare_environment() -> None:
    if worker() == "main":  # the run's first process; workers inherit what it sets
        take_configured_urls()
        try:
            attach(default_root() / "test", testing=True)
        except ServicesError as error:
            raise pytest.UsageError(str(error)) from error
        os.environ["TEST_SLOT"] = str(claim_slot())
        os.environ["TEST_SERVER_URL"] = os.environ["DATABASE_URL"]
        os.environ["TEST_REDIS_URL"] = os.environ["REDIS_URL"]
    else:
        attach()
    os.environ["DATABASE_URL"] = with_database(os.environ["TEST_SERVER_URL"], database_name())
    os.environ["REDIS_URL"] = redis_url()
    os.environ["CHANNEL_PREFIX"] = os.environ["REDIS_KEY_PREFIX"] = f"t{os.environ['TEST_SLOT']}{worker()}"


def template_name() -> str:
    """Named by what a migrated database depends on: migrations, settings, installed distributions."""
    told = hashlib.sha256()
    told.update(repr(sorted(f"{d.name}={d.version}" for d in importlib.metadata.distributions())).encode())
    for path in [*sorted(BASE_DIR.glob("*/migrations/*.py")), *sorted(BASE_DIR.glob("config/settings/*.py"))]:
        told.update(path.relative_to(BASE_DIR).as_posix().encode() + path.read_bytes())
    return f"{_checkout()}_tpl_{told.hexdigest()[:12]}"


def clone_database() -> None:
    """Make this worker's database anew from the template (0.1 s; migrating takes 5 to 10)."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(os.environ["TEST_SERVER_URL"], autocommit=True) as server:
        template = ensure_template(server)
        name = sql.Identifier(database_name())
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        clone = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        server.execute(clone.format(name, sql.Identifier(template)))


@contextmanager
def spare_clone() -> Iterator[str]:
    """The URL of another clone of the template, dropped at the end."""
    import psycopg
    from psycopg import sql

    name = f"{database_name()}_spare"
    with psycopg.connect(os.environ["TEST_SERVER_URL"], autocommit=True) as server:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        template = ensure_template(server)
        server.execute(drop)
        clone = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        server.execute(clone.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield with_database(os.environ["TEST_SERVER_URL"], name)
        finally:
            server.execute(drop)


def ensure_template(server: "psycopg.Connection[tuple[object, ...]]") -> str:
    """The template's name, once it is there. Built under an advisory lock; older templates are dropped."""
    from psycopg import sql

    name = template_name()
    server.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
    try:
        rows = server.execute(
            "SELECT datname, datistemplate FROM pg_database WHERE datname LIKE %s", [f"{_checkout()}_tpl_%"]
        ).fetchall()
        if (name, True) in rows:
            return name
        for old, _ in rows:
            identifier = sql.Identifier(str(old))
            server.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(identifier))
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        _migrate(with_database(os.environ["TEST_SERVER_URL"], name))
        server.execute(
            sql.SQL("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false").format(sql.Identifier(name))
        )
    finally:
        server.execute("SELECT pg_advisory_unlock(%s)", [TEMPLATE_LOCK])
    return name


def _migrate(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=BASE_DIR,
        env=os.environ | {"DATABASE_URL": url},  # pytest-django has put the settings module there
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.exit(f"migrate failed for the test template:\n{done.stdout}{done.stderr}", returncode=3)


def empty_redis() -> None:
    """Flush this worker's Redis database. On a real server only one that is empty or carries our mark."""
    import redis

    with redis.Redis.from_url(os.environ["REDIS_URL"]) as server:
        _refuse_foreign_keys(server)
        server.flushdb()
        server.set(MARK, worker())


def leave_redis() -> None:
    """Tests may have flushed the mark away: without it the next run would take our keys for somebody's data."""
    import redis

    with redis.Redis.from_url(os.environ["REDIS_URL"]) as server:
        server.flushdb()


def _refuse_foreign_keys(server: "redis.Redis") -> None:
    embedded = "redis" in os.environ.get(NAMES_VARIABLE, "").split(",")
    if not embedded and server.dbsize() and not server.exists(MARK):
        pytest.exit(
            f"The Redis database at {os.environ['REDIS_URL']} has keys that no test made: empty it.", returncode=3
        )


prepare_environment()
