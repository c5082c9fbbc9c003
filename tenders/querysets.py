"""Named reads of tenders, and who may see what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.querysets import organisation_ids_of

if TYPE_CHECKING:
    from accounts.models import User

    from .models import Import, Rejection, Source, Tender, TenderRelease  # noqa: F401 - ruff does not see QuerySet["…"]


def may_see_source(user: User | AnonymousUser, prefix: str = "") -> Q:
    """Shared sources, and those of one's organisations. `prefix` is the path to the source: "source__"."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    shared = Q(**{f"{prefix}organisation__isnull": True})
    return shared | Q(**{f"{prefix}organisation_id__in": organisation_ids_of(user)})


class SourceQuerySet(models.QuerySet["Source"]):
    def visible_to(self, user: User | AnonymousUser) -> SourceQuerySet:
        return self.filter(may_see_source(user))

    def changeable_by(self, user: User | AnonymousUser) -> SourceQuerySet:
        """Those of organisations where one may write; shared ones are the staff's, with the permission."""
        if not user.is_authenticated:
            return self.none()
        if user.is_staff and user.has_perm("tenders.change_source"):
            return self.all()
        return self.filter(organisation_id__in=organisation_ids_of(user, may_write=True))


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: User | AnonymousUser) -> ImportQuerySet:
        return self.filter(may_see_source(user, "source__"))


class RejectionQuerySet(models.QuerySet["Rejection"]):
    def visible_to(self, user: User | AnonymousUser) -> RejectionQuerySet:
        return self.filter(may_see_source(user, "source__"))

    def open(self) -> RejectionQuerySet:
        return self.filter(mended_at=None)


class TenderQuerySet(models.QuerySet["Tender"]):
    def visible_to(self, user: User | AnonymousUser) -> TenderQuerySet:
        return self.filter(may_see_source(user, "source__"))


class TenderReleaseQuerySet(models.QuerySet["TenderRelease"]):
    def visible_to(self, user: User | AnonymousUser) -> TenderReleaseQuerySet:
        return self.filter(may_see_source(user, "tender__source__"))
