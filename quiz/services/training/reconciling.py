"""Calls whose report never came: voice services do not send a report again, so we ask them what calls there were.

    GET {api_url}/call?updatedAtGe=…&updatedAtLt=…&limit=100

An answer that is full, or too large, may have left calls out, in whatever order it lists them; then each half of the
time is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import orjson
import structlog
from django.db.models import OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.exceptions import Refused, Temporary
from jobs import outbound
from jobs.models import Job
from jobs.services import enqueue

from ...calls.turns import Unreadable
from ...models import TrainingSession, VoiceConnection
from ...training_exceptions import CallsNotListed, ConnectionMissing
from .connecting import visible_connection
from .connecting_proof import kept_call_id
from .intake_voice import call_in, take_call

if TYPE_CHECKING:
    from accounts.models import User

RECONCILE = "quiz.reconcile_calls"
SUBJECT = "voice_connection"
LIMIT = 100
MOST_BYTES = 64 * 1024 * 1024  # of one answer; a hundred long calls with all their words have a tenth
TIMEOUT_S = 60.0
OVERLAP = timedelta(minutes=10)  # clocks differ, and calls are listed some moments after they ended
FURTHEST = timedelta(days=14)
SHORTEST = timedelta(seconds=1)
LONGEST_WAIT_S = 3600.0
Report = Callable[[int, int, str], None]
log = structlog.get_logger(__name__)


def start_due() -> list[UUID]:
    """A job for each connection that can be asked."""
    rows = VoiceConnection.objects.filter(is_active=True).exclude(api_url="").exclude(api_key="")
    return [_queued(connection, actor=None).pk for connection in rows.order_by("pk")]


def start_reconciling(*, connection_id: UUID, actor: User) -> Job:
    """Now, because an owner asks. Raises ConnectionMissing, CallsNotListed."""
    connection = visible_connection(connection_id=connection_id, user=actor)
    if not (connection.api_url and connection.api_key):
        raise CallsNotListed("Enter the address and the key of the service's API first.")
    return _queued(connection, actor=actor)


def with_trouble(rows: QuerySet[VoiceConnection]) -> QuerySet[VoiceConnection]:
    """Each with `trouble`: why its calls could not be listed the last time; "" if they could. No query more."""
    asked = Job.objects.filter(kind=RECONCILE, subject_type=SUBJECT, subject_id=OuterRef("pk")).ended()
    last = asked.annotate(said=KT("error__message")).order_by("-created_at").values("said")[:1]
    return rows.annotate(trouble=Coalesce(Subquery(last), Value(""), output_field=TextField()))


def _queued(connection: VoiceConnection, *, actor: User | None) -> Job:
    return enqueue(
        kind=RECONCILE,
        params={"connection_id": str(connection.pk)},
        actor=actor,
        subject=(SUBJECT, connection.pk),
        dedupe_key=f"{RECONCILE}:{connection.pk}",
    )


def reconcile(*, connection_id: UUID, report: Report) -> dict[str, int]:
    """Take in what has ended since the last time and is not known: {"listed", "taken", "unreadable"}.

    Cut short, it begins at the same time again; what was taken in is known then. Raises ConnectionMissing,
    CallsNotListed (the key or the address is not right), AddressForbidden; Temporary for what may work later.
    """
    connection = VoiceConnection.objects.filter(pk=connection_id, is_active=True).exclude(api_url="").first()
    if connection is None:
        raise ConnectionMissing("There is no such connection, or it is switched off.")
    until = timezone.now()
    since = max((connection.reconciled_until or connection.created_at) - OVERLAP, until - FURTHEST)
    counts = {"listed": 0, "taken": 0, "unreadable": 0}
    seen: set[str] = set()
    for told in _calls(connection, since, until):
        call_id = told.get("id")
        if not isinstance(call_id, str) or not call_id or call_id in seen:
            continue
        seen.add(call_id)
        counts["listed"] += 1
        _take(connection, told, counts)
        report(counts["listed"], 0, f"{counts['listed']} calls listed, {counts['taken']} taken in")
    still = VoiceConnection.objects.filter(pk=connection.pk, api_url=connection.api_url)
    still.update(reconciled_until=until)
    log.info("calls_reconciled", connection=str(connection.pk), **counts)
    return counts


def _take(connection: VoiceConnection, told: dict[str, Any], counts: dict[str, int]) -> None:
    """One that has ended, and that no report told of."""
    known = TrainingSession.objects.filter(connection=connection, call_id=kept_call_id(told["id"]))
    if told.get("status", "ended") != "ended" or known.exists():
        return
    try:
        call = call_in(told, told_at=_when(told))
    except (Unreadable, Refused):
        counts["unreadable"] += 1
        return
    take_call(connection=connection, call=call)
    counts["taken"] += 1


def _when(told: dict[str, Any]) -> datetime:
    """When the service has last changed it; a report that comes yet is later."""
    try:
        found = datetime.fromisoformat(str(told.get("updatedAt")))
    except ValueError:
        return timezone.now()
    return min(found if found.tzinfo else found.replace(tzinfo=UTC), timezone.now())


def _calls(connection: VoiceConnection, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    listed = _asked(connection, since, until)
    is_whole = listed is not None and len(listed) < LIMIT
    if is_whole or until - since <= SHORTEST:
        if not is_whole:
            log.warning("calls_left_out", connection=str(connection.pk), since=since.isoformat())
        yield from (each for each in listed or [] if isinstance(each, dict))
        return
    middle = since + (until - since) / 2
    yield from _calls(connection, since, middle)
    yield from _calls(connection, middle, until)


def _asked(connection: VoiceConnection, since: datetime, until: datetime) -> list[Any] | None:
    """None: more than can be held at once."""
    query = f"updatedAtGe={_moment(since)}&updatedAtLt={_moment(until)}&limit={LIMIT}"
    try:
        answer = outbound.fetch(
            url=f"{connection.api_url.rstrip('/')}/call?{query}",
            limit_bytes=MOST_BYTES,
            headers={"Authorization": f"Bearer {connection.api_key}", "Accept": "application/json"},
            timeout_s=TIMEOUT_S,
            redirects=0,
        )
    except outbound.AnswerTooLarge:
        return None
    _check_status(answer)
    try:
        listed = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise CallsNotListed("The service's API answered no JSON. Look at the connection's address.") from None
    found = listed.get("results") if isinstance(listed, dict) else listed
    if not isinstance(found, list):
        raise CallsNotListed("The service's API answered no list of calls. Look at the connection's address.")
    return found


def _check_status(answer: outbound.Answer) -> None:
    status = answer.status
    if status == HTTPStatus.OK:
        return
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT) or status >= 500:
        wait_s = _wait_stated(answer.headers.get("retry-after", ""))
        raise Temporary(f"The service's API answered {status}. It will be asked again.", retry_after_s=wait_s)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise CallsNotListed("The service's API refuses the connection's key. Enter a new one.")
    raise CallsNotListed(f"The service's API answered {status}. Look at the connection's address.")


def _wait_stated(text: str) -> float | None:
    """Of a Retry-After, in seconds: it holds seconds, or a date. None: it says nothing."""
    if text.strip().isdigit():
        return min(float(text), LONGEST_WAIT_S)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - timezone.now()).total_seconds()), LONGEST_WAIT_S)


def _moment(moment: datetime) -> str:
    return quote(moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"), safe="")
