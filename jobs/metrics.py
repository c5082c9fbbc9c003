"""What this process counts of sockets and events, for Prometheus; /metrics shows it. Jobs themselves are not counted
here: their numbers come from the table, which knows of every worker on every host and forgets nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Gauge

log = structlog.get_logger(__name__)
SOCKETS = Gauge("plumbline_sockets", "Open sockets of signed-in people.", multiprocess_mode="livesum")
JOINS = Counter("plumbline_socket_joins", "Channels joined or refused.", ["result"])
CLOSES = Counter("plumbline_socket_closes", "Sockets that the server closed, by close code.", ["code"])
HUB_GAPS = Counter("plumbline_hub_gaps", "Times a web process lost its subscription to events.")
LAG = Gauge(
    "plumbline_event_lag_seconds",
    "From publishing to the web process, of an event a second at most. Off by as much as the hosts' clocks are.",
    multiprocess_mode="livemax",
)

LAG_EVERY_S = 1.0
LAG_TOLD_FOR_S = 60.0
_TIMESTAMP = '"timestamp":"'
_sockets = 0
_lag: tuple[float, float] = (float("-inf"), 0.0)  # when it was measured (monotonic), seconds


def socket_opened() -> None:
    """Called in the event loop only, like `socket_gone`: no lock."""
    global _sockets  # noqa: PLW0603
    _sockets += 1
    SOCKETS.inc()


def socket_gone() -> None:
    global _sockets  # noqa: PLW0603
    _sockets -= 1
    SOCKETS.dec()


def open_sockets() -> int:
    """Of this process."""
    return _sockets


def event_arrived(frame: str) -> None:
    """Measure, once a second, how long ago this frame was published. Costs a comparison else."""
    global _lag  # noqa: PLW0603
    now = time.monotonic()
    if now - _lag[0] < LAG_EVERY_S:
        return
    start = frame.find(_TIMESTAMP) + len(_TIMESTAMP)
    try:
        published = datetime.fromisoformat(frame[start : frame.index('"', start)])
    except ValueError:
        log.debug("frame_without_timestamp", frame=frame[:200])
        return
    lag_s = max(0.0, (datetime.now(UTC) - published).total_seconds())
    _lag = (now, lag_s)
    LAG.set(lag_s)


def event_lag_s() -> float | None:
    """The latest measurement, if it is not older than a minute."""
    measured_at, lag_s = _lag
    return lag_s if time.monotonic() - measured_at < LAG_TOLD_FOR_S else None
