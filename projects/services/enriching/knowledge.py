"""Answers that were worked out once, kept for all who may know them, until they expire."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from ...models import KnowledgeEntry

KEPT = timedelta(days=30)  # a catalogue's new edition has another name; own history moves by the week
AT_ONCE = 5_000


def key_of(*parts: object) -> str:
    """Of a question: everything that its answer depends on, whose history it is from included."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()


def known(keys: Iterable[str]) -> dict[str, Any]:
    """Key -> answer, of those that have not expired; counted as asked for. Two queries per 5,000."""
    found: dict[str, Any] = {}
    listed, now = sorted(set(keys)), timezone.now()
    for start in range(0, len(listed), AT_ONCE):
        rows = KnowledgeEntry.objects.filter(query_hash__in=listed[start : start + AT_ONCE], expires_at__gt=now)
        part = dict(rows.values_list("query_hash", "result"))
        if part:
            rows.update(access_count=F("access_count") + 1, last_accessed_at=now)
        found |= part
    return found


def keep(answers: Mapping[str, Any], *, type: str, organisation_id: UUID | None, sources: list[dict[str, Any]]) -> None:
    """Worked out by two at once: the later one counts, and both say the same. An expired answer is replaced."""
    until = timezone.now() + KEPT
    rows = [
        KnowledgeEntry(
            query_hash=key, type=type, organisation_id=organisation_id, result=answer, sources=sources, expires_at=until
        )
        for key, answer in sorted(answers.items())
    ]
    KnowledgeEntry.objects.bulk_create(
        rows,
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["query_hash"],
        update_fields=["result", "sources", "expires_at"],
    )


def trim() -> int:
    """Remove what has expired."""
    removed, _ = KnowledgeEntry.objects.filter(expires_at__lte=timezone.now()).delete()
    return removed
