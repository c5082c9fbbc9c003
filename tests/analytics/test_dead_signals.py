"""Dead signals are looked at, tried again, dropped; a slice of the stream is replayed; operators are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.exceptions import Conflict
from accounts.models import User
from analytics import alarms
from analytics.exceptions import DeadSignalStaysDead
from analytics.models import AppliedBatch, DeadSignal, DemandProof, EntityDemand
from analytics.services import signals
from analytics.services.deadletters import drop_dead, retry_dead
from analytics.services.proving import prove
from analytics.services.signals import queries_stream, updates_stream
from jobs.connections import events_redis
from jobs.services.overview import alarms_of, overview, reading
from tests.factories.people import make_user

from .demand_cast import counted, make_entity, put, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    names = (queries_stream(), updates_stream(), signals.lost_key())
    events_redis().delete(*names)
    reading.forget()
    alarms.forget()
    yield
    events_redis().delete(*names)
    reading.forget()
    alarms.forget()


def clerk(*codenames: str) -> User:
    user = make_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def test_a_dead_signal_is_counted_once_its_entity_is_there_and_only_once() -> None:
    missing = uuid4()
    put(told(missing))
    counted()
    dead = DeadSignal.objects.get()
    with pytest.raises(DeadSignalStaysDead, match="There is no entity"):
        retry_dead(dead_id=dead.pk)
    make_entity(id=missing)

    retry_dead(dead_id=dead.pk)

    assert EntityDemand.objects.get(pk=missing).query_count == 1
    assert not DeadSignal.objects.unsettled().exists()
    with pytest.raises(Conflict):
        retry_dead(dead_id=dead.pk)
    with pytest.raises(Conflict):
        drop_dead(dead_id=dead.pk)
    assert prove().holds


def test_what_is_no_signal_stays_dead_and_can_be_dropped() -> None:
    put(b"nonsense")
    counted()
    dead = DeadSignal.objects.get()
    with pytest.raises(DeadSignalStaysDead):
        retry_dead(dead_id=dead.pk)
    drop_dead(dead_id=dead.pk)
    dead.refresh_from_db()
    assert dead.settled_at is not None and dead.deliveries == 2


def test_replaying_changes_nothing_that_was_counted_and_makes_up_what_was_missed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    entity = make_entity()
    put(*(told(entity.pk) for _ in range(6)))
    counted(batch=2)
    call_command("replay_signals", "--json")
    assert json.loads(capsys.readouterr().out)["already"] == 6
    AppliedBatch.objects.order_by("pk")[0].delete()

    call_command("replay_signals", "--from", "2020-01-01", "--to", "+", "--json")

    again = json.loads(capsys.readouterr().out)
    assert (again["applied"], again["already"]) == (2, 4)
    assert EntityDemand.objects.get().query_count == 8
    with pytest.raises(CommandError, match="neither"):
        call_command("replay_signals", "--from", "yesterday")


def test_the_consumer_as_a_command_counts_what_is_there_and_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    entity = make_entity()
    put(told(entity.pk), told(entity.pk))
    call_command("consume_signals", "--once", "--json", "--consumer", "by-hand")
    assert json.loads(capsys.readouterr().out)["applied"] == 2
    assert AppliedBatch.objects.get().consumer == "by-hand"
    with pytest.raises(CommandError):
        call_command("consume_signals", "--once", "--batch", "0")


def test_staff_try_dead_signals_again_or_drop_them(client: Client) -> None:
    missing = uuid4()
    put(told(missing), b"nonsense")
    counted()
    make_entity(id=missing)
    address = "/admin/analytics/deadsignal/"
    client.force_login(clerk("view_deadsignal"))
    assert client.get(address).status_code == 200
    ids = list(DeadSignal.objects.values_list("pk", flat=True))
    client.post(address, {"action": "drop", "_selected_action": ids})
    assert DeadSignal.objects.unsettled().count() == 2
    User.objects.filter(email="clerk@example.com").delete()
    client.force_login(clerk("view_deadsignal", "change_deadsignal"))

    answer = client.post(address, {"action": "try_again", "_selected_action": ids}, follow=True)

    assert "1 counted after all." in answer.content.decode()
    assert DeadSignal.objects.unsettled().count() == 1
    client.post(address, {"action": "drop", "_selected_action": ids}, follow=True)
    assert not DeadSignal.objects.unsettled().exists()


@pytest.mark.parametrize("name", ["deadsignal", "appliedbatch", "demandproof", "entitydemand"])
def test_lists_and_rows_of_the_admin_are_there_and_for_reading(client: Client, name: str) -> None:
    entity = make_entity()
    put(told(entity.pk), b"nonsense")
    counted()
    prove()
    client.force_login(User.objects.create_superuser("chief@example.com", "a long password"))
    address = f"/admin/analytics/{name}/"
    page = client.get(address)
    assert page.status_code == 200 and "1 " in page.content.decode()
    row = {"deadsignal": DeadSignal, "appliedbatch": AppliedBatch, "demandproof": DemandProof}.get(name, EntityDemand)
    assert client.get(f"{address}{row.objects.get().pk}/change/").status_code == 200
    assert client.get(f"{address}add/").status_code == 403


def test_the_operations_page_shows_the_streams_and_what_is_wrong_with_them(client: Client) -> None:
    entity = make_entity()
    counted()
    put(told(entity.pk))
    counted()
    client.force_login(User.objects.create_superuser("chief@example.com", "a long password"))
    page = client.get("/admin/operations/parts/").content.decode()
    assert "Demand signals" in page and "nothing waits" in page
    mine = {"signals-unread", "signals-behind", "signals-dead", "demand-differs"}
    assert not mine & {alarm.id for alarm in alarms_of(overview())}

    events_redis().delete(queries_stream())
    events_redis().execute_command("XADD", queries_stream(), "1700000000000-0", "signal", b"{}")
    EntityDemand.objects.update(query_count=7)
    prove()
    alarms.forget()
    assert mine & {alarm.id for alarm in alarms_of(overview())} == {"signals-unread", "demand-differs"}
