"""The search of tenders, for pages, REST and saved searches: rows, pages of them, and facets.

Made to stay fast over hundreds of thousands of tenders: pages go by key and never skip; facets are counted exactly up
to EXACT_UP_TO hits, and told from a sample of the table beyond that, which `Facets.is_exact` says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.querysets import acting_organisation_id, organisation_ids_of

from ..exceptions import BadFilter
from ..models import Decision, Duplicate, Score, Source, Tender, TenderIndex
from .searchfields import BANDS, NOT_ASSESSED, UNDECIDED, TenderFilters
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


@dataclass(frozen=True, slots=True)
class Search:
    """What a search finds: `hits`, as the index has them, to be sorted and counted; `assessed`, all tenders, each as
    the organisation has it, to be shown; `rows`, those of them that are hits."""

    organisation_id: UUID | None  # whose assessments and decisions count
    hits: QuerySet[TenderIndex]
    assessed: QuerySet[Tender]
    rows: QuerySet[Tender]


def search_tenders(*, user: User, filters: TenderFilters, organisation_id: UUID | None = None) -> QuerySet[Tender]:
    """What the user may see and the filters let through, in no order yet (`paging.page_of` gives one).

    Each row carries, as the organisation has it: `relevance`, `relevance_score`, `summary`, `keywords` (None: not
    assessed) and `decision` (None: none). `organisation_id`: by default the one acted for; BadFilter if it is not one
    of the user's. Two short queries of its own; the rows are fetched when they are asked for.
    """
    return search_for(user=user, filters=filters, organisation_id=organisation_id).rows


def search_for(*, user: User, filters: TenderFilters, organisation_id: UUID | None = None) -> Search:
    """The same, with its hits, for pages (`paging.page_of`) and facets (`facets.facets_of`).

    Whoever narrows or sorts the rows further does so by `index__…`: tenders themselves have no indexes for that."""
    organisation = _organisation(user, organisation_id)
    sources = _sources(user)
    if filters.source:
        sources = [pk for pk in sources if pk in filters.source]
    of_index = Q(source_id__in=sources) & _words(filters) & _figures(filters) & _times(filters)
    of_tender = _of_organisation(filters, organisation)
    hits = TenderIndex.objects.filter(of_index, of_tender)
    if filters.duplicates:
        # The earlier one must be a hit itself: else both would be gone.
        earlier = Duplicate.objects.filter(later=OuterRef("pk"), earlier__in=hits.values("pk"))
        of_tender &= Q(~Exists(earlier))
        hits = hits.filter(~Exists(earlier))
    assessed = _assessed(organisation)
    return Search(organisation, hits, assessed, assessed.filter(_under("index", of_index), of_tender))


def visible_tenders(*, user: User, organisation_id: UUID | None = None) -> QuerySet[Tender]:
    """All that the user may see, indexed or not, each with what `search_tenders` gives it."""
    return _assessed(_organisation(user, organisation_id)).filter(source_id__in=_sources(user))


def _sources(user: User) -> list[UUID]:
    return list(Source.objects.visible_to(user).order_by().values_list("pk", flat=True))


def _assessed(organisation: UUID | None) -> QuerySet[Tender]:
    rows = Tender.objects.order_by().annotate(
        score=FilteredRelation("scores", condition=Q(scores__organisation_id=organisation)),
        standing=FilteredRelation(
            "decisions", condition=Q(decisions__organisation_id=organisation, decisions__is_standing=True)
        ),
    )
    return (
        rows.annotate(
            relevance=F("score__relevance"),
            relevance_score=F("score__relevance_score"),
            summary=F("score__summary"),
            keywords=F("score__keywords"),
            decision=F("standing__choice"),
        )
        .select_related("source")
        .only(*LIST_FIELDS)
    )


def _under(path: str, condition: Q) -> Q:
    """The same condition, of what the path leads to."""
    children: list[Any] = list(condition.children)
    moved = [_under(path, each) if isinstance(each, Q) else (f"{path}__{each[0]}", each[1]) for each in children]
    return Q(*moved, _connector=condition.connector, _negated=condition.negated)


def _organisation(user: User, organisation_id: UUID | None) -> UUID | None:
    if organisation_id is None:
        return acting_organisation_id(user)
    if not organisation_ids_of(user).filter(organisation_id=organisation_id).exists():
        raise BadFilter(
            "This is none of your organisations.", extra={"errors": {"organisation": ["None of your organisations."]}}
        )
    return organisation_id


def words_query(text: str) -> str:
    """A tsquery of `simple` words, all of which must be there: beginnings of words; "in quotes" a phrase; -without.

    "" when the text holds nothing to search for.
    """
    found = []
    for minus, phrase, word in _TERM.findall(folded(text))[:MOST_TERMS]:
        plain = (phrase or word).translate(_QUOTES).strip()
        if any(letter.isalnum() for letter in plain):
            found.append(f"{'!' if minus else ''}'{plain}'{'' if phrase else ':*'}")
    return " & ".join(found)


def as_words(query: str) -> Any:
    """For a filter by words; None where the query is empty."""
    return SearchQuery(query, config="simple", search_type="raw") if query else None


def _words(filters: TenderFilters) -> Q:
    condition = Q()
    exact = filters.buyer.startswith('"') and filters.buyer.endswith('"') and len(filters.buyer) > 2
    if words := as_words(words_query(filters.q)):
        condition &= Q(words=words)
    if words := as_words(words_query(filters.buyer.strip('"') if exact else filters.buyer)):
        condition &= Q(buyer_words=words)
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
    """By subquery: from the organisation's few rows to the tenders, not through all tenders. Of either."""
    condition = Q()
    if organisation is None:  # nobody has assessed or decided anything for this user
        asked = (filters.relevance, filters.decision)
        return Q(pk__in=[]) if any(choices and "none" not in choices for choices in asked) else condition
    if filters.relevance:
        scores = Score.objects.filter(organisation_id=organisation)
        graded = Q(pk__in=scores.filter(relevance__in=filters.relevance).values("tender_id"))
        assessed = Exists(scores.filter(tender_id=OuterRef("pk")))
        condition &= graded | Q(~assessed) if NOT_ASSESSED in filters.relevance else graded
    if filters.decision:
        standing = Decision.objects.standing().filter(organisation_id=organisation)
        decided = Q(pk__in=standing.filter(choice__in=filters.decision).values("tender_id"))
        has_one = Exists(standing.filter(tender_id=OuterRef("pk")))
        condition &= decided | Q(~has_one) if UNDECIDED in filters.decision else decided
    return condition


def _any(conditions: object) -> Q:
    joined = Q()
    for condition in conditions:  # type: ignore[attr-defined]
        joined |= condition
    return joined
