"""People: how they come in, and how they are kept out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from ..exceptions import Conflict, Missing, Refused
from ..models import Membership, Organisation, User
from .withdrawal import Withdrawal, announce_withdrawal

log = structlog.get_logger(__name__)


@transaction.atomic
def sign_up(*, user: User, organisation_name: str = "", must_confirm: bool) -> User:
    """Save a new person (not saved yet; e-mail and password set) with an organisation of their own.

    `must_confirm`: pending until the e-mail is confirmed, else active at once. Conflict: the address is taken.
    """
    user.email = user.email.strip().lower()
    user.status = User.Status.PENDING if must_confirm else User.Status.ACTIVE
    _save_new(user)
    ensure_organisation(user=user, name=organisation_name)
    return user


@transaction.atomic
def create_person(
    *,
    email: str,
    password: str | None,
    full_name: str = "",
    organisation: Organisation | None = None,
    membership_role: str = Membership.Role.MEMBER,
    **fields: Any,
) -> User:
    """A person whom somebody entitled brings in: active, the address taken as confirmed; for staff, commands, the demo.

    Without an `organisation` they get one of their own. `fields`: role, is_staff, is_superuser, metadata.
    Refused: the address or the password is not acceptable (`extra["errors"]` by field). Conflict: the address is taken.
    """
    user = _checked(email=email, password=password, full_name=full_name.strip(), **fields)
    _save_new(user)
    confirm_email(user=user, email=user.email)
    if organisation is None:
        ensure_organisation(user=user)
    else:
        Membership.objects.create(organisation=organisation, user=user, role=membership_role)
    return user


def _checked(*, email: str, password: str | None, **fields: Any) -> User:
    user = User(email=email.strip().lower(), **fields)
    errors: dict[str, list[str]] = {}
    try:
        validate_email(user.email)
    except ValidationError as error:
        errors["email"] = list(error.messages)
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            errors["password"] = list(error.messages)
    if errors:
        message = " ".join(text for texts in errors.values() for text in texts)
        raise Refused(message, code="invalid", extra={"errors": errors})
    user.set_password(password)
    return user


def _save_new(user: User) -> None:
    taken = Conflict("Somebody with this e-mail is here already. Sign in instead.", code="email_taken")
    if is_email_taken(email=user.email):
        raise taken
    try:
        with transaction.atomic():  # the constraint decides, also between two sign-ups at once
            user.save(force_insert=True)
    except IntegrityError as error:
        raise taken from error


def is_email_taken(*, email: str, by_other_than: UUID | None = None) -> bool:
    """Whether somebody signs in with it, or has confirmed it as a second address."""
    signs_in = User.objects.filter(email__iexact=email)
    confirmed = EmailAddress.objects.filter(email__iexact=email, verified=True)
    if by_other_than is not None:
        signs_in = signs_in.exclude(pk=by_other_than)
        confirmed = confirmed.exclude(user_id=by_other_than)
    return signs_in.exists() or bool(confirmed.exists())


@transaction.atomic
def ensure_organisation(*, user: User, name: str = "") -> Organisation:
    """The organisation the user belongs to (the first by name); a new one, with them as owner, when there is none.

    Idempotent: the user's row is locked, so two calls at once make one organisation.
    """
    User.objects.select_for_update().get(pk=user.pk)
    existing = Organisation.objects.visible_to(user).first()
    if existing is not None:
        return existing
    organisation = Organisation.objects.create(name=(name.strip() or _own_name(user))[:200])
    Membership.objects.create(organisation=organisation, user=user, role=Membership.Role.OWNER)
    return organisation


def _own_name(user: User) -> str:
    return f"{user.full_name or user.email.partition('@')[0]}'s office"


@transaction.atomic
def confirm_email(*, user: User, email: str) -> None:
    """The address is theirs, and the one they sign in with; pending becomes active. A suspended user stays suspended.

    Idempotent: writes nothing when all is so already. Conflict: it is somebody else's confirmed address.
    """
    addresses = EmailAddress.objects.filter(user=user)
    known = addresses.filter(email__iexact=email, verified=True, primary=True).exists()
    if not known:
        if EmailAddress.objects.filter(email__iexact=email, verified=True).exclude(user=user).exists():
            raise Conflict("Somebody else has confirmed this address.", code="email_taken")
        addresses.exclude(email__iexact=email).update(primary=False)
        if not addresses.filter(email__iexact=email).update(verified=True, primary=True):
            EmailAddress.objects.create(user=user, email=email.lower(), verified=True, primary=True)
    User.objects.filter(pk=user.pk, email_verified=False).update(email_verified=True)
    User.objects.filter(pk=user.pk, status=User.Status.PENDING).update(status=User.Status.ACTIVE)
    user.refresh_from_db(fields=["email_verified", "status"])


def record_email_change(*, user: User, is_verified: bool) -> None:
    """The address a person signs in with has been exchanged by allauth; an unconfirmed one must be confirmed again."""
    User.objects.filter(pk=user.pk).update(email_verified=is_verified)


@transaction.atomic
def change_email(*, user_id: UUID, email: str, actor: User) -> User:
    """Staff correct an address, vouching for it; it counts as confirmed. Conflict: taken. Missing: no such user."""
    user = _locked(user_id)
    email = email.strip().lower()
    if is_email_taken(email=email, by_other_than=user.pk):
        raise Conflict("Somebody else signs in with this address.", code="email_taken")
    User.objects.filter(pk=user.pk).update(email=email)
    user.email = email
    confirm_email(user=user, email=email)
    log.info("accounts.email_changed", user_id=str(user.pk), actor_id=str(actor.pk))
    return user


@transaction.atomic
def suspend(*, user_id: UUID, actor: User, reason: str = "") -> User:
    """Out at once: sessions, access tokens and refresh tokens end for good, sockets are told to close.

    A later `reactivate` brings none of them back. Idempotent: a second call changes nothing and tells nobody.
    Refused: nobody suspends themselves, and only a superuser a superuser. Missing: no such user.
    """
    if user_id == actor.pk:
        raise Refused("You can't suspend yourself. Ask another administrator.", code="own_account")
    user = _locked(user_id)
    if user.is_superuser and not actor.is_superuser:
        raise Refused("Only a superuser can suspend a superuser.", code="superuser")
    if user.status == User.Status.SUSPENDED:
        return user
    user.status = User.Status.SUSPENDED
    user.sign_in_epoch = F("sign_in_epoch") + 1
    user.save(update_fields=["status", "sign_in_epoch"])
    user.refresh_from_db(fields=["sign_in_epoch"])
    _blacklist_refresh_tokens(user)
    announce_withdrawal(Withdrawal(user_id=user.pk))
    log.info("accounts.suspended", user_id=str(user.pk), actor_id=str(actor.pk), reason=reason)
    return user


@transaction.atomic
def reactivate(*, user_id: UUID, actor: User) -> User:
    """In again: active, or pending when the e-mail was never confirmed. They sign in anew. Idempotent."""
    user = _locked(user_id)
    if user.is_superuser and not actor.is_superuser:
        raise Refused("Only a superuser can reactivate a superuser.", code="superuser")
    if user.status != User.Status.SUSPENDED:
        return user
    user.status = User.Status.ACTIVE if user.email_verified else User.Status.PENDING
    user.save(update_fields=["status"])
    ensure_organisation(user=user)
    log.info("accounts.reactivated", user_id=str(user.pk), actor_id=str(actor.pk))
    return user


def _locked(user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise Missing("There is no such user.")
    return user


def _blacklist_refresh_tokens(user: User) -> None:
    """The epoch has ended them already; this keeps the record, which staff can read, from saying otherwise."""
    outstanding = OutstandingToken.objects.filter(user=user, blacklistedtoken__isnull=True)
    BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token=token) for token in outstanding], ignore_conflicts=True
    )
