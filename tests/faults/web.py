"""The site as one uvicorn process on the tests' database, which may be ended in any way and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import Any

from websockets.asyncio.client import connect

from accounts.models import User
from accounts.services.tokens import tokens_for
from config.embedded.layout import BASE_DIR
from tests.jobs.processes import wait_until

OPTIONS = ("--log-level", "error", "--no-access-log", "--timeout-graceful-shutdown", "5")


class Web:
    """It keeps its port over restarts. `environment` on top of the tests' own."""

    def __init__(self, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {"WEB_THREADS": "2"} | environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(self.port), *OPTIONS],
            cwd=BASE_DIR,
            env=os.environ | self._environment,
        )
        # Generous: hundreds of sockets come back at the same moment, and each is let in.
        wait_until(self._answers, "the server answers", within_s=180)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Until it is gone; SIGKILL after half a minute, whatever was asked for."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def socket_address(self, user: User) -> str:
        """With a token: what a program connects to."""
        return f"ws://127.0.0.1:{self.port}/ws/?token={tokens_for(user=user).access}"

    def connect(self, user: User, **options: Any) -> Any:
        return connect(self.socket_address(user), **options)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
