"""Staff and people: actions go through the services, and nobody gives themselves more rights."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership, Organisation, User
from tests.factories.people import PASSWORD, make_organisation, make_user

pytestmark = pytest.mark.django_db
USERS = "admin:accounts_user_changelist"


@pytest.fixture
def staff(db: None) -> User:
    """May change users, but is no superuser."""
    user = make_user("staff", is_staff=True, organisation=make_organisation("Operations"))
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    return user


def act(client: Client, action: str, *users: User) -> str:
    """The page after an action on users."""
    body = {"action": action, "_selected_action": [str(user.pk) for user in users]}
    return client.post(reverse(USERS), body, follow=True).content.decode()


def change_page(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


@pytest.mark.parametrize("model", ["user", "organisation", "membership"])
def test_lists_search_and_pages_of_one_render(client: Client, superuser: User, owner: User, model: str) -> None:
    client.force_login(superuser)
    assert client.get(reverse(f"admin:accounts_{model}_changelist"), {"q": "owner"}).status_code == 200
    assert client.get(reverse(f"admin:accounts_{model}_add")).status_code == 200
    pk = {"user": owner.pk, "organisation": owner.memberships.get().organisation_id}.get(
        model
    ) or Membership.objects.get(user=owner).pk
    assert client.get(reverse(f"admin:accounts_{model}_change", args=[pk])).status_code == 200


@pytest.mark.parametrize("model", ["user", "organisation", "membership"])
def test_lists_take_the_same_queries_with_many_rows(client: Client, superuser: User, owner: User, model: str) -> None:
    client.force_login(superuser)
    path = reverse(f"admin:accounts_{model}_changelist")
    client.get(path)
    with CaptureQueriesContext(connection) as with_few:
        client.get(path)
    for number in range(50):
        make_user(f"one-of-many-{number}", organisation=make_organisation(f"Office {number}"))
    with CaptureQueriesContext(connection) as with_many:
        client.get(path)
    assert len(with_many) == len(with_few)


def test_people_who_are_not_staff_have_no_admin(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get(reverse(USERS)).status_code in (302, 403)
    assert act(client, "suspend", owner).count("<table") == 0
    owner.refresh_from_db()
    assert owner.status == User.Status.ACTIVE


def test_suspending_and_reactivating(client: Client, superuser: User, owner: User, member: User) -> None:
    client.force_login(superuser)
    assert "2 people suspended" in act(client, "suspend", owner, member)
    member.refresh_from_db()
    assert (member.status, member.sign_in_epoch) == (User.Status.SUSPENDED, 1)
    assert "1 person reactivated" in act(client, "reactivate", member)
    member.refresh_from_db()
    assert member.status == User.Status.ACTIVE


def test_what_can_t_be_suspended_is_said_and_the_rest_is_done(client: Client, superuser: User, member: User) -> None:
    client.force_login(superuser)
    page = act(client, "suspend", superuser, member)
    assert "You can&#x27;t suspend yourself" in page
    assert "1 person suspended" in page


def test_a_new_person_has_a_confirmed_address_and_an_organisation(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    body = {
        "email": "Petr@Example.com",
        "full_name": "Petr",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
        "emailaddress_set-TOTAL_FORMS": 0,
        "emailaddress_set-INITIAL_FORMS": 0,
    }
    response = client.post(reverse("admin:accounts_user_add"), body)
    assert response.status_code == 302, response.context["errors"]
    user = User.objects.get(email="petr@example.com")
    assert (user.status, user.email_verified) == (User.Status.ACTIVE, True)
    assert Membership.objects.get(user=user).role == "owner"


def test_a_taken_address_is_refused_by_the_form(client: Client, superuser: User, member: User) -> None:
    client.force_login(superuser)
    response = client.post(reverse("admin:accounts_user_add"), {"email": "MEMBER@example.com"})
    assert response.status_code == 200
    assert b"Somebody else signs in with this address." in response.content


def test_staff_do_not_hand_out_rights_or_touch_a_superuser(
    client: Client, staff: User, superuser: User, member: User
) -> None:
    client.force_login(staff)
    assert client.get(change_page(member)).status_code == 200
    body = {
        "email": member.email,
        "role": "user",
        "is_staff": "on",
        "is_superuser": "on",
        "metadata": "{}",
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
        "emailaddress_set-TOTAL_FORMS": 0,
        "emailaddress_set-INITIAL_FORMS": 0,
    }
    assert client.post(change_page(member), body | {"full_name": "Changed"}).status_code == 302
    member.refresh_from_db()
    assert (member.full_name, member.is_staff, member.is_superuser) == ("Changed", False, False)
    assert client.post(change_page(superuser), body).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[superuser.pk])
    assert client.get(password).status_code == 403
    assert "Only a superuser can suspend a superuser." in act(client, "suspend", superuser)


def test_removing_a_member_on_the_organisation_s_page(
    client: Client, superuser: User, organisation: Organisation, owner: User, member: User
) -> None:
    client.force_login(superuser)
    membership = Membership.objects.get(user=member)
    body = {
        "name": organisation.name,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": membership.pk,
        "memberships-0-organisation": organisation.pk,
        "memberships-0-user": member.pk,
        "memberships-0-role": "member",
        "memberships-0-DELETE": "on",
    }
    response = client.post(reverse("admin:accounts_organisation_change", args=[organisation.pk]), body)
    assert response.status_code == 302
    assert organisation not in Organisation.objects.visible_to(member)
