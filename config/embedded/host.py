"""The services host: owns the servers of one root, restarts them, and leaves when nobody needs them any more.

    python -m config.embedded.host --root var

Clients ask by leaving a file `wanted/<service>`; the host answers in services.json (see `client.Services`). One thread
does everything: the kernel ties the servers' lives to the thread that started them.
"""

import argparse
import json
import logging
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from config.embedded import locks
from config.embedded.client import VARIABLES, Service
from config.embedded.errors import ServicesError
from config.embedded.layout import Layout
from config.embedded.postgres import Postgres
from config.embedded.redis import Redis
from config.embedded.server import LOG_LIMIT_BYTES, Server

POLL_S = 0.1
IDLE_POLL_S = 1.0
IDLE_POLLS = 3  # a row of short commands keeps its services between one and the next
LONGEST_BACK_OFF_S = 10.0

log = logging.getLogger("plumbline.services")


class Host:
    """Loop, books and farewell. States of a service: asked for → ready ⇄ exited (restarted after a back-off)."""

    def __init__(self, layout: Layout, clients: int) -> None:
        self.layout = layout
        self.clients = clients
        self.servers: dict[str, Server] = {}
        self.published: dict[str, Service] = {}
        self.failures: dict[str, int] = {}
        self.retry_at: dict[str, float] = {}
        self.idle_polls = 0
        self.next_idle_poll = 0.0
        self.stopping = False

    def run(self) -> None:
        while not self.stopping:
            if self.is_homeless() or self.is_abandoned():
                break
            self.answer_requests()
            self.revive()
            time.sleep(POLL_S)
        self.stop()

    def answer_requests(self) -> None:
        for name in VARIABLES:
            try:
                (self.layout.wanted / name).unlink()
            except FileNotFoundError:
                continue
            if name not in self.servers:
                self.begin(name)
            elif self.servers[name].has_exited():
                self.retry_at[name] = 0.0  # somebody waits: no back-off

    def begin(self, name: str) -> None:
        """The first start of a service. A failure is told and not repeated until somebody asks again."""
        try:
            server: Server = Postgres(self.layout) if name == "postgres" else Redis(self.layout)
            server.start()
        except ServicesError as error:
            self.tell_failure(name, error)
            return
        self.servers[name] = server
        self.tell_ready(name)

    def revive(self) -> None:
        for name, server in self.servers.items():
            if not server.has_exited() or time.monotonic() < self.retry_at.get(name, 0.0):
                continue
            if "url" in self.published.get(name, {}):
                log.warning("%s exited: starting it again", name)
                del self.published[name]
                self.publish()
            try:
                server.start()
            except ServicesError as error:
                self.failures[name] = self.failures.get(name, 0) + 1
                self.retry_at[name] = time.monotonic() + min(0.2 * 2 ** self.failures[name], LONGEST_BACK_OFF_S)
                self.tell_failure(name, error)
            else:
                self.failures[name] = 0
                self.tell_ready(name)

    def tell_ready(self, name: str) -> None:
        server = self.servers[name]
        process = server.process
        assert process is not None  # it has just been started
        log.info("%s is ready, process %d", name, process.pid)
        self.published[name] = {"url": server.url, "socket": str(server.socket), "pid": process.pid}
        self.publish()

    def tell_failure(self, name: str, error: ServicesError) -> None:
        log.error("%s", error)
        self.published[name] = {"error": str(error), "at": time.time()}
        self.publish()

    def publish(self) -> None:
        if not self.layout.root.exists():
            return
        draft = self.layout.services_file.with_suffix(".new")
        draft.write_text(json.dumps({"host": os.getpid(), "services": self.published}, indent=1))
        locks.give_to_owner(draft)
        draft.replace(self.layout.services_file)

    def is_abandoned(self) -> bool:
        """True when no client was there at several looks in a row.

        Then their lock stays ours until we are gone, so that a newcomer waits for the end and starts a fresh host.
        """
        if time.monotonic() < self.next_idle_poll:
            return False
        self.next_idle_poll = time.monotonic() + IDLE_POLL_S
        if not locks.try_exclusive(self.clients):
            self.idle_polls = 0
            return False
        self.idle_polls += 1
        if self.idle_polls >= IDLE_POLLS:
            return True
        locks.release(self.clients)
        return False

    def is_homeless(self) -> bool:
        """The folder was deleted under us: nobody can find these servers any more."""
        try:
            return self.layout.clients_lock.stat().st_ino != os.fstat(self.clients).st_ino
        except OSError:
            return True

    def stop(self) -> None:
        self.layout.services_file.unlink(missing_ok=True)
        for server in reversed(self.servers.values()):
            server.stop()
        log.info("stopped")


def _take_host_lock(layout: Layout) -> int | None:
    """None when another host is there. Several tries, because looking at the lock takes it for an instant."""
    descriptor = locks.open_lock(layout.host_lock)
    for _ in range(20):
        if locks.try_exclusive(descriptor):
            return descriptor
        time.sleep(0.02)
    os.close(descriptor)
    return None


def _trim_own_log(layout: Layout) -> None:
    """Our output is appended to it already: copy and cut, a rename would take the output along."""
    if layout.host_log.exists() and layout.host_log.stat().st_size > LOG_LIMIT_BYTES:
        shutil.copy(layout.host_log, layout.host_log.with_suffix(".log.1"))
        os.truncate(layout.host_log, 0)


def serve(root: Path) -> None:
    layout = Layout(root)
    if _take_host_lock(layout) is None:
        return
    layout.services_file.unlink(missing_ok=True)
    _trim_own_log(layout)
    host = Host(layout, locks.open_lock(layout.clients_lock))

    def leave(_number: int, _frame: FrameType | None) -> None:
        host.stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)
    host.run()


def main() -> int:
    parser = argparse.ArgumentParser(description="Own PostgreSQL and Redis for one project folder.")
    parser.add_argument("--root", type=Path, required=True, help="the folder with data, logs and locks")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    serve(parser.parse_args().root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
