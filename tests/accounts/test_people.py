"""Making people, and whose address is whose."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.db import IntegrityError

from accounts import services
from accounts.exceptions import Conflict, Refused
from accounts.models import Membership, Organisation, User
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_person_brought_in_is_active_confirmed_and_belongs_somewhere() -> None:
    user = services.create_person(email=" Petr@Example.com ", password=PASSWORD, full_name="Petr Svoboda")
    assert (user.email, user.status, user.email_verified) == ("petr@example.com", User.Status.ACTIVE, True)
    assert user.check_password(PASSWORD)
    assert Membership.objects.get(user=user).role == "owner"


def test_a_person_can_be_brought_into_an_organisation(organisation: Organisation) -> None:
    user = services.create_person(
        email="petr@example.com", password=None, organisation=organisation, membership_role="viewer"
    )
    assert [m.organisation for m in user.memberships.all()] == [organisation]
    assert not user.has_usable_password()


@pytest.mark.parametrize("email", ["MEMBER@example.com", "second@example.com", "SECOND@example.com"])
def test_an_address_belongs_to_one_person(member: User, email: str) -> None:
    EmailAddress.objects.create(user=member, email="second@example.com", verified=True)
    with pytest.raises(Conflict) as refused:
        services.create_person(email=email, password=PASSWORD)
    assert refused.value.code == "email_taken"
    assert User.objects.count() == 1


def test_the_database_itself_keeps_two_spellings_from_being_two_people(member: User) -> None:
    with pytest.raises(IntegrityError):
        User.objects.create(email="Member@Example.com")


def test_bad_input_is_refused_by_field() -> None:
    with pytest.raises(Refused) as refused:
        services.create_person(email="no address", password="12345")
    assert set(refused.value.extra["errors"]) == {"email", "password"}


def test_staff_correct_an_address(member: User, stranger: User, superuser: User) -> None:
    services.confirm_email(user=member, email=member.email)
    changed = services.change_email(user_id=member.pk, email="New@Example.com", actor=superuser)
    assert changed.email == "new@example.com"
    primary = EmailAddress.objects.get(user=member, primary=True)
    assert (primary.email, primary.verified) == ("new@example.com", True)
    with pytest.raises(Conflict):
        services.change_email(user_id=member.pk, email=stranger.email.upper(), actor=superuser)


def test_confirming_twice_changes_nothing(member: User) -> None:
    for _ in range(2):
        services.confirm_email(user=member, email=member.email)
    assert EmailAddress.objects.filter(user=member).count() == 1


def test_createsuperuser_makes_one_who_can_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", "--email", "Root@Example.com", verbosity=0)
    root = User.objects.get_by_natural_key("ROOT@example.com")
    assert root.is_staff and root.is_superuser and root.email_verified
    assert root.check_password(PASSWORD)


def test_names_shown() -> None:
    assert str(User(email="a@b.cz")) == "a@b.cz"
    assert User(email="eva@b.cz").get_short_name() == "eva"
    assert User(email="eva@b.cz", full_name="Eva Nováková").get_short_name() == "Eva"
