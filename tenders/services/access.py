"""Finding the tender that a person may look at, and the organisation that a person acts for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from accounts.models import Membership, Organisation
from accounts.querysets import acting_organisation_id

from ..exceptions import NoOrganisation, OnlyReads, OrganisationMissing, TenderMissing
from ..models import Tender

if TYPE_CHECKING:
    from accounts.models import User


def visible_tender(*, tender_id: UUID, user: User) -> Tender:
    """Raises TenderMissing (404), for those who may not see its source too."""
    tender: Tender | None = Tender.objects.visible_to(user).select_related("source").filter(pk=tender_id).first()
    if tender is None:
        raise TenderMissing("There is no such tender.")
    return tender


def acting_organisation(user: User) -> Organisation | None:
    """The one chosen on the pages, else the one joined first: decisions, profile and scores are its own. None: no
    member."""
    chosen = acting_organisation_id(user)
    return Organisation.objects.filter(pk=chosen).first() if chosen else None


def organisation_to_act_for(*, organisation_id: UUID, user: User) -> Organisation:
    """One of the user's own. Raises OrganisationMissing (404)."""
    found: Organisation | None = Organisation.objects.visible_to(user).filter(pk=organisation_id).first()
    if found is None:
        raise OrganisationMissing("You are a member of no such organisation.")
    return found


def may_write(user: User, organisation: Organisation | None) -> bool:
    if organisation is None:
        return False
    memberships = Membership.objects.of(user).filter(organisation=organisation)
    return bool(memberships.exclude(role=Membership.Role.VIEWER).exists())


def writing_organisation(user: User) -> Organisation:
    """The organisation acted for. Raises NoOrganisation, or OnlyReads (403) for those who may only look on."""
    organisation = acting_organisation(user)
    if organisation is None:
        raise NoOrganisation("You belong to no organisation. Ask a colleague to invite you into theirs.")
    if not may_write(user, organisation):
        raise OnlyReads(
            "You may look at what your firm decides, not change it. Ask its owner for the role of a member."
        )
    return organisation
