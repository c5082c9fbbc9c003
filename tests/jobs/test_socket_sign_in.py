"""The socket: who comes in by what, and what closes when that has ended."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client as Browser

from accounts import services as accounts_services
from accounts.models import User
from accounts.services.tokens import tokens_for
from jobs import tuning
from jobs.sockets.routing import socket_application
from tests.factories.people import PASSWORD

from .socket_client import connected

pytestmark = pytest.mark.django_db(transaction=True)


async def test_page_of_a_foreign_site_is_refused(owner: User) -> None:
    communicator = WebsocketCommunicator(socket_application, "/ws/", [(b"origin", b"http://evil.example")])
    accepted, _ = await communicator.connect(20)
    assert not accepted


async def test_session_signs_in(owner: User) -> None:
    async with connected(owner) as socket:
        assert await socket.hear() == {"type": "welcome", "user_id": str(owner.pk)}


async def test_token_signs_in_by_address_or_first_message(owner: User) -> None:
    access = (await sync_to_async(tokens_for)(user=owner)).access
    async with connected(query=f"?token={access}") as socket:
        assert (await socket.hear())["user_id"] == str(owner.pk)
    async with connected() as socket:
        await socket.say(action="auth", token=access)
        assert (await socket.hear())["user_id"] == str(owner.pk)


async def test_nobody_without_a_valid_token_gets_in(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(query="?token=nonsense") as socket:
        assert await socket.hear() == {"type": "closed", "code": 4401}
    async with connected() as socket:
        await socket.say(action="join", channel=f"user:{owner.pk}")
        assert await socket.hear() == {"type": "closed", "code": 4401}
    monkeypatch.setattr(tuning, "SOCKET_SIGN_IN_S", 0.1)
    async with connected() as socket:
        assert await socket.hear() == {"type": "closed", "code": 4401}


async def test_suspended_user_is_out_at_once(owner: User, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "SOCKET_SIGN_IN_S", 0.1)
    async with connected(owner) as socket:
        await socket.join(f"user:{owner.pk}")
        await sync_to_async(accounts_services.suspend)(user_id=owner.pk, actor=staff)
        assert await socket.hear() == {"type": "closed", "code": 4401}
    async with connected(owner) as socket:
        assert await socket.hear() == {"type": "closed", "code": 4401}


async def test_suspension_that_redis_did_not_carry_is_noticed(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "SOCKET_USERS_CHECKED_EVERY_S", 0.1)
    async with connected(owner) as socket:
        await socket.join(f"user:{owner.pk}")
        await sync_to_async(User.objects.filter(pk=owner.pk).update)(status=User.Status.SUSPENDED)
        assert await socket.hear() == {"type": "closed", "code": 4401}


async def test_after_a_wrong_token_nothing_more_is_listened_to(owner: User) -> None:
    access = (await sync_to_async(tokens_for)(user=owner)).access
    async with connected() as socket:
        await socket.say(action="auth", token="nonsense")
        await socket.say(action="auth", token=access)
        assert await socket.hear() == {"type": "closed", "code": 4401}
        assert await socket.raw.receive_nothing()


async def test_program_without_an_origin_comes_in_by_token(owner: User) -> None:
    access = (await sync_to_async(tokens_for)(user=owner)).access
    async with connected(query=f"?token={access}", headers=()) as socket:
        assert (await socket.hear())["user_id"] == str(owner.pk)
    async with connected(headers=((b"authorization", f"Bearer {access}".encode()),)) as socket:
        assert (await socket.hear())["user_id"] == str(owner.pk)
    async with connected(headers=()) as socket:
        await socket.say(action="auth", token=access)
        assert (await socket.hear())["user_id"] == str(owner.pk)


async def test_without_an_origin_a_session_counts_for_nothing(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "SOCKET_SIGN_IN_S", 0.1)
    async with connected(owner, headers=()) as socket:
        assert await socket.hear() == {"type": "closed", "code": 4401}


async def test_changed_password_closes_what_the_old_one_opened(owner: User) -> None:
    access = (await sync_to_async(tokens_for)(user=owner)).access
    here, elsewhere = Browser(), Browser()
    for browser in (here, elsewhere):
        await sync_to_async(browser.force_login)(owner)
    asked = {"oldpassword": PASSWORD, "password1": "plumb-and-level-9", "password2": "plumb-and-level-9"}
    async with connected(browser=elsewhere) as session, connected(query=f"?token={access}", headers=()) as program:
        for socket in (session, program):
            await socket.join(f"user:{owner.pk}")
        assert (await sync_to_async(here.post)("/accounts/password/change/", asked)).status_code == 302
        assert await session.until_closed() == 4410
        assert await program.until_closed() == 4410
    async with connected(browser=elsewhere) as socket:
        await socket.say(action="ping")
        assert await socket.hear() == {"type": "closed", "code": 4401}
    async with connected(browser=here) as socket:  # who changed it is still signed in
        assert (await socket.hear())["type"] == "welcome"


async def test_ended_sign_ins_that_nobody_announced_are_noticed(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "SOCKET_USERS_CHECKED_EVERY_S", 0.1)
    here, elsewhere = Browser(), Browser()
    for browser in (here, elsewhere):
        await sync_to_async(browser.force_login)(owner)
    async with connected(browser=here) as one, connected(browser=elsewhere) as other:
        for socket in (one, other):
            await socket.join(f"user:{owner.pk}")
        await sync_to_async(here.logout)()
        assert await one.until_closed() == 4410
        await other.say(action="ping")
        assert (await other.until("pong"))["type"] == "pong"
        await User.objects.filter(pk=owner.pk).aupdate(sign_in_epoch=1)
        assert await other.until_closed() == 4410
