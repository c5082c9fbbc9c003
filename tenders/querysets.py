"""Named reads of tenders, and who may see what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.querysets import organisation_ids_of

if TYPE_CHECKING:
    from accounts.models import User

    from .models import (  # noqa: F401 - ruff does not see names in QuerySet["…"]
        CompanyProfile,
        Decision,
        Duplicate,
        Enrichment,
        Import,
        Rejection,
        SavedSearch,
        Score,
        Source,
        Tender,
        TenderRelease,
    )


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


class DuplicateQuerySet(models.QuerySet["Duplicate"]):
    def visible_to(self, user: User | AnonymousUser) -> DuplicateQuerySet:
        """Pairs of which one may see both."""
        return self.filter(may_see_source(user, "source__") & may_see_source(user, "later__source__"))


class TenderReleaseQuerySet(models.QuerySet["TenderRelease"]):
    def visible_to(self, user: User | AnonymousUser) -> TenderReleaseQuerySet:
        return self.filter(may_see_source(user, "tender__source__"))


def _of_own_organisations(user: User | AnonymousUser) -> Q:
    return Q(organisation_id__in=organisation_ids_of(user)) if user.is_authenticated else Q(pk__in=[])


class ProfileQuerySet(models.QuerySet["CompanyProfile"]):
    def visible_to(self, user: User | AnonymousUser) -> ProfileQuerySet:
        return self.filter(_of_own_organisations(user))


class EnrichmentQuerySet(models.QuerySet["Enrichment"]):
    def visible_to(self, user: User | AnonymousUser) -> EnrichmentQuerySet:
        """What was said for one's own organisations: it shows what a firm is after."""
        return self.filter(_of_own_organisations(user))


class ScoreQuerySet(models.QuerySet["Score"]):
    def visible_to(self, user: User | AnonymousUser) -> ScoreQuerySet:
        return self.filter(_of_own_organisations(user))


class DecisionQuerySet(models.QuerySet["Decision"]):
    def visible_to(self, user: User | AnonymousUser) -> DecisionQuerySet:
        return self.filter(_of_own_organisations(user))

    def standing(self) -> DecisionQuerySet:
        return self.filter(is_standing=True)


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    def visible_to(self, user: User | AnonymousUser) -> SavedSearchQuerySet:
        """One's own, in organisations that one still belongs to."""
        return self.filter(_of_own_organisations(user), owner_id=user.pk)
