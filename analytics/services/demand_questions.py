"""What is asked, for the page of questions: grouped, page by page; and which questions led to an entity lately."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from accounts.models import User
from accounts.querysets import organisation_ids_of
from jobs.connections import RedisError, breaker_of, events_redis, events_url

from ..exceptions import BadRequest
from ..models import AskedQuestion
from ..querysets import AskedQuerySet
from ..streams.batch import fold
from ..streams.entries import FIELD
from .demand import Row
from .signals import queries_stream

PAGE = 25
LATEST_SIGNALS = 1000  # looked through for questions that led to an entity
LED_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of questions, the most asked (or most often in vain) first. `after`: of the next page; "": there is
    none."""

    rows: list[Row]
    after: str


def questions(*, user: User, days: int, is_unanswered: bool, after: str = "") -> Asked:
    """[{query, asked, unanswered, last_asked_at}] of one's organisations, one line however it was spelt. Pages go on by
    the last line, not by counting lines: new questions do not shift them. BadRequest: `after` is none of ours."""
    rows, by = _since(user, days), "missed" if is_unanswered else "times"
    grouped = rows.values("folded").annotate(times=Sum("asked"), missed=Sum("unanswered"))
    if is_unanswered:
        grouped = grouped.filter(missed__gt=0)
    if after:
        number, folded = _read(after)
        grouped = grouped.filter(Q(**{f"{by}__lt": number}) | Q(**{by: number}, folded__gt=folded))
    found = list(grouped.order_by(F(by).desc(), "folded").values_list("folded", "times", "missed")[: PAGE + 1])
    shown = found[:PAGE]
    last = shown[-1] if len(found) > PAGE else None
    key = "" if last is None else _written(last[2] if is_unanswered else last[1], last[0])
    return Asked(_told(rows, shown), key)


def sums(*, user: User, days: int) -> Row:
    """{questions, asked, unanswered}: how many different ones, how often, how often in vain."""
    found: Row = _since(user, days).aggregate(
        questions=Count("folded", distinct=True), asked=Sum("asked"), unanswered=Sum("unanswered")
    )
    return {name: value or 0 for name, value in found.items()}


def led_to(*, user: User, entity_id: UUID) -> list[Row] | None:
    """[{query, asked, last_asked_at}]: questions of oneself and one's organisations whose answers showed the entity,
    the latest first. Of the last 1,000 signals within the hour that streams are kept for; further back nothing is
    known. None: Redis is away."""
    if breaker_of(events_url()).is_open:
        return None
    try:
        entries: Any = events_redis().xrevrange(queries_stream(), count=LATEST_SIGNALS)
    except (RedisError, OSError):
        breaker_of(events_url()).failed()
        return None
    own = {str(row["organisation_id"]) for row in organisation_ids_of(user)}
    found: dict[str, Row] = {}
    for entry_id, fields in entries:
        told = _signal(fields, str(entity_id))
        query = told.get("query")
        if not isinstance(query, str) or not query:
            continue
        if told.get("organisation_id") not in own and told.get("user_id") != str(user.pk):
            continue
        at = datetime.fromtimestamp(int(entry_id.partition(b"-")[0]) / 1000, UTC)
        found.setdefault(fold(query), {"query": query, "asked": 0, "last_asked_at": at})["asked"] += 1
    return list(found.values())[:LED_SHOWN]


def _signal(fields: Any, entity_id: str) -> Row:
    """The signal, if it is one for this entity."""
    body = fields.get(FIELD) if fields else None
    if body is None or entity_id.encode() not in body.lower():
        return {}
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) and str(told.get("entity_id")).lower() == entity_id else {}


def _since(user: User, days: int) -> AskedQuerySet:
    return AskedQuestion.objects.visible_to(user).filter(day__gte=_first_day(days))


def _first_day(days: int) -> date:
    return timezone.now().astimezone(UTC).date() - timedelta(days=days - 1)


def _told(rows: AskedQuerySet, shown: Sequence[tuple[str, int, int]]) -> list[Row]:
    """As they were asked last."""
    latest = rows.filter(folded__in=[each[0] for each in shown]).order_by("folded", "-last_asked_at")
    texts = {row["folded"]: row for row in latest.distinct("folded").values("folded", "text", "last_asked_at")}
    return [
        {
            "query": texts[folded]["text"],
            "asked": asked,
            "unanswered": missed,
            "last_asked_at": texts[folded]["last_asked_at"],
        }
        for folded, asked, missed in shown
        if folded in texts
    ]


def _written(number: int, folded: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([number, folded])).decode().rstrip("=")


def _read(after: str) -> tuple[int, str]:
    try:
        told = orjson.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        number, folded = told
    except (binascii.Error, ValueError, TypeError):
        raise BadRequest("That page is not there: begin with the first one.") from None
    if type(number) is not int or not 0 <= number < 2**31 or not isinstance(folded, str) or "\x00" in folded:
        raise BadRequest("That page is not there: begin with the first one.")
    return number, folded
