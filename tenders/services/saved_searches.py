"""Searches that a person comes back to. What came since the last look, or the last alert, is news."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from ..exceptions import NoOrganisation, SearchExists, SearchMissing
from ..models import SavedSearch, Tender
from .access import acting_organisation
from .searchfields import as_query, filters_from
from .searching import search_tenders

if TYPE_CHECKING:
    from accounts.models import User

MOST = 50  # of one person
MOST_COUNTED = 100
# A batch of an import is written within seconds of the moment that its rows carry.
SETTLED_AFTER = timedelta(minutes=2)
LONGEST_WAIT = timedelta(days=1)  # for words that nobody indexes: an import was broken off, and none followed


def save_search(
    *, actor: User, name: str, query: Mapping[str, Any], is_alerting: bool = True, by_email: bool = False
) -> SavedSearch:
    """The search under this name, from now on. `query`: as in an address. Raises BadFilter, SearchExists,
    NoOrganisation."""
    organisation = acting_organisation(actor)
    if organisation is None:
        raise NoOrganisation("You belong to no organisation, so there is nothing to search for it.")
    name = " ".join(name.replace("\x00", "").split())[:120]
    if not name:
        raise SearchExists("Give the search a name.", code="name_missing")
    if SavedSearch.objects.filter(owner=actor).count() >= MOST:
        raise SearchExists(f"You have {MOST} saved searches. Delete one that you no longer need.", code="too_many")
    try:
        with transaction.atomic():
            return SavedSearch.objects.create(
                organisation=organisation,
                owner=actor,
                name=name,
                query=as_query(filters_from(query)),
                is_alerting=is_alerting,
                by_email=by_email and is_alerting,
                seen_until=settled_until(),
            )
    except IntegrityError as error:
        raise SearchExists("You have a saved search of this name already.") from error


def own_search(*, search_id: UUID, actor: User) -> SavedSearch:
    found: SavedSearch | None = SavedSearch.objects.visible_to(actor).filter(pk=search_id).first()
    if found is None:
        raise SearchMissing("There is no such saved search.")
    return found


def set_alerts(*, search_id: UUID, actor: User, is_alerting: bool, by_email: bool) -> None:
    """Switching on again begins from now: what came in between is not told all at once."""
    search = own_search(search_id=search_id, actor=actor)
    changes: dict[str, Any] = {"is_alerting": is_alerting, "by_email": by_email and is_alerting}
    if is_alerting and not search.is_alerting:
        changes["seen_until"] = settled_until()
    SavedSearch.objects.filter(pk=search.pk).update(**changes)


def delete_search(*, search_id: UUID, actor: User) -> None:
    own_search(search_id=search_id, actor=actor).delete()


def look(*, search_id: UUID, actor: User) -> SavedSearch:
    """The search as it was before this look; what has come until now is no news any more."""
    search = own_search(search_id=search_id, actor=actor)
    SavedSearch.objects.filter(pk=search.pk, seen_until__lt=(until := settled_until())).update(seen_until=until)
    return search


def news_of(search: SavedSearch, *, user: User, until: datetime | None = None) -> QuerySet[Tender]:
    """Tenders of the search that came after its `seen_until`. Raises BadFilter when the owner has left its firm."""
    rows = search_tenders(user=user, filters=filters_from(search.query), organisation_id=search.organisation_id).filter(
        index__created_at__gt=search.seen_until
    )
    return rows.filter(index__created_at__lte=until) if until else rows


def settled_until() -> datetime:
    """Up to here, all tenders are there and can be found by their words; later ones may still be on their way."""
    now = timezone.now()
    unindexed = Tender.objects.filter(unindexed__isnull=False, created_at__gt=now - LONGEST_WAIT).aggregate(
        Min("created_at")
    )
    first: datetime | None = unindexed["created_at__min"]
    until = now - SETTLED_AFTER
    return min(until, first - timedelta(microseconds=1)) if first else until
