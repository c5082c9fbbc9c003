"""Organisations and who belongs to them."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import transaction

from ..exceptions import Missing, Refused
from ..models import Membership, Organisation, User
from .withdrawal import Withdrawal, announce_withdrawal

log = structlog.get_logger(__name__)


@transaction.atomic
def create_organisation(*, name: str, owner: User) -> Organisation:
    """A further organisation, with `owner` as its owner. Refused: no name."""
    organisation = Organisation.objects.create(name=_clean_name(name))
    Membership.objects.create(organisation=organisation, user=owner, role=Membership.Role.OWNER)
    return organisation


def rename_organisation(*, organisation_id: UUID, name: str, actor: User) -> Organisation:
    """By an owner or staff. Refused: no name. Missing: not theirs to rename."""
    organisation = _administered(organisation_id, actor)
    organisation.name = _clean_name(name)
    organisation.save(update_fields=["name"])
    return organisation


@transaction.atomic
def add_member(*, organisation_id: UUID, user_id: UUID, role: str, actor: User) -> Membership:
    """Bring somebody in, by an owner or staff; a member already there gets the new role. Idempotent.

    Missing: no such organisation (or not theirs), no such user. Refused: unknown role, or the last owner would go.
    """
    organisation = _administered(organisation_id, actor)
    if not User.objects.filter(pk=user_id).exists():
        raise Missing("There is no such user.")
    membership, is_new = Membership.objects.get_or_create(
        organisation=organisation, user_id=user_id, defaults={"role": _clean_role(role)}
    )
    return membership if is_new else _with_role(membership, _clean_role(role))


@transaction.atomic
def change_role(*, organisation_id: UUID, user_id: UUID, role: str, actor: User) -> Membership:
    """By an owner or staff. Refused: unknown role, or it is the last owner. Missing: not a member."""
    organisation = _administered(organisation_id, actor)
    return _with_role(_member(organisation, user_id), _clean_role(role))


@transaction.atomic
def remove_member(*, organisation_id: UUID, user_id: UUID, actor: User) -> None:
    """Take somebody out: by an owner, staff, or themselves. Sockets are told; what they made stays.

    Refused: the last owner of an organisation can't leave it. Missing: not a member.
    """
    leaves = user_id == actor.pk
    organisation = _locked(organisation_id) if leaves else _administered(organisation_id, actor)
    membership = _member(organisation, user_id)
    _refuse_without_owner(membership)
    membership.delete()
    announce_withdrawal(Withdrawal(user_id=user_id, organisation_id=organisation.pk))
    log.info(
        "accounts.member_removed", user_id=str(user_id), organisation_id=str(organisation.pk), actor_id=str(actor.pk)
    )


def _locked(organisation_id: UUID) -> Organisation:
    """Membership changes of one organisation go one after the other, else two owners could remove each other."""
    organisation = Organisation.objects.select_for_update().filter(pk=organisation_id).first()
    if organisation is None:
        raise Missing("There is no such organisation.")
    return organisation


def _administered(organisation_id: UUID, actor: User) -> Organisation:
    organisation = _locked(organisation_id)
    owners = Membership.objects.of(actor).filter(organisation=organisation, role=Membership.Role.OWNER)
    if not (actor.is_staff or owners.exists()):
        raise Missing("There is no such organisation, or you are not its owner.")
    return organisation


def _member(organisation: Organisation, user_id: UUID) -> Membership:
    membership = Membership.objects.filter(organisation=organisation, user_id=user_id).first()
    if membership is None:
        raise Missing("They are not a member of this organisation.")
    return membership


def _with_role(membership: Membership, role: str) -> Membership:
    if membership.role == role:
        return membership
    _refuse_without_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


def _refuse_without_owner(leaving: Membership) -> None:
    if leaving.role != Membership.Role.OWNER:
        return
    others = Membership.objects.filter(organisation_id=leaving.organisation_id, role=Membership.Role.OWNER)
    if not others.exclude(pk=leaving.pk).exists():
        raise Refused("An organisation needs an owner. Make somebody else its owner first.", code="last_owner")


def _clean_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Refused("An organisation needs a name.", code="invalid")
    return name[:200]


def _clean_role(role: str) -> str:
    if role not in Membership.Role.values:
        raise Refused(f"The role must be one of {', '.join(Membership.Role.values)}.", code="invalid")
    return role
