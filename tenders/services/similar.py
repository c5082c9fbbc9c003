"""Tenders like another: of the same kind of work by CPV, the most words of the title in common first. A heuristic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F

from ..models import Tender
from ..querysets import TenderQuerySet
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
    query = SearchQuery(" | ".join(f"'{word}'" for word in words), search_type="raw", config="simple")
    found = Tender.objects.visible_to(user).exclude(pk__in=[tender.pk, *without]).filter(search=query)
    found = _of_kind(found, tender.cpv_main)
    newest = found.order_by(F("published_at").desc(nulls_last=True), "-id").values("pk")[:COMPARED]
    ranked = Tender.objects.filter(pk__in=newest).annotate(likeness=SearchRank(F("search"), query))
    return list(ranked.defer("search", "description", "lots", "documents").order_by("-likeness", "-id")[:SHOWN])


def _of_kind(tenders: TenderQuerySet, code: str) -> TenderQuerySet:
    """By range: an index in the database's own collation serves no LIKE."""
    if len(code) < 4:
        return tenders
    return tenders.filter(cpv_main__gte=code[:4], cpv_main__lt=f"{int(code[:4]) + 1:04}")
