"""Spikes: found once, told once, to whom they concern."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import time_machine

from accounts.models import Membership, Organisation, User
from analytics.models import DemandBucket, DemandSpike, Entity, EntityDemand
from analytics.services import noticing, signals
from analytics.services.noticing import Noticed, notice_spikes
from analytics.services.signals import queries_stream, updates_stream
from analytics.webhooks import SPIKE
from jobs.connections import events_redis
from jobs.models import Job, WebhookDelivery
from jobs.services import enqueue
from jobs.webhooks import endpoints
from tests.factories.people import make_organisation, make_user

from .demand_cast import counted, make_entity, put_often
from .loop_cast import closed_at_the_end

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, 4, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
BEFORE = HOUR - timedelta(hours=1)  # the latest complete one


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    events_redis().flushdb()
    with time_machine.travel(NOW, tick=True):
        yield
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())


def busy(
    name: str = "Preheat", *, organisation: Organisation | None = None, count: int = 40, at: datetime = BEFORE
) -> Entity:
    """Asked for once an hour for ten days, and in one hour so often. As counted by a consumer, but for the windows,
    which are set."""
    entity = make_entity(name, organisation=organisation, url=f"/things/{name}/")
    put_often(entity, 1, BEFORE)
    counted()
    DemandBucket.objects.filter(entity=entity).delete()
    hours = [BEFORE - timedelta(hours=back) for back in range(240)]
    DemandBucket.objects.bulk_create(
        DemandBucket(entity=entity, hour=hour, count=count if hour == at else 1) for hour in hours
    )
    EntityDemand.objects.filter(pk=entity.pk).update(growth_1d=3, current_1d=count + 23)
    return entity


def heard(user: User) -> list[dict[str, Any]]:
    keys: Any = events_redis().keys(f"*user:{user.pk}*")
    entries = [fields for key in keys if events_redis().type(key) == b"stream" for _, fields in entries_of(key)]
    said = [orjson.loads(fields[b"e"]) for fields in entries]
    return [event["data"] for event in said if event["type"] == "notification"]


def entries_of(key: bytes) -> Sequence[Any]:
    found: Any = events_redis().xrange(key)
    return list(found)


def test_members_are_told_of_their_own_and_nobody_else(
    organisation: Organisation, owner: User, viewer: User, stranger: User
) -> None:
    suspended = make_user("suspended", organisation=organisation)
    suspended.status = User.Status.SUSPENDED
    suspended.save()
    clerk = make_user("clerk", is_staff=True)
    entity = busy(organisation=organisation)

    assert notice_spikes() == Noticed(found=1, told=1, people=2, endpoints=0)

    (notice,) = heard(owner)
    assert notice == {
        "level": "info",
        "text": "“Preheat” is asked for far more than usual: 40 times within an hour, 1 expected.",
        "url": f"/analytics/entities/{entity.pk}/",
    }
    assert heard(viewer) == [notice]
    assert heard(stranger) == heard(suspended) == heard(clerk) == []
    row = DemandSpike.objects.get()
    assert (row.entity, row.hour, row.count, row.is_told) == (entity, BEFORE, 40, True)
    assert row.expected == pytest.approx(1, abs=0.1) and row.z > 4


def test_of_what_everybody_sees_the_staff_is_told(owner: User) -> None:
    clerk = make_user("clerk", is_staff=True)
    busy()
    assert notice_spikes()["people"] == 1
    assert len(heard(clerk)) == 1 and heard(owner) == []


def test_four_who_look_at_once_tell_once(organisation: Organisation, owner: User) -> None:
    busy(organisation=organisation)
    found: list[Noticed] = []
    barrier = threading.Barrier(4)

    def notice() -> None:
        barrier.wait(60)
        found.append(notice_spikes())

    threads = [threading.Thread(target=closed_at_the_end(notice)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(each["told"] for each in found) == [0, 0, 0, 1]
    assert len(heard(owner)) == 1
    assert notice_spikes()["found"] == 0


def test_an_hour_that_is_not_over_and_hours_long_past_are_no_news(organisation: Organisation) -> None:
    long_past = BEFORE - timedelta(hours=noticing.LATEST_H)
    busy("Past", organisation=organisation, at=long_past)
    now = busy("Now", organisation=organisation, count=1)
    DemandBucket.objects.create(entity=now, hour=HOUR, count=99)
    assert notice_spikes()["found"] == 0
    with time_machine.travel(NOW + timedelta(hours=1), tick=True):
        assert notice_spikes()["told"] == 1


def test_what_goes_on_is_told_of_once_a_day(organisation: Organisation, owner: User) -> None:
    entity = busy(organisation=organisation)
    notice_spikes()
    DemandBucket.objects.create(entity=entity, hour=HOUR, count=900)
    with time_machine.travel(NOW + timedelta(hours=1), tick=True):
        assert notice_spikes() == Noticed(found=1, told=0, people=0, endpoints=0)
    assert len(heard(owner)) == 1
    tomorrow = HOUR + timedelta(hours=24)
    DemandBucket.objects.create(entity=entity, hour=tomorrow, count=9000)
    with time_machine.travel(NOW + timedelta(hours=25), tick=True):
        assert notice_spikes()["told"] == 1
    assert len(heard(owner)) == 2


def test_a_handful_of_questions_is_written_down_and_bothers_nobody(organisation: Organisation, owner: User) -> None:
    busy(organisation=organisation, count=noticing.LEAST - 1)
    assert notice_spikes() == Noticed(found=1, told=0, people=0, endpoints=0)
    assert heard(owner) == []


def test_several_at_once_are_one_notification(organisation: Organisation, owner: User) -> None:
    for number in range(5):
        busy(f"Thing {number}", organisation=organisation, count=100 - 10 * number)
    busy("Theirs", organisation=make_organisation("Rival"))
    assert notice_spikes()["told"] == 6
    (notice,) = heard(owner)
    assert notice["text"] == (
        "Asked for far more than usual within an hour: “Thing 0”, “Thing 1”, “Thing 2” and 2 more."
    )
    assert notice["url"] == "/analytics/"


def test_endpoints_are_told_of_what_their_organisation_sees(
    organisation: Organisation, owner: User, stranger: User, settings: Any
) -> None:
    settings.OUTBOUND_ALLOW_HTTP, settings.OUTBOUND_ALLOWED_NETWORKS = True, ["127.0.0.0/8"]
    mine, theirs = (
        endpoints.create_endpoint(actor=user, url="http://127.0.0.1:9009/", event_types=[SPIKE])
        for user in (owner, stranger)
    )
    busy("Ours", organisation=organisation)
    busy("Everybody's", count=60)
    assert notice_spikes()["endpoints"] == 2
    told = {row.endpoint_id: row.payload["data"] for row in WebhookDelivery.objects.all()}
    assert [each["name"] for each in told[mine.pk]["spikes"]] == ["Everybody's", "Ours"]
    assert [each["name"] for each in told[theirs.pk]["spikes"]] == ["Everybody's"]
    ours = told[mine.pk]["spikes"][1]
    assert (told[mine.pk]["count"], ours["signals"], ours["hour"]) == (2, 40, BEFORE.isoformat())


def test_it_can_be_turned_off(organisation: Organisation, owner: User, settings: Any) -> None:
    settings.DEMAND_SPIKE_NOTICES = False
    busy(organisation=organisation)
    assert notice_spikes() == Noticed(found=1, told=0, people=0, endpoints=0)
    assert heard(owner) == []


def test_old_ones_go(organisation: Organisation) -> None:
    entity = busy(organisation=organisation)
    DemandSpike.objects.create(entity=entity, hour=NOW - timedelta(days=91), count=1, expected=0, z=5)
    notice_spikes()
    assert DemandSpike.objects.get().hour == BEFORE


def test_whoever_is_in_two_organisations_hears_once_of_both(organisation: Organisation, owner: User) -> None:
    other = make_organisation("Other")
    Membership.objects.create(organisation=other, user=owner)
    busy("One", organisation=organisation)
    busy("Two", organisation=other, count=90)
    assert notice_spikes()["people"] == 1
    (notice,) = heard(owner)
    assert "“Two”, “One”" in notice["text"]


def test_the_job_sees_signals_that_were_just_counted(
    organisation: Organisation, owner: User, drain: Callable[[], int]
) -> None:
    entity = make_entity(organisation=organisation)
    put_often(entity, 30, [BEFORE + timedelta(minutes=minute) for minute in range(30)])
    counted()
    enqueue(kind=noticing.NOTICE, params={})
    drain()
    job = Job.objects.get(kind=noticing.NOTICE)
    assert (job.status, job.result["told"]) == ("completed", 1)
    assert "30 times within an hour, 0 expected" in heard(owner)[0]["text"]
