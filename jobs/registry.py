"""What higher floors bring along at start: handlers of job kinds, and channels of the socket.

Both register when their app is ready (`AppConfig.ready` imports the module), so that this app need not know them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from .exceptions import UnknownKind

if TYPE_CHECKING:
    from accounts.models import User

    from .run import Run

JsonDict = dict[str, Any]
Handler = Callable[["Run", JsonDict], "JsonDict | None"]
FailureHook = Callable[[JsonDict, JsonDict], None]
AnyHandler = TypeVar("AnyHandler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Kind:
    """How jobs of one kind are run."""

    name: str
    handler: Handler
    queue: str
    isolated: bool
    max_retries: int
    backoff_s: tuple[float, float]
    timeout_s: float
    memory_mb: int | None
    subject_type: str
    title: str
    on_failed: FailureHook | None = None
    concurrency: int = 1

    def __post_init__(self) -> None:
        if self.isolated and self.concurrency > 1:
            raise ValueError(
                f"{self.name!r} can't be isolated and run many at a time: a process with threads can't fork."
            )


@dataclass(frozen=True)
class ChannelKind:
    """`can_join(user, id)` and `snapshot(user, id)` run in a thread with a database connection."""

    kind: str
    can_join: Callable[[User, str], bool]
    snapshot: Callable[[User, str], JsonDict]


SubjectUrl = Callable[[UUID], str]
CronAnswer = Callable[[dict[str, str]], JsonDict]

_kinds: dict[str, Kind] = {}
_channels: dict[str, ChannelKind] = {}
_subject_urls: dict[str, SubjectUrl] = {}
_cron_answers: dict[str, CronAnswer] = {}


def register(
    name: str,
    *,
    queue: str = "default",
    isolated: bool = False,
    max_retries: int = 3,
    backoff_s: tuple[float, float] = (4, 60),
    timeout_s: float = 3600,
    memory_mb: int | None = None,
    subject_type: str = "",
    title: str = "",
    on_failed: FailureHook | None = None,
    concurrency: int = 1,
) -> Callable[[AnyHandler], AnyHandler]:
    """Decorate `handler(run, params) -> dict | None`.

    isolated: runs in a forked child with its own memory limit (`memory_mb`, 2048 unless told): for whatever parses
    uploaded files. backoff_s: shortest and longest wait between attempts. timeout_s: of one attempt. title: for
    people; made from the name unless told. on_failed(params, error): called in the transaction that ends a job as
    failed or cancelled, whatever ended it, a crash included; so that what the job works on does not wait for ever.
    concurrency: up to so many of the kind at once in each worker process, in threads, beside other jobs: for whatever
    waits on the network. A name registered twice is a programming error (ValueError), and so is an isolated kind with
    concurrency.
    """

    def decorate(handler: AnyHandler) -> AnyHandler:
        known = _kinds.get(name)
        if known is not None and known.handler.__qualname__ != handler.__qualname__:
            raise ValueError(f"Job kind {name!r} is registered twice: {known.handler!r} and {handler!r}.")
        limit_mb = memory_mb or (2048 if isolated else None)
        words = title or name.rpartition(".")[2].replace("_", " ").capitalize()
        _kinds[name] = Kind(
            name, handler, queue, isolated, max_retries, backoff_s, timeout_s, limit_mb, subject_type, words, on_failed,
            concurrency,
        )  # fmt: skip
        return handler

    return decorate


def kind_of(name: str) -> Kind:
    """Raises UnknownKind: a row of a newer or older release, or a misspelling."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(f"This server knows no job of kind {name!r}. Was it updated completely?") from None


def kinds_with_places() -> dict[str, int]:
    """Kinds that run many at a time, and how many."""
    return {kind.name: kind.concurrency for kind in _kinds.values() if kind.concurrency > 1}


def isolated_kinds() -> list[str]:
    return [kind.name for kind in _kinds.values() if kind.isolated]


def kinds() -> list[Kind]:
    return sorted(_kinds.values(), key=lambda kind: kind.name)


def title_of(name: str) -> str:
    """For people; kinds that are gone still have rows."""
    if name == "jobs.batch":
        return "Batch"
    known = _kinds.get(name)
    return known.title if known else name.rpartition(".")[2].replace("_", " ").capitalize()


def register_channel(
    *, kind: str, can_join: Callable[[User, str], bool], snapshot: Callable[[User, str], JsonDict]
) -> None:
    """Make `kind:{id}` joinable. can_join decides on the raw id from the client (it may be no uuid at all); snapshot
    returns the present state as JSON, complete enough that a page which knows nothing can be drawn from it."""
    _channels[kind] = ChannelKind(kind, can_join, snapshot)


def register_subject(type: str, *, url: SubjectUrl) -> None:
    """Say where people find what jobs of this subject type work on: `url(subject_id)` is a page's address."""
    _subject_urls[type] = url


def subject_url(subject_type: str, subject_id: UUID | None) -> str:
    """ "" for subjects without a page."""
    url = _subject_urls.get(subject_type)
    return url(subject_id) if url and subject_id else ""


def register_cron(name: str) -> Callable[[CronAnswer], CronAnswer]:
    """Decorate `answer(query) -> dict`: what `POST /api/cron/<name>` does and says instead of starting a task of that
    name. It must be safe to call again."""

    def decorate(answer: CronAnswer) -> CronAnswer:
        _cron_answers[name] = answer
        return answer

    return decorate


def cron_answer(name: str) -> CronAnswer | None:
    return _cron_answers.get(name)


def channel_kind(kind: str) -> ChannelKind | None:
    return _channels.get(kind)
