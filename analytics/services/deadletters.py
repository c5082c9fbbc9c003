"""Entries that could not be applied: kept with the reason, tried again, or dropped. A stream never waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.exceptions import Conflict

from ..exceptions import DeadSignalStaysDead
from ..models import DeadSignal
from ..streams.entries import Malformed, pack, read_signal, read_update, unpack

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Dead:
    stream: str
    number: int
    reason: str
    detail: str
    payload: dict[str, Any]
    deliveries: int = 1
    entry_id: str = ""  # where it is no number of ours


def keep_dead(dead: Sequence[Dead]) -> None:
    """Once each: what is there already stays as it is."""
    if not dead:
        return
    rows = [
        DeadSignal(
            stream=each.stream,
            entry_id=(each.entry_id or unpack(each.number))[:40],
            reason=each.reason,
            detail=each.detail[:500].replace("\x00", "\ufffd"),
            payload=each.payload,
            deliveries=each.deliveries,
        )
        for each in dead
    ]
    DeadSignal.objects.bulk_create(rows, ignore_conflicts=True)
    log.warning("signals_dead", count=len(rows), reason=rows[0].reason, detail=rows[0].detail)


def retry_dead(*, dead_id: int) -> None:
    """Count it after all, if that is possible now; exactly once, like any other entry.

    Conflict: it is settled. DeadSignalStaysDead: it is as impossible as before; its reason is brought up to date.
    """
    failure = ""
    with transaction.atomic():
        row = DeadSignal.objects.select_for_update().get(pk=dead_id)
        if row.settled_at is not None:
            raise Conflict("This signal is settled: it was counted after all, or dropped.")
        try:
            with transaction.atomic():
                reason, failure = _applied(row)
        except Exception as error:
            reason, failure = DeadSignal.Reason.FAILED, f"{type(error).__name__}: {error}"
        if failure:
            row.reason, row.detail = reason, failure[:500]
            row.deliveries += 1
        else:
            row.settled_at = timezone.now()
        row.save(update_fields=["reason", "detail", "deliveries", "settled_at"])
    if failure:
        raise DeadSignalStaysDead(f"Still impossible: {failure}")


def _applied(row: DeadSignal) -> tuple[str, str]:
    """("", "") or the reason and the words why not."""
    from .counting import count_signals  # it keeps dead signals itself
    from .requesting import request_refresh
    from .signals import updates_stream

    fields = [part for name, value in row.payload.items() for part in (name.encode(), str(value).encode())]
    try:
        number = pack(row.entry_id)
        if row.stream == updates_stream():
            request_refresh(stream=row.stream, requests=[read_update(number, fields)], consumer="admin")
            return "", ""
        signal = read_signal(number, fields, int(timezone.now().timestamp() * 1000))
    except (Malformed, ValueError) as error:
        return DeadSignal.Reason.MALFORMED, str(error)
    counted = count_signals(stream=row.stream, signals=[signal], consumer="admin")
    if counted.dead:
        return counted.dead[0].reason, counted.dead[0].detail
    return "", ""


def drop_dead(*, dead_id: int) -> None:
    """It will not be counted. Conflict: it is settled already."""
    if not DeadSignal.objects.unsettled().filter(pk=dead_id).update(settled_at=timezone.now()):
        raise Conflict("This signal is settled: it was counted after all, or dropped.")
