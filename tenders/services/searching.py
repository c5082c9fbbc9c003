"""The search of tenders, for pages, REST and saved searches: rows, pages of them, and facets.

Made to stay fast over hundreds of thousands of tenders: pages go by key and never skip; facets are counted exactly up
to EXACT_UP_TO hits, and told from a sample of the table beyond that, which `Facets.is_exact` says.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.querysets import acting_organisation_id, organisation_ids_of

from ..exceptions import BadFilter
from ..models import Decision, Score, Source, Tender
from .searchfields import BANDS, UNDECIDED, TenderFilters
from .wording import folded

if TYPE_CHECKING:
    from accounts.models import User

MOST_TERMS = 24
_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_QUOTES = str.maketrans({"'": " ", "\\": " ", '"': " "})
# What a list shows; the rest of a row is long, and lies apart on the disk.
LIST_FIELDS = (
    "id", "source_id", "source__name", "key", "title", "language", "country", "buyer_name", "status", "procedure",
    "category", "cpv_main", "value_amount", "value_currency", "published_at", "deadline_at", "url", "flags",
    "releases_count", "created_at", "changed_at",
)  # fmt: skip


def search_tenders(*, user: User, filters: TenderFilters, organisation_id: UUID | None = None) -> QuerySet[Tender]:
    """What the user may see and the filters let through, in no order yet (`paging.page_of` gives one).

    Each row carries, as the organisation has it: `relevance`, `relevance_score`, `summary`, `keywords` (None: not
    assessed) and `decision` (None: none). `organisation_id`: by default the one acted for; BadFilter if it is not one
    of the user's. Two short queries of its own; the rows are fetched when they are asked for.
    """
    organisation = _organisation(user, organisation_id)
    sources = list(Source.objects.visible_to(user).values_list("pk", flat=True))
    if filters.source:
        sources = [pk for pk in sources if pk in filters.source]
    rows = Tender.objects.filter(source_id__in=sources).order_by()
    rows = rows.annotate(
        score=FilteredRelation("scores", condition=Q(scores__organisation_id=organisation)),
        standing=FilteredRelation(
            "decisions", condition=Q(decisions__organisation_id=organisation, decisions__is_standing=True)
        ),
    ).annotate(
        relevance=F("score__relevance"),
        relevance_score=F("score__relevance_score"),
        summary=F("score__summary"),
        keywords=F("score__keywords"),
        decision=F("standing__choice"),
    )
    rows = rows.filter(_words(filters), _figures(filters), _times(filters))
    rows = rows.filter(_of_organisation(filters, organisation))
    if filters.duplicates:
        # The earlier one must be a hit itself: else both would be gone.
        rows = rows.filter(~Exists(rows.filter(later_ones__later=OuterRef("pk"))))
    return rows.select_related("source").only(*LIST_FIELDS)


def _organisation(user: User, organisation_id: UUID | None) -> UUID | None:
    if organisation_id is None:
        return acting_organisation_id(user)
    if not organisation_ids_of(user).filter(organisation_id=organisation_id).exists():
        raise BadFilter(
            "This is none of your organisations.", extra={"errors": {"organisation": ["None of your organisations."]}}
        )
    return organisation_id


def words_query(text: str, *, weight: str = "") -> str:
    """A tsquery of `simple` words, all of which must be there: beginnings of words; "in quotes" a phrase; -without.

    "" when the text holds nothing to search for. `weight`: only there, such as B for the buyer's name.
    """
    found = []
    for minus, phrase, word in _TERM.findall(folded(text))[:MOST_TERMS]:
        plain = (phrase or word).translate(_QUOTES).strip()
        if any(letter.isalnum() for letter in plain):
            marks = ("" if phrase else "*") + weight
            found.append(f"{'!' if minus else ''}'{plain}'{':' + marks if marks else ''}")
    return " & ".join(found)


def _words(filters: TenderFilters) -> Q:
    condition = Q()
    exact = filters.buyer.startswith('"') and filters.buyer.endswith('"') and len(filters.buyer) > 2
    for query in (
        words_query(filters.q),
        words_query(filters.buyer.strip('"') if exact else filters.buyer, weight="B"),
    ):
        if query:
            condition &= Q(search=SearchQuery(query, config="simple", search_type="raw"))
    if exact:
        condition &= Q(buyer_name=filters.buyer[1:-1])  # the words above find it by index, this makes sure
    return condition


def _figures(filters: TenderFilters) -> Q:
    condition = Q()
    if filters.cpv:
        # A range, which an index of any collation serves; LIKE needs one of its own.
        condition &= _any(Q(cpv_main__gte=code, cpv_main__lte=code.ljust(8, "9")) for code in filters.cpv)
    if filters.country:
        condition &= Q(country__in=filters.country)
    if filters.status:
        condition &= Q(status__in=filters.status)
    if filters.currency:
        condition &= Q(value_currency=filters.currency)
    if filters.value_min is not None:
        condition &= Q(value_amount__gte=filters.value_min)
    if filters.value_max is not None:
        condition &= Q(value_amount__lte=filters.value_max)
    if filters.band:
        condition &= _any(_band(name) for name in filters.band)
    return condition


def _band(name: str) -> Q:
    _, low, high = BANDS[name]
    if low is None and high is None:
        return Q(value_amount=None)
    above = Q() if low is None else Q(value_amount__gte=low)
    return above & (Q() if high is None else Q(value_amount__lt=high))


def _times(filters: TenderFilters) -> Q:
    condition = Q()
    if filters.deadline:
        condition &= _any(_deadline(name) for name in filters.deadline)
    for field, low, high in (
        ("deadline_at", filters.deadline_after, filters.deadline_before),
        ("published_at", filters.published_after, filters.published_before),
        ("created_at", filters.created_after, None),
    ):
        condition &= Q() if low is None else Q(**{f"{field}__gte": low})
        condition &= Q() if high is None else Q(**{f"{field}__lte": high})
    return condition


def _deadline(name: str) -> Q:
    now = timezone.now()
    week, month = now + timedelta(days=7), now + timedelta(days=30)
    return {
        "past": Q(deadline_at__lt=now),
        "week": Q(deadline_at__gte=now, deadline_at__lt=week),
        "month": Q(deadline_at__gte=week, deadline_at__lt=month),
        "later": Q(deadline_at__gte=month),
        "none": Q(deadline_at=None),
    }[name]


def _of_organisation(filters: TenderFilters, organisation: UUID | None) -> Q:
    """By subquery: from the organisation's few rows to the tenders, not through all tenders."""
    condition = Q()
    if organisation is None:  # nobody has assessed or decided anything for this user
        asked = (filters.relevance, filters.decision)
        return Q(pk__in=[]) if any(choices and "none" not in choices for choices in asked) else condition
    if filters.relevance:
        scores = Score.objects.filter(organisation_id=organisation)
        graded = Q(pk__in=scores.filter(relevance__in=filters.relevance).values("tender_id"))
        condition &= graded | Q(score=None) if "none" in filters.relevance else graded
    if filters.decision:
        standing = Decision.objects.standing().filter(organisation_id=organisation)
        decided = Q(pk__in=standing.filter(choice__in=filters.decision).values("tender_id"))
        condition &= decided | Q(standing=None) if UNDECIDED in filters.decision else decided
    return condition


def _any(conditions: object) -> Q:
    joined = Q()
    for condition in conditions:  # type: ignore[attr-defined]
        joined |= condition
    return joined
