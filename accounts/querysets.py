"""Named reads of accounts, and who may see whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AnonymousUser
from django.db import connection, models
from django.db.models.functions import Lower

if TYPE_CHECKING:
    from .models import Membership, Organisation, User  # noqa: F401  # read by mypy, in the quoted parameters


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, user: User | AnonymousUser) -> OrganisationQuerySet:
        """Those the user is a member of, in any role."""
        return self.filter(pk__in=organisation_ids_of(user))


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: User | AnonymousUser) -> UserQuerySet:
        """Oneself and the people one shares an organisation with."""
        shared = models.Q(memberships__organisation_id__in=organisation_ids_of(user))
        return self.filter(models.Q(pk=user.pk) | shared).distinct()


class UserManager(BaseUserManager["User"]):
    """Creates users as Django's own commands and allauth expect; e-mails are compared without regard to case."""

    use_in_migrations = False

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def visible_to(self, user: User | AnonymousUser) -> UserQuerySet:
        return self.get_queryset().visible_to(user)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        staff = {"is_staff": True, "is_superuser": True, "status": "active", "email_verified": True}
        return self.create_user(email, password, **(staff | fields))

    def get_by_natural_key(self, username: str | None) -> User:
        return self.annotate(email_lower=Lower("email")).get(email_lower=(username or "").lower())


class MembershipQuerySet(models.QuerySet["Membership"]):
    def of(self, user: User | AnonymousUser) -> MembershipQuerySet:
        return self.filter(user_id=user.pk) if user.pk else self.none()


def organisation_ids_of(user: User | AnonymousUser, *, may_write: bool = False) -> models.QuerySet[Any, Any]:
    """Subquery of the ids of the user's organisations; `may_write` leaves out those where the user only looks on."""
    from .models import Membership

    memberships = Membership.objects.of(user)
    if may_write:
        memberships = memberships.exclude(role=Membership.Role.VIEWER)
    return memberships.values("organisation_id")


def read_organisation_ids(user: User | AnonymousUser) -> tuple[UUID, ...]:
    """What `organisation_ids_of` selects, in order. For what is asked with every key that somebody types: composing the
    query by the ORM takes several times as long as answering it (2026-11)."""
    if user.pk is None:
        return ()
    with connection.cursor() as cursor:
        cursor.execute("SELECT organisation_id FROM accounts_membership WHERE user_id = %s ORDER BY 1", [user.pk])
        return tuple(row[0] for row in cursor.fetchall())


def home_organisation_id(user: User) -> UUID | None:
    """The organisation that the user joined first; None: there is none."""
    from .models import Membership

    joined = Membership.objects.of(user).order_by("created_at", "pk").values_list("organisation_id", flat=True)
    found: UUID | None = joined.first()
    return found


def acting_organisation_id(user: User) -> UUID | None:
    """The one that the user has chosen to act for, while a member of it; else the one joined first. None: no member."""
    if user.acting_for and organisation_ids_of(user).filter(organisation_id=user.acting_for).exists():
        return user.acting_for
    return home_organisation_id(user)


def organisation_ids_owned_by(user: User | AnonymousUser) -> models.QuerySet[Any, Any]:
    """Subquery of the ids of the organisations that the user owns."""
    from .models import Membership

    return Membership.objects.of(user).filter(role=Membership.Role.OWNER).values("organisation_id")
