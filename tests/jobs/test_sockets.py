"""The socket: who may come in, what they see, and that nothing is missing or said twice."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from accounts import services as accounts_services
from accounts.models import Organisation, User
from jobs import events, tuning
from jobs.connections import events_redis
from jobs.models import Job
from jobs.services import enqueue

from .socket_client import connected

pytestmark = pytest.mark.django_db(transaction=True)
NOTE: dict[str, Any] = {"level": "info", "text": "Hello"}


def say(channel: str, count: int = 1) -> list[int]:
    return events.publish_many([(channel, "notification", NOTE)] * count)


publish = sync_to_async(say)


async def test_snapshot_has_the_running_jobs(owner: User) -> None:
    job = await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=owner)
    async with connected(owner) as socket:
        snapshot = await socket.join(f"user:{owner.pk}")
        assert [state["job_id"] for state in snapshot["data"]["jobs"]] == [str(job.pk)]
        assert (snapshot["live"], snapshot["resumed"]) == (True, False)
        snapshot = await socket.join(f"job:{job.pk}")
        assert snapshot["data"]["jobs"][0]["status"] == "queued"


@pytest.mark.parametrize("channel", ["user", "job", "batch"])
async def test_stranger_is_refused_and_told_no_more_than_of_what_is_not_there(
    channel: str, owner: User, stranger: User, organisation: Organisation
) -> None:
    job = await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=owner, organisation=organisation)
    theirs = f"{channel}:{owner.pk if channel == 'user' else job.pk}"
    async with connected(stranger) as socket:
        for asked in (theirs, f"{channel}:{uuid4()}", f"{channel}:no-uuid", "nothing:1", "", channel):
            await socket.say(action="join", channel=asked)
            error = await socket.until("error")
            assert (error["code"], error["channel"]) == (4404, asked)
            assert error["message"] == "There is no such channel."


async def test_colleague_may_join_what_belongs_to_the_organisation(
    owner: User, viewer: User, organisation: Organisation
) -> None:
    job = await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=owner, organisation=organisation)
    async with connected(viewer) as socket:
        assert (await socket.join(f"job:{job.pk}"))["data"]["jobs"][0]["job_id"] == str(job.pk)


async def test_live_events_follow_the_snapshot(owner: User) -> None:
    channel = f"user:{owner.pk}"
    (before,) = await publish(channel)
    async with connected(owner) as socket:
        snapshot = await socket.join(channel)
        assert snapshot["seq"] == before
        (number,) = await publish(channel)
        event = await socket.hear()
        assert (event["type"], event["seq"], event["data"]) == ("notification", number, NOTE)


async def test_events_published_while_joining_come_once_each_in_order(owner: User) -> None:
    channel = f"user:{owner.pk}"
    first = (await publish(channel, 20))[0]
    async with connected(owner) as socket:
        await socket.say(action="join", channel=channel, since=first)
        for _ in range(30):
            await publish(channel, 5)
        numbers = []
        while not numbers or numbers[-1] < first + 169:
            frame = await socket.hear()
            if frame["type"] == "notification":
                numbers.append(frame["seq"])
        assert numbers == list(range(first + 1, first + 170))


async def test_reconnect_with_since_gets_exactly_what_was_missed(owner: User) -> None:
    channel = f"user:{owner.pk}"
    async with connected(owner) as socket:
        await socket.join(channel)
        (seen,) = await publish(channel)
        assert (await socket.hear())["seq"] == seen
    missed = await publish(channel, 3)
    async with connected(owner) as socket:
        snapshot = await socket.join(channel, since=seen)
        assert snapshot["resumed"]
        assert [(await socket.hear())["seq"] for _ in missed] == missed


async def test_client_that_missed_too_much_is_told_to_start_anew(owner: User) -> None:
    channel = f"user:{owner.pk}"
    (seen,) = await publish(channel)
    await sync_to_async(events_redis().flushdb)()
    (fresh,) = await publish(channel)
    async with connected(owner) as socket:
        snapshot = await socket.join(channel, since=seen)
        assert (snapshot["resumed"], snapshot["seq"]) == (False, fresh)
        snapshot = await socket.join(channel, since=fresh + 1_000_000)
        assert (snapshot["resumed"], snapshot["seq"]) == (False, fresh)


async def test_flush_of_redis_under_a_live_socket_leads_to_a_new_snapshot(owner: User) -> None:
    channel = f"user:{owner.pk}"
    await publish(channel)
    async with connected(owner) as socket:
        await socket.join(channel)
        await sync_to_async(events_redis().flushdb)()
        (number,) = await publish(channel)
        assert (await socket.until("snapshot"))["seq"] == number
        (following,) = await publish(channel)
        assert (await socket.until("notification"))["seq"] == following


async def test_lost_subscription_is_made_up_for(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "REDIS_PAUSE_S", 0.1)
    channel = f"user:{owner.pk}"
    await publish(channel)
    async with connected(owner) as socket:
        await socket.join(channel)
        await sync_to_async(events_redis().client_kill_filter)(_type="pubsub", skipme=True)
        numbers = await publish(channel, 3)
        assert (await socket.until("live"))["live"] is False
        assert (await socket.until("live"))["live"] is True
        assert [(await socket.until("notification"))["seq"] for _ in numbers] == numbers
        # What could not be said at all is in no stream: the state follows, and once more when every publisher is back.
        for _ in range(2):
            snapshot = await socket.until("snapshot")
            assert (snapshot["seq"], snapshot["resumed"], snapshot["live"]) == (numbers[-1], False, True)
        (following,) = await publish(channel)
        assert (await socket.hear())["seq"] == following


async def test_without_redis_the_snapshot_comes_and_says_that_it_is_not_live(owner: User, redis_is_down: None) -> None:
    job = await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=owner)
    async with connected(owner) as socket:
        snapshot = await socket.join(f"user:{owner.pk}")
        assert snapshot["live"] is False
        assert snapshot["data"]["jobs"][0]["job_id"] == str(job.pk)


async def test_two_clients_see_the_same(owner: User, member: User, organisation: Organisation) -> None:
    job = await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=owner, organisation=organisation)
    async with connected(owner) as one, connected(member) as two:
        for socket in (one, two):
            await socket.join(f"job:{job.pk}")
        numbers = await publish(f"job:{job.pk}", 5)
        for socket in (one, two):
            assert [(await socket.until("notification"))["seq"] for _ in numbers] == numbers


async def test_whoever_left_a_channel_hears_no_more_of_it(owner: User) -> None:
    async with connected(owner) as socket:
        await socket.join(f"user:{owner.pk}")
        await socket.say(action="leave", channel=f"user:{owner.pk}")
        assert (await socket.until("left"))["channel"] == f"user:{owner.pk}"
        await publish(f"user:{owner.pk}")
        await socket.say(action="ping")
        assert await socket.hear() == {"type": "pong"}


async def test_former_member_loses_the_organisations_channels_and_keeps_their_own(
    owner: User, member: User, organisation: Organisation
) -> None:
    job = await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=owner, organisation=organisation)
    async with connected(member) as socket:
        await socket.join(f"job:{job.pk}")
        await socket.join(f"user:{member.pk}")
        await sync_to_async(accounts_services.remove_member)(
            organisation_id=organisation.pk, user_id=member.pk, actor=owner
        )
        error = await socket.until("error")
        assert (error["code"], error["channel"]) == (4404, f"job:{job.pk}")
        await publish(f"job:{job.pk}")
        (number,) = await publish(f"user:{member.pk}")
        assert (await socket.hear())["seq"] == number


async def test_withdrawn_channel_is_left(owner: User) -> None:
    channel = f"user:{owner.pk}"
    async with connected(owner) as socket:
        await socket.join(channel)
        await sync_to_async(events.withdraw)(owner.pk, channel)
        assert (await socket.until("error"))["code"] == 4404


async def test_oversized_message_closes(owner: User) -> None:
    async with connected(owner) as socket:
        await socket.hear()
        await socket.say(action="join", channel="x" * tuning.SOCKET_MESSAGE_BYTES)
        assert await socket.hear() == {"type": "closed", "code": 1009}


async def test_flood_of_messages_closes(owner: User) -> None:
    async with connected(owner) as socket:
        await socket.hear()
        for _ in range(200):
            await socket.say(action="ping")
        assert await socket.until_closed() == 4429


async def test_guessing_of_channels_closes(owner: User) -> None:
    async with connected(owner) as socket:
        await socket.hear()
        for _ in range(tuning.SOCKET_REFUSED_JOINS):
            await socket.say(action="join", channel=f"job:{uuid4()}")
        assert await socket.until_closed() == 4404


async def test_number_of_channels_is_limited(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "SOCKET_CHANNELS", 2)
    jobs = [await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=owner) for _ in range(3)]
    async with connected(owner) as socket:
        for job in jobs[:2]:
            await socket.join(f"job:{job.pk}")
        await socket.say(action="join", channel=f"job:{jobs[2].pk}")
        assert (await socket.until("error"))["code"] == 4429


@pytest.mark.parametrize("text", ["{", "[]", '"join"', '{"action": 5}', '{"action":"join"}', '{"action":"dance"}'])
async def test_nonsense_is_answered_not_fatal(text: str, owner: User) -> None:
    async with connected(owner) as socket:
        await socket.hear()
        await socket.raw.send_to(text_data=text)
        assert (await socket.hear())["code"] == 4400
        assert (await socket.join(f"user:{owner.pk}"))["live"]


async def test_silent_peer_is_asked_and_then_let_go(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "SOCKET_PING_EVERY_S", 0.1)
    monkeypatch.setattr(tuning, "SOCKET_PONG_WITHIN_S", 0.3)
    async with connected(owner) as socket:
        for _ in range(2):
            await socket.until("ping")
            await socket.say(action="pong")
        assert await socket.until_closed() == 4408


async def test_hub_rests_when_the_last_client_has_gone(owner: User) -> None:
    from jobs.sockets.hub import hub

    async with connected(owner) as socket:
        await socket.join(f"user:{owner.pk}")
        assert hub().members
    await asyncio.sleep(0)
    assert not hub().members
    assert not hub().clients
    async with connected(owner) as socket:
        await socket.join(f"user:{owner.pk}")
        (number,) = await publish(f"user:{owner.pk}")
        assert (await socket.hear())["seq"] == number


async def test_job_is_seen_live_from_start_to_end(owner: User) -> None:
    job = await sync_to_async(enqueue)(kind="tests.steps", params={"steps": 3}, actor=owner)
    from jobs.runner import run_here

    async with connected(owner) as socket:
        await socket.join(f"job:{job.pk}")
        await sync_to_async(run_here)(job_id=job.pk)
        done = await socket.until("job_complete")
        assert done["data"]["result"] == {"steps": 3}
    assert await Job.objects.filter(pk=job.pk, status="completed").aexists()


async def test_a_number_that_no_stream_has_is_as_if_none_was_said(owner: User) -> None:
    async with connected(owner) as socket:
        snapshot = await socket.join(f"user:{owner.pk}", since=2**64 - 1)
        assert snapshot["live"] and not snapshot["resumed"]


async def test_state_that_cannot_be_read_just_now_is_asked_for_again(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = f"user:{owner.pk}"
    async with connected(owner) as socket:
        with monkeypatch.context() as patch:
            patch.setattr(Job, "objects", Job.objects.using("no such database"))
            await socket.say(action="join", channel=channel)
            error = await socket.until("error")
        assert (error["code"], error["channel"]) == (4503, channel)
        assert (await socket.join(channel))["live"]
        (number,) = await publish(channel)
        assert (await socket.hear())["seq"] == number


async def test_who_comes_while_the_hub_goes_to_rest_is_told_everything(owner: User) -> None:
    from jobs.sockets.hub import hub

    async with connected(owner) as socket:
        await socket.join(f"user:{owner.pk}")
    listening = hub()
    held = asyncio.Event()

    async def slow_to_end() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await held.wait()

    # The last client goes, and what it leaves behind takes its time; the next one is there before that has ended
    listening._tasks = [asyncio.create_task(slow_to_end())]
    await asyncio.sleep(0)
    resting = asyncio.create_task(listening._rest())
    await asyncio.sleep(0)
    async with connected(owner) as socket:
        assert (await socket.join(f"user:{owner.pk}"))["live"]
        held.set()
        await resting
        assert (await socket.join(f"user:{owner.pk}"))["live"]
