"""Organisations, their members, users."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .querysets import MembershipQuerySet, OrganisationQuerySet, UserManager


class Organisation(models.Model):
    """A firm or an office of it: what projects, tenders and budgets belong to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by e-mail.

        pending ──(e-mail confirmed)──> active <──> suspended

    Whoever is suspended is out at once: `is_active` is False, so sessions, tokens and sockets end (services.suspend).
    """

    class Role(models.TextChoices):
        USER = "user", "User"
        PRO = "pro", "Pro"
        BUSINESS = "business", "Business"
        ENTERPRISE = "enterprise", "Enterprise"

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254)
    full_name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.USER)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    email_verified = models.BooleanField(default=False)
    metadata = models.JSONField(default=dict, blank=True)
    is_staff = models.BooleanField("may use the admin", default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    # Counted up to end every session and token at once, for good: see `get_session_auth_hash`.
    sign_in_epoch = models.PositiveIntegerField(default=0, editable=False)

    # Whom the person acts for in this request, where a page lets them choose; None: the organisation joined first.
    acting_for: uuid.UUID | None = None

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["email"]
        constraints = [
            # Sign-in looks users up by it; two spellings of one address must not be two people.
            models.UniqueConstraint(
                Lower("email"), name="user_email_unique", violation_error_message="This e-mail is taken."
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Read by Django's and the tokens' authentication on every request."""
        return self.status != self.Status.SUSPENDED

    def get_session_auth_hash(self) -> str:
        """What a session, and a token, must match: it changes with the password and with `sign_in_epoch`."""
        return self._sign_in_hash(None)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under the secrets that SECRET_KEY_FALLBACKS still honours."""
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._sign_in_hash(secret)

    def _sign_in_hash(self, secret: str | bytes | None) -> str:
        state = f"{self.password}:{self.sign_in_epoch}"
        return salted_hmac("plumbline.accounts.sign-in", state, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.full_name or self.email

    def get_short_name(self) -> str:
        return self.full_name.split(" ")[0] if self.full_name else self.email.split("@")[0]


class Membership(models.Model):
    """A person's place in an organisation."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        MEMBER = "member", "Member"
        COACH = "coach", "Coach"
        VIEWER = "viewer", "Viewer (reads only)"

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["organisation", "user"]
        constraints = [models.UniqueConstraint(fields=["organisation", "user"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation}"
