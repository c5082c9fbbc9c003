"""Named reads of what leaves tenders, and who may see it: calendars and exports are a person's, documents a firm's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.querysets import organisation_ids_of

if TYPE_CHECKING:
    from accounts.models import User

    from .models import CalendarFeed, Export, TenderDocument  # noqa: F401 - ruff does not see names in QuerySet["…"]


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    def visible_to(self, user: User | AnonymousUser) -> CalendarFeedQuerySet:
        """One's own, in organisations that one still belongs to."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(user_id=user.pk, organisation_id__in=organisation_ids_of(user))


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, user: User | AnonymousUser) -> ExportQuerySet:
        """One's own alone; of an organisation that one has left no more, for its decisions are in it."""
        if not user.is_authenticated:
            return self.none()
        still = models.Q(organisation_id=None) | models.Q(organisation_id__in=organisation_ids_of(user))
        return self.filter(still, owner_id=user.pk)


class TenderDocumentQuerySet(models.QuerySet["TenderDocument"]):
    def visible_to(self, user: User | AnonymousUser) -> TenderDocumentQuerySet:
        """Those that one's own organisations have fetched: what a firm reads shows what it is after."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(organisation_id__in=organisation_ids_of(user))
