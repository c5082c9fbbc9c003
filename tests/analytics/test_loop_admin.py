"""What staff see of the loop: what waits after failures, spikes, and an alarm for a source that keeps failing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from analytics import alarms
from analytics.models import DemandSpike, RefreshSetback
from analytics.services.refreshing_setbacks import set_back
from jobs.services.overview import overview
from jobs.services.overview.alarms import Alarm
from tests.factories.people import make_user

from .demand_cast import make_entity

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    alarms.forget()
    yield
    alarms.forget()


def clerk(*permissions: str) -> Client:
    user = make_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def found() -> list[Alarm]:
    alarms.forget()
    return [alarm for alarm in alarms.find(overview()) if alarm.id == "refresh-failing"]


def test_both_lists_are_read_by_staff_who_may() -> None:
    set_back(source="tenders.tender", error=ValueError("The archive is closed."))
    spike = DemandSpike.objects.create(entity=make_entity(), hour=timezone.now(), count=40, expected=2.5, z=6)
    client = clerk("view_refreshsetback", "view_demandspike")
    shown = client.get("/admin/analytics/refreshsetback/").content.decode()
    assert "The archive is closed." in shown and "the source as a whole" in shown
    assert "Preheat" in client.get("/admin/analytics/demandspike/").content.decode()
    assert client.get(f"/admin/analytics/demandspike/{spike.pk}/change/").status_code == 200
    assert client.get("/admin/analytics/refreshsetback/add/").status_code == 403
    assert clerk_without_permission().get("/admin/analytics/refreshsetback/").status_code == 403


def clerk_without_permission() -> Client:
    client = Client()
    client.force_login(make_user("novice", is_staff=True))
    return client


@pytest.mark.parametrize(("permissions", "is_ended"), [(["change_refreshsetback"], True), ([], False)], ids=str)
def test_only_who_may_change_ends_a_wait(permissions: list[str], is_ended: bool) -> None:
    row = set_back(source="tenders.tender", source_id="1", error=ValueError("x"))
    client = clerk("view_refreshsetback", *permissions)
    client.post("/admin/analytics/refreshsetback/", {"action": "end_waiting", "_selected_action": [str(row.pk)]})
    row.refresh_from_db()
    assert (row.wait_until <= timezone.now()) is is_ended
    assert row.failures == 1


def test_a_source_that_keeps_failing_is_an_alarm_until_it_works() -> None:
    set_back(source="quiz.clause", source_id="1", error=ValueError("x"))
    for _ in range(2):
        set_back(source="tenders.tender", error=ValueError("The archive is closed."))
    assert found() == []
    set_back(source="tenders.tender", error=ValueError("The archive is closed."))
    (alarm,) = found()
    assert "tenders.tender" in alarm.title and "3 failures in a row" in alarm.meaning
    assert "The archive is closed." in alarm.meaning
    RefreshSetback.objects.all().delete()
    assert found() == []
