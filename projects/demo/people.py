"""The demo's people: an owner, a colleague, someone who only looks on, and staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.models import Membership, Organisation, User
from accounts.services import create_person, ensure_organisation, rename_organisation

ORGANISATION = "Rozpočty Olšina"
# Well-known on purpose: it opens a laptop's demo, and `manage.py demo` refuses to set it on a server.
PASSWORD = "true-to-the-plumb-line"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    full_name: str
    role: str
    is_staff: bool = False


OWNER_EMAIL = "demo@plumbline.example"
OWNER = Person(OWNER_EMAIL, "Jana Olšinová", Membership.Role.OWNER)
COLLEAGUE = Person("colleague@plumbline.example", "Petr Hrabal", Membership.Role.MEMBER)
VIEWER = Person("viewer@plumbline.example", "Klára Vítková", Membership.Role.VIEWER)
STAFF = Person("staff@plumbline.example", "Ondřej Správný", Membership.Role.MEMBER, is_staff=True)
PEOPLE = (OWNER, COLLEAGUE, VIEWER, STAFF)


@transaction.atomic
def bring_in(*, password: str) -> User:
    """The owner, once all of them are there. Idempotent: who is there already stays as they are, password included."""
    owner = User.objects.filter(email=OWNER.email).first()
    if owner is None:
        owner = create_person(email=OWNER.email, password=password, full_name=OWNER.full_name)
        own = ensure_organisation(user=owner)
        rename_organisation(organisation_id=own.pk, name=ORGANISATION, actor=owner)
    organisation = organisation_of(owner)
    for person in PEOPLE[1:]:
        if not User.objects.filter(email=person.email).exists():
            rights: dict[str, Any] = {"is_staff": True, "is_superuser": True} if person.is_staff else {}
            create_person(
                email=person.email,
                password=password,
                full_name=person.full_name,
                organisation=organisation,
                membership_role=person.role,
                **rights,
            )
    return owner


def organisation_of(owner: User) -> Organisation:
    """The one that the demo made; one's first, where it was renamed."""
    mine = Organisation.objects.visible_to(owner)
    return mine.filter(name=ORGANISATION).first() or ensure_organisation(user=owner)
