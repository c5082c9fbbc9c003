"""Removing files that have served: exports, uploaded notices, documents that no tender has any more.

A row goes before its file: what is cut short in between leaves a file that nothing names, never a name without its
file. Whoever holds a row at that moment keeps it until the next night.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from ..models import Export, Import, StoredContent
from .importing import Report, silent

AT_ONCE = 200
# What has just come is not thrown away for being named by nothing yet.
ORPHANED_AFTER = timedelta(days=1)
_ACTIVE = (Export.Status.QUEUED, Export.Status.RUNNING)


def trim(*, report: Report = silent, now: datetime | None = None) -> dict[str, int]:
    """How many files of each sort were removed. Each piece is a transaction of its own; a second run goes on."""
    now = now or timezone.now()
    uploads_before = now - timedelta(days=settings.TENDER_UPLOADS_KEPT_DAYS)
    exports_before = now - timedelta(days=settings.TENDER_EXPORTS_KEPT_DAYS)
    ended = (Import.Status.COMPLETED, Import.Status.FAILED)
    sorts: list[tuple[str, models.QuerySet[Any], Callable[[models.QuerySet[Any]], object]]] = [
        ("exports", Export.objects.filter(created_at__lt=exports_before).exclude(status__in=_ACTIVE), _delete),
        (
            "uploads",
            Import.objects.filter(finished_at__lt=uploads_before, status__in=ended).exclude(file=""),
            _forget_file,
        ),
        ("documents", StoredContent.objects.filter(documents=None, created_at__lt=now - ORPHANED_AFTER), _delete),
    ]
    removed = {}
    for number, (name, old, remove) in enumerate(sorts):
        removed[name] = 0
        while piece := _remove(old, remove):
            removed[name] += piece
            report(number, len(sorts), f"Removing old {name}: {removed[name]:,} so far")
            if piece < AT_ONCE:
                break
    report(len(sorts), len(sorts), f"{sum(removed.values()):,} files removed")
    return removed


def _delete(rows: models.QuerySet[Any]) -> None:
    rows.delete()


def _forget_file(rows: models.QuerySet[Any]) -> None:
    """An import's row stays: it says how good the file was."""
    rows.update(file="")


def _remove(old: models.QuerySet[Any], remove: Callable[[models.QuerySet[Any]], object]) -> int:
    storage = old.model._meta.get_field("file").storage
    with transaction.atomic():
        found = old.select_for_update(skip_locked=True, of=("self",)).order_by("pk").values_list("pk", "file")
        rows = list(found[:AT_ONCE])
        remove(old.model._default_manager.filter(pk__in=[pk for pk, _ in rows]))
    for _, name in rows:
        if name:
            storage.delete(name)
    return len(rows)
