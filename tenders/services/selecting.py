"""Which tenders an organisation has yet to have read."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from ..analysis import Profile
from ..models import CompanyProfile, Enrichment, Score, Tender
from ..querysets import TenderQuerySet


def profile_for(organisation_id: UUID) -> Profile:
    """As the engine reads it; an empty one, of revision 0, for a firm that has said nothing yet."""
    row = CompanyProfile.objects.filter(organisation_id=organisation_id).first()
    if row is None:
        return Profile()
    return Profile(
        cpv_codes=tuple(row.cpv_codes),
        keywords=tuple(row.keywords),
        negative_keywords=tuple(row.negative_keywords),
        regions=tuple(row.regions),
        countries=tuple(row.countries),
        value_min=row.value_min,
        value_max=row.value_max,
        value_currency=row.value_currency,
        days_to_prepare=row.days_to_prepare,
        capabilities=row.capabilities,
        revision=row.revision,
    )


def visible_to_organisation(organisation_id: UUID) -> TenderQuerySet:
    """Tenders of shared sources and of its own."""
    return Tender.objects.filter(Q(source__organisation=None) | Q(source__organisation_id=organisation_id))


def unread(
    organisation_id: UUID, *, by_model: bool, revision: int | None = None, fell_back: bool = False
) -> TenderQuerySet:
    """Never read for this organisation, or changed since, or read for an earlier revision of its profile; for a model
    also what only the rules have read. Not what they read because the model failed, for that would go on for ever:
    only where somebody asks for it (`fell_back`).

    The latest deadline first: most time is left for those, and what has passed comes last.
    """
    if revision is None:
        revision = profile_for(organisation_id).revision
    current = Score.objects.filter(
        organisation_id=organisation_id,
        tender=OuterRef("pk"),
        content_hash=OuterRef("content_hash"),
        profile_revision=revision,
    )
    if by_model:
        is_read = Q(enrichment__method=Enrichment.Method.MODEL)
        current = current.filter(is_read if fell_back else is_read | ~Q(enrichment__fell_back=""))
    tenders = visible_to_organisation(organisation_id).filter(~Exists(current))
    return tenders.order_by(F("deadline_at").desc(nulls_last=True), "-id")
