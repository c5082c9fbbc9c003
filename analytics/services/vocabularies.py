"""Vocabularies as searches use them: kept by the process, looked at again every half minute."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ..models import StoredVocabulary
from ..search.vocabulary import Vocabulary, merged, unpacked

LOOK_EVERY_S = 30.0
MOST_KEPT = 64

_lock = threading.Lock()
_held: OrderedDict[tuple[UUID, ...], tuple[float, tuple[datetime, ...], Vocabulary]] = OrderedDict()


def vocabulary_of(organisation_ids: Sequence[UUID]) -> Vocabulary:
    """Of the shared entities and of these organisations' own."""
    key = tuple(sorted(organisation_ids))
    now = time.monotonic()
    with _lock:
        held = _held.get(key)
        if held is not None:
            _held.move_to_end(key)
            if now - held[0] < LOOK_EVERY_S:
                return held[2]
    stored = StoredVocabulary.objects.filter(organisation=None) | StoredVocabulary.objects.filter(organisation__in=key)
    versions = tuple(stored.order_by("pk").values_list("counted_at", flat=True))
    found = held[2] if held is not None and held[1] == versions else _read(list(stored.order_by("pk")))
    with _lock:
        _held[key] = (now, versions, found)
        while len(_held) > MOST_KEPT:
            _held.popitem(last=False)
    return found


def forget() -> None:
    """Look at once: words were counted."""
    with _lock:
        _held.clear()


def _read(rows: list[StoredVocabulary]) -> Vocabulary:
    if not rows:
        return Vocabulary({}, 0)
    return merged([Vocabulary(unpacked(bytes(row.words)), row.documents) for row in rows])
