"""Signing up, in and out in a browser, and what keeps an account safe there."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import Membership, User
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.django_db
NEW = {
    "full_name": "Eva Nováková",
    "organisation": "Mosty s.r.o.",
    "email": "Eva@Example.com",
    "password1": PASSWORD,
    "password2": PASSWORD,
}


def sign_in(client: Client, user: User, **more: str) -> str:
    """Where signing in leads."""
    response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD, **more})
    assert response.status_code == 302, response.content
    return str(response["Location"])


def link_in_last_mail() -> str:
    found = re.search(r"https?://[^/]+(/\S+)", mail.outbox[-1].body)
    assert found is not None
    return found[1]


OPEN = ["login", "signup", "reset_password", "reset_password_done", "email_verification_sent", "inactive"]


@pytest.mark.parametrize("name", OPEN)
def test_pages_for_everybody_render_without_inline_script_or_style(client: Client, name: str) -> None:
    response = client.get(reverse(f"account_{name}"))
    assert response.status_code == 200
    page = response.content.decode()
    assert '<a class="skip-link"' in page
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
    assert "script-src 'self';" in response["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["email", "change_password", "logout"])
def test_pages_of_one_s_own_account_render_and_ask_others_to_sign_in(client: Client, member: User, name: str) -> None:
    path = reverse(f"account_{name}")
    assert client.get(path).status_code == 302
    sign_in(client, member)
    response = client.get(path)
    assert response.status_code == 200
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", response.content.decode())
    assert f'data-user-id="{member.pk}"' in response.content.decode()


def test_signing_up_makes_an_organisation_of_which_one_is_the_owner(client: Client) -> None:
    response = client.post("/accounts/signup/", NEW)
    assert response.status_code == 302
    user = User.objects.get(email="eva@example.com")
    membership = Membership.objects.get(user=user)
    assert (membership.organisation.name, membership.role) == ("Mosty s.r.o.", "owner")
    assert user.full_name == "Eva Nováková"
    assert (user.status, user.email_verified) == (User.Status.PENDING, False)


def test_without_a_name_the_organisation_is_called_after_its_owner(client: Client) -> None:
    client.post("/accounts/signup/", NEW | {"organisation": ""})
    assert Membership.objects.get(user__email="eva@example.com").organisation.name == "Eva Nováková's office"


def test_a_new_account_opens_once_its_address_is_confirmed(client: Client) -> None:
    client.post("/accounts/signup/", NEW)
    user = User.objects.get(email="eva@example.com")
    response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert response["Location"] == reverse("account_email_verification_sent")
    link = link_in_last_mail()
    assert b"eva@example.com" in client.get(link).content
    user.refresh_from_db()
    assert user.status == User.Status.PENDING  # looking at the link confirms nothing: scanners of mail do that
    client.post(link)
    user.refresh_from_db()
    assert (user.status, user.email_verified) == (User.Status.ACTIVE, True)
    assert sign_in(client, user) == reverse("projects:list")


@override_settings(ACCOUNT_EMAIL_VERIFICATION="optional")
def test_where_confirming_is_optional_a_new_account_is_open_at_once(client: Client) -> None:
    response = client.post("/accounts/signup/", NEW)
    assert response["Location"] == reverse("projects:list")
    assert User.objects.get(email="eva@example.com").status == User.Status.ACTIVE


def test_a_second_account_with_the_same_address_is_not_made_and_not_told(client: Client, member: User) -> None:
    response = client.post("/accounts/signup/", NEW | {"email": member.email.upper()})
    assert response["Location"] == reverse("account_email_verification_sent")
    assert User.objects.filter(email__iexact=member.email).count() == 1
    assert "account already" in mail.outbox[-1].subject


def test_passwords_are_never_echoed(client: Client, member: User) -> None:
    refused = client.post("/accounts/login/", {"login": member.email, "password": "hunter2-hunter2"})
    assert refused.status_code == 200
    assert b"hunter2" not in refused.content
    refused = client.post("/accounts/signup/", NEW | {"password1": "hunter2-hunter2", "password2": "hunter3"})
    assert refused.status_code == 200
    assert b"hunter" not in refused.content


def test_an_email_is_recognised_in_any_case(client: Client, member: User) -> None:
    response = client.post("/accounts/login/", {"login": "MEMBER@example.com", "password": PASSWORD})
    assert response["Location"] == reverse("projects:list")


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(client: Client, member: User, target: str) -> None:
    assert sign_in(client, member, next=target) == reverse("projects:list")


def test_signing_in_leads_back_to_where_one_was(client: Client, member: User) -> None:
    assert sign_in(client, member, next="/jobs/?status=failed") == "/jobs/?status=failed"


def test_whoever_was_made_by_staff_or_a_command_is_not_asked_to_confirm(client: Client, member: User) -> None:
    assert not EmailAddress.objects.filter(user=member).exists()
    assert sign_in(client, member) == reverse("projects:list")
    assert EmailAddress.objects.get(user=member).verified


def test_whoever_signs_in_has_an_organisation(client: Client, superuser: User) -> None:
    assert not Membership.objects.filter(user=superuser).exists()
    sign_in(client, superuser)
    assert Membership.objects.get(user=superuser).role == Membership.Role.OWNER


def test_signing_out_needs_a_post(client: Client, member: User) -> None:
    sign_in(client, member)
    client.get("/accounts/logout/")
    assert client.get("/accounts/email/").status_code == 200
    assert client.post("/accounts/logout/")["Location"] == reverse("account_login")
    assert client.get("/accounts/email/").status_code == 302


def test_attempts_on_the_page_are_limited(client: Client, member: User) -> None:
    for _ in range(5):
        client.post("/accounts/login/", {"login": member.email, "password": "wrong"})
    response = client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    assert response.status_code == 200
    assert b"Too many failed login attempts" in response.content


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(client: Client, member: User) -> None:
    client.post("/accounts/password/reset/", {"email": member.email})
    link = link_in_last_mail()
    form_at = client.get(link)["Location"]
    assert b"Choose a new password" in client.get(form_at).content
    fresh = "a quite different password"
    response = client.post(form_at, {"password1": fresh, "password2": fresh}, follow=True)
    assert b"Your password is changed" in response.content
    member.refresh_from_db()
    assert member.check_password(fresh)
    assert b"used up" in Client().get(link).content


def test_asking_for_a_new_password_does_not_tell_who_has_an_account(client: Client, member: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": member.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_changing_the_password_keeps_this_browser_and_ends_the_others(client: Client, member: User) -> None:
    elsewhere = Client()
    sign_in(elsewhere, member)
    sign_in(client, member)
    fresh = "a quite different password"
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": fresh, "password2": fresh})
    assert client.get("/accounts/email/").status_code == 200
    assert elsewhere.get("/accounts/email/").status_code == 302


def test_signing_in_with_a_second_address_makes_it_the_user_s_own(client: Client, member: User) -> None:
    sign_in(client, member)
    EmailAddress.objects.create(user=member, email="second@example.com", verified=True, primary=False)
    client.post("/accounts/email/", {"action_primary": "", "email": "second@example.com"})
    member.refresh_from_db()
    assert (member.email, member.email_verified) == ("second@example.com", True)


def test_the_admin_sends_others_to_the_sign_in_page(client: Client) -> None:
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"


def test_the_root_leads_to_the_projects(client: Client) -> None:
    assert client.get("/")["Location"] == reverse("projects:list")


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500"])
def test_error_pages_need_nothing_that_may_have_failed(name: str) -> None:
    """Django renders 500.html without a request; none of them may depend on one."""
    page = render_to_string(f"{name}.html")
    assert "<h1>" in page
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)


def test_a_forged_form_is_refused_in_our_look(member: User) -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    assert response.status_code == 403
    assert b"This page is too old" in response.content


def test_what_does_not_exist_says_so_in_our_look(client: Client) -> None:
    response = client.get("/nothing-here/")
    assert response.status_code == 404
    assert b"There is no such page" in response.content
