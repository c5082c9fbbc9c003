"""Tenders like another: of the same kind of work by CPV, the most words of the title in common first. A heuristic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.postgres.search import SearchRank
from django.db.models import F, QuerySet

from ..models import Source, Tender, TenderIndex
from .searching import as_words
from .wording import folded

if TYPE_CHECKING:
    from accounts.models import User

SHOWN = 5
COMPARED = 400  # the newest of the same kind of work
MOST_WORDS = 12
_WORD = re.compile(r"\w{4,}")


def similar_to(tender: Tender, *, user: User, without: Sequence[UUID] = ()) -> list[Tender]:
    """At most SHOWN that the user may see, the likest first; only those that share a word of the title, and, where it
    has one, the first four digits of its CPV. `without`: what is shown already."""
    words = list(dict.fromkeys(_WORD.findall(folded(tender.title))))[:MOST_WORDS]
    if not words:
        return []
    # No word can break out of the query: each is letters, digits and low lines.
    query = as_words(" | ".join(f"'{word}'" for word in words))
    sources = list(Source.objects.visible_to(user).values_list("pk", flat=True))
    found = TenderIndex.objects.filter(source_id__in=sources, words=query).exclude(pk__in=[tender.pk, *without])
    found = _of_kind(found, tender.cpv_main)
    newest = found.order_by(F("published_at").desc(nulls_last=True), "-tender_id").values("pk")[:COMPARED]
    ranked = Tender.objects.filter(pk__in=newest).annotate(likeness=SearchRank(F("index__words"), query))
    return list(ranked.defer("description", "lots", "documents").order_by("-likeness", "-id")[:SHOWN])


def _of_kind(rows: QuerySet[TenderIndex], code: str) -> QuerySet[TenderIndex]:
    """By range: an index in the database's own collation serves no LIKE."""
    if len(code) < 4:
        return rows
    return rows.filter(cpv_main__gte=code[:4], cpv_main__lt=f"{int(code[:4]) + 1:04}")
