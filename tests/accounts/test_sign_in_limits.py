"""Guessing is slow, on the pages and by the API; and nobody is locked out by somebody else."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from config.redis_access import ask, key
from config.throttling import begin_attempt
from tests.factories.people import PASSWORD
from tests.platform.throttled import limit

pytestmark = pytest.mark.django_db
HOME, OFFICE, ELSEWHERE = "203.0.113.1", "203.0.113.2", "198.51.100.7"


def by_api(email: str, password: str = "wrong", *, address: str = HOME) -> Any:
    return APIClient(REMOTE_ADDR=address).post("/api/auth/login", {"email": email, "password": password})


def by_page(email: str, password: str = "wrong", *, address: str = HOME) -> Any:
    return Client(REMOTE_ADDR=address).post("/accounts/login/", {"login": email, "password": password})


def is_in(answer: Any) -> bool:
    """The API answers 200 with tokens; the page redirects, and shows itself again when it refuses."""
    return answer.status_code == 302 or (
        answer.status_code == 200 and "access" in (answer.headers["Content-Type"], *_keys(answer))
    )


def _keys(answer: Any) -> list[str]:
    return list(answer.json()) if answer["Content-Type"].startswith("application/json") else []


def is_limited(answer: Any) -> bool:
    return answer.status_code == 429 or b"Too many failed login attempts" in answer.content


@pytest.mark.parametrize("attempt", [by_api, by_page])
def test_five_wrong_passwords_and_the_right_one_is_refused_too(owner: User, attempt: Any) -> None:
    answers = [attempt(owner.email) for _ in range(5)]
    assert not any(is_limited(answer) for answer in answers)
    assert is_limited(attempt(owner.email, PASSWORD))


def test_pages_and_api_count_together(owner: User) -> None:
    for attempt in (by_api, by_page, by_api, by_page, by_api):
        assert not is_limited(attempt(owner.email))
    assert is_limited(by_page(owner.email, PASSWORD))
    assert is_limited(by_api(owner.email.upper(), PASSWORD)), "the case of an e-mail makes no other"


def test_a_refusal_says_when_to_come_back(owner: User) -> None:
    for _ in range(5):
        by_api(owner.email)
    refused = by_api(owner.email)
    body, wait = refused.json(), int(refused["Retry-After"])
    assert (body["code"], body["retry_after_s"]) == ("too_many_attempts", wait)
    assert 1 <= wait <= 301
    assert f"in {wait} seconds" in body["detail"]


def test_attempts_on_accounts_that_do_not_exist_are_answered_alike(owner: User) -> None:
    for email in (owner.email, "nobody@example.com"):
        answers = [by_api(email, address=OFFICE if email == owner.email else HOME) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        assert set(answers[-1].json()) == {"type", "title", "status", "detail", "code", "retry_after_s"}


@pytest.mark.parametrize("attempt", [by_api, by_page])
def test_an_address_is_limited_whatever_it_tries(attempt: Any, owner: User) -> None:
    for number in range(10):
        assert not is_limited(attempt(f"somebody{number}@example.com"))
    assert is_limited(attempt(owner.email, PASSWORD))
    assert is_in(attempt(owner.email, PASSWORD, address=OFFICE))


@pytest.mark.parametrize("attempt", [by_api, by_page])
def test_a_success_takes_back_its_own_attempt_and_no_other(owner: User, member: User, attempt: Any) -> None:
    for _ in range(4):
        attempt(owner.email)
    assert is_in(attempt(owner.email, PASSWORD)), "the fifth; it was right and does not count"
    assert is_in(attempt(member.email, PASSWORD)), "a colleague at the same address"
    assert not is_limited(attempt(owner.email)), "the fifth that counts"
    assert is_limited(attempt(owner.email, PASSWORD)), "no success has wiped the failures"


def test_own_sign_ins_between_guesses_win_the_guesser_nothing(owner: User, member: User) -> None:
    """Whoever has an account of their own can't clean the address by signing in with it."""
    for number in range(10):
        assert not is_limited(by_api(f"victim{number}@example.com"))
        if number < 9:
            assert is_in(by_api(member.email, PASSWORD))
    assert is_limited(by_api("victim10@example.com"))


def test_signing_in_often_is_no_offence(owner: User) -> None:
    assert all(is_in(by_api(owner.email, PASSWORD)) for _ in range(15))


