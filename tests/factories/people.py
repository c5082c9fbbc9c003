"""People and organisations for tests: plain functions, minimal, never random."""

from __future__ import annotations

from itertools import count

from accounts.models import Membership, Organisation, User

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_organisation(name: str = "Stavby Novák") -> Organisation:
    return Organisation.objects.create(name=name)


def make_user(
    name: str = "",
    *,
    organisation: Organisation | None = None,
    role: str = Membership.Role.MEMBER,
    is_staff: bool = False,
) -> User:
    """An active user whose e-mail is `<name>@example.com`; a member of the organisation, if there is one."""
    name = name or f"user{next(_numbers)}"
    user = User.objects.create_user(
        f"{name}@example.com", PASSWORD, full_name=name.title(), is_staff=is_staff, email_verified=True
    )
    if organisation is not None:
        Membership.objects.create(organisation=organisation, user=user, role=role)
    return user
