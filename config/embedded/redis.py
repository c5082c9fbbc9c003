"""The embedded Valkey, which speaks Redis' protocol: append-only file, unix socket, no TCP port."""

import contextlib
import signal
import socket
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from config.embedded import account, binaries
from config.embedded.layout import Layout
from config.embedded.server import Server

SOCKET_NAME = "redis.sock"
DATABASES = 1024  # one for each worker of each test run


class Redis(Server):
    name: ClassVar[str] = "redis"
    programs: ClassVar[tuple[str, ...]] = ("valkey-server", "redis-server")
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, account.for_root_of(layout.root))

    @property
    def home(self) -> Path:
        return self.layout.redis

    @property
    def pid_file(self) -> Path:
        return self.home / "redis.pid"

    @property
    def socket(self) -> Path:
        return self.layout.socket_dir(self.name, self.home, SOCKET_NAME) / SOCKET_NAME

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"

    def prepare(self) -> None:
        for path in (self.home, self.socket.parent):
            self.account.make_dir(path)
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.home),
            "pidfile": str(self.pid_file),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "no" if self.layout.is_testing else "everysec",
            "auto-aof-rewrite-min-size": "512mb",  # from 64 MB on, busy streams had it rewritten every few seconds
            "save": "",
            "maxmemory-policy": "noeviction",  # queues and streams live here: refusing a write beats losing one
            "databases": str(DATABASES),
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [str(binaries.find_redis()), *options]

    def is_ready(self) -> bool:
        """PONG, and not an error that says it is still loading its file."""
        with contextlib.suppress(OSError), contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(1)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False