def test_wrong_passwords_elsewhere_lock_nobody_out_here(owner: User) -> None:
    for _ in range(7):
        by_api(owner.email, address=ELSEWHERE)
    assert is_limited(by_api(owner.email, PASSWORD, address=ELSEWHERE))
    assert is_in(by_api(owner.email, PASSWORD, address=HOME))
    assert is_in(by_page(owner.email, PASSWORD, address=OFFICE))


def test_guessing_from_everywhere_is_limited_and_known_places_stay_open(owner: User, settings: LazySettings) -> None:
    limit(settings, sign_in_email="20/hour")
    assert is_in(by_page(owner.email, PASSWORD, address=OFFICE))
    for number in range(20):
        assert not is_limited(by_api(owner.email, address=f"198.51.100.{number}"))
    assert is_limited(by_api(owner.email, address="198.51.100.200")), "from a place that has tried nothing yet"
    assert is_limited(by_api(owner.email, PASSWORD, address=HOME)), "it may be theirs, but nobody knows"
    assert is_in(by_api(owner.email, PASSWORD, address=OFFICE)), "where they were before they are let in"
    assert is_in(by_page(owner.email, PASSWORD, address=OFFICE))


def test_a_known_place_is_known_for_one_account_only(owner: User, member: User, settings: LazySettings) -> None:
    limit(settings, sign_in_email="3/hour")
    assert is_in(by_api(member.email, PASSWORD, address=OFFICE))
    for number in range(3):
        by_api(owner.email, address=f"198.51.100.{number}")
    assert is_limited(by_api(owner.email, PASSWORD, address=OFFICE))


def test_a_known_place_may_not_guess_either(owner: User) -> None:
    assert is_in(by_api(owner.email, PASSWORD))
    for _ in range(5):
        by_api(owner.email)
    assert is_limited(by_api(owner.email, PASSWORD))


def test_a_forged_address_does_not_help(owner: User, settings: LazySettings) -> None:
    def attempt(forwarded: str) -> Any:
        client = APIClient(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
        return client.post("/api/auth/login", {"email": owner.email, "password": "wrong"})

    assert [attempt(f"198.51.100.{number}").status_code for number in range(6)] == [401] * 5 + [429]
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    found = [attempt(f"198.51.100.{number}, {HOME}").status_code for number in range(6)]
    assert found == [401] * 5 + [429], "what a caller writes stands left of what the proxy adds"


def test_many_attempts_at_once_are_no_more_than_one_after_the_other() -> None:
    """Each is counted before the password is looked at: none waits for another's result."""
    begun = [begin_attempt(email="owner@example.com", address=HOME) for _ in range(8)]
    assert [attempt.is_allowed for attempt in begun] == [True] * 5 + [False] * 3


def test_redis_holds_nobodys_email(owner: User) -> None:
    by_api(owner.email, PASSWORD)
    by_api(owner.email)

    def names(client: Any) -> list[bytes]:
        return [*client.scan_iter(key("throttle", "*")), *client.scan_iter(key("known-place", "*"))]

    found = ask(names)
    assert found
    assert not any(b"owner" in name for name in found)


def test_setting_a_forgotten_password_anew_lets_one_in_again(
    owner: User, client: Client, mailoutbox: list[Any]
) -> None:
    for _ in range(6):
        by_page(owner.email, address="127.0.0.1")
    client.post("/accounts/password/reset/", {"email": owner.email})
    link = next(word for word in mailoutbox[0].body.split() if "/password/reset/key/" in word)
    page = client.get("/" + link.split("/", 3)[3], follow=True)
    address = page.redirect_chain[-1][0]
    new = "another battery, another staple"
    assert client.post(address, {"password1": new, "password2": new}).status_code == 302
    assert is_in(by_page(owner.email, new, address="127.0.0.1"))


def test_asking_for_a_new_password_is_limited_by_email_and_tells_nothing(client: Client, owner: User) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        for email in (owner.email, "nobody@example.com"):
            statuses = [client.post("/accounts/password/reset/", {"email": email}).status_code for _ in range(6)]
            assert statuses == [302] * 5 + [429]


def test_signing_up_is_limited_by_address(client: Client, db: None) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        statuses = [client.post("/accounts/signup/", {"email": "x"}).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
