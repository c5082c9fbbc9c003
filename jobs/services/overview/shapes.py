"""The shapes of what operators see. Times are aware datetimes, durations seconds, sizes bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True)
class Part(Generic[T]):
    """One part of the overview: its value, or in words why there is none."""

    value: T | None
    error: str = ""

    @property
    def is_known(self) -> bool:
        return self.value is not None


@dataclass(frozen=True)
class QueueState:
    """`depth`: due and waiting to be claimed. `oldest_s`: how long the first of them has been due. `later`: scheduled
    for later. `rate_per_min`: ended lately. `empty_in_s`: depth at that rate; None while nothing ends."""

    name: str
    depth: int = 0
    oldest_s: float = 0.0
    later: int = 0
    running: int = 0
    retrying: int = 0
    rate_per_min: float = 0.0
    empty_in_s: float | None = None


@dataclass(frozen=True)
class Work:
    """The state of the table of jobs. `overdue_leases`: running, but not heard of since their lease ran out."""

    queues: list[QueueState]
    running: int
    retrying: int
    waiting: int
    overdue_leases: int
    open_batches: int


@dataclass(frozen=True)
class ProcessState:
    kind: str
    host: str
    pid: int
    queues: list[str]
    release: str
    started_at: datetime
    seen_at: datetime
    is_alive: bool
    is_stopping: bool
    jobs_run: int
    busy_with: list[str]


@dataclass(frozen=True)
class RunningJob:
    """`percent` is None while nobody knows how much there is to do."""

    id: UUID
    title: str
    about: str
    queue: str
    percent: int | None
    step: str
    attempt: int
    started_at: datetime | None
    eta_s: float | None
    is_overdue: bool
    is_cancelling: bool
    is_batch: bool


@dataclass(frozen=True)
class FailureGroup:
    """Failed jobs of one kind with one code. `message`: of the latest of them, for people."""

    kind: str
    title: str
    code: str
    count: int
    last_at: datetime
    last_id: UUID
    message: str


@dataclass(frozen=True)
class Failures:
    """`groups` are made of the latest `grouped` failures of the day; the counts are exact."""

    last_hour: int
    hour_before: int
    last_day: int
    grouped: int
    groups: list[FailureGroup] = field(default_factory=list)


@dataclass(frozen=True)
class Minute:
    at: datetime
    completed: int
    failed: int


@dataclass(frozen=True)
class TaskState:
    name: str
    description: str
    cron: str
    is_paused: bool
    next_due_at: datetime | None
    last_at: datetime | None
    last_status: str
    last_job_id: UUID | None


@dataclass(frozen=True)
class WebhookTrouble:
    """An endpoint that is failing or was disabled. The address is left out: it may hold a secret."""

    id: UUID
    host: str
    organisation: str
    disabled_at: datetime | None
    reason: str
    failing_since: datetime | None
    failures_in_a_row: int


@dataclass(frozen=True)
class Webhooks:
    pending: int
    given_up_last_day: int
    troubled: list[WebhookTrouble]


@dataclass(frozen=True)
class DatabaseState:
    """`longest_s`: age of the oldest open transaction, without this one."""

    size_bytes: int
    connections: int
    max_connections: int
    longest_s: float
    migrations_missing: int


@dataclass(frozen=True)
class RedisState:
    """One server. `roles`: what we use it for. `max_bytes` 0: no limit of its own."""

    roles: list[str]
    version: str
    used_bytes: int
    max_bytes: int
    policy: str
    clients: int
    keys: int
    ping_ms: float


@dataclass(frozen=True)
class DiskState:
    """The file system that uploads (and embedded services) are on, as this host sees it."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class EventsState:
    """Of this web process alone. `lag_s`: from publishing to here, of an event in the last minute; None: there was
    none, or nobody is listening here."""

    sockets: int
    lag_s: float | None
