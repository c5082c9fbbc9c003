"""Named reads of demand, and who may see what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.querysets import organisation_ids_of

if TYPE_CHECKING:
    from accounts.models import User

    from .models import (  # noqa: F401 - ruff does not see names in QuerySet["…"]
        AskedQuestion,
        DeadSignal,
        DemandBucket,
        DemandDay,
        Entity,
        EntityDemand,
    )


def shared_or_own(user: User | AnonymousUser, prefix: str = "") -> Q:
    """For people who are signed in: what belongs to nobody, and what belongs to their organisations."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    shared = Q(**{f"{prefix}organisation__isnull": True})
    return shared | Q(**{f"{prefix}organisation_id__in": organisation_ids_of(user)})


class EntityQuerySet(models.QuerySet["Entity"]):
    def visible_to(self, user: User | AnonymousUser) -> EntityQuerySet:
        return self.filter(shared_or_own(user))


class DemandQuerySet(models.QuerySet["DemandBucket"]):
    def visible_to(self, user: User | AnonymousUser) -> DemandQuerySet:
        return self.filter(shared_or_own(user, "entity__"))


class DemandDayQuerySet(models.QuerySet["DemandDay"]):
    def visible_to(self, user: User | AnonymousUser) -> DemandDayQuerySet:
        return self.filter(shared_or_own(user, "entity__"))


class EntityDemandQuerySet(models.QuerySet["EntityDemand"]):
    def visible_to(self, user: User | AnonymousUser) -> EntityDemandQuerySet:
        return self.filter(shared_or_own(user))


class AskedQuerySet(models.QuerySet["AskedQuestion"]):
    def visible_to(self, user: User | AnonymousUser) -> AskedQuerySet:
        """Questions of one's own organisations; those of people without one are the staff's to read."""
        if not user.is_authenticated:
            return self.none()
        own = Q(organisation_id__in=organisation_ids_of(user))
        if user.is_staff and user.has_perm("analytics.view_askedquestion"):
            own |= Q(organisation__isnull=True)
        return self.filter(own)


class DeadSignalQuerySet(models.QuerySet["DeadSignal"]):
    def unsettled(self) -> DeadSignalQuerySet:
        return self.filter(settled_at__isnull=True)
