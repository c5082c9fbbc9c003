"""Alerts: each new tender is told of once; one e-mail a person a run, which can be ended from the e-mail itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core import mail
from django.db import connections, transaction
from django.test import Client

from accounts.models import Membership, Organisation, User
from jobs import worker
from jobs.events import publish
from jobs.events.stream import read_since
from jobs.models import Job, WebhookDelivery, WebhookEndpoint
from jobs.services import enqueue
from jobs.webhooks.signing import new_secret
from tenders.models import SavedSearch, Tender
from tenders.services import alerts, unsubscribing
from tenders.services.saved_searches import save_search, set_alerts
from tests.factories.tenders import make_source, make_tender
from tests.jobs.receiving_end import receiver
from tests.platform.throttled import limit, throttled
from tests.tenders.test_saved_searches import arrived, begun

pytestmark = pytest.mark.django_db
__all__ = ["throttled"]


@pytest.fixture
def search(member: User) -> SavedSearch:
    """For roads; begun an hour ago."""
    return begun(save_search(actor=member, name="Roads", query={"cpv": ["45233"], "q": ""}))


@pytest.fixture(autouse=True)
def _endpoint(organisation: Organisation) -> None:
    """Hears what is told, so that it can be counted."""
    WebhookEndpoint.objects.create(
        organisation=organisation, url="https://example.com/hook", event_types=["tender.matched"]
    )


def told() -> list[int]:
    """How many tenders each alert told of."""
    found = WebhookDelivery.objects.order_by("created_at", "pk")
    return [delivery.payload["data"]["count"] for delivery in found]


def mailing(search: SavedSearch) -> SavedSearch:
    set_alerts(search_id=search.pk, actor=search.owner, is_alerting=True, by_email=True)
    return search


def send() -> None:
    """What the workers do."""
    for job in Job.objects.filter(kind=alerts.MAIL).order_by("created_at"):
        alerts.mail(**job.params, job_id=job.pk)


def test_each_new_tender_is_told_of_once(search: SavedSearch) -> None:
    arrived()
    arrived()
    for _ in range(3):
        alerts.alert_all()
    assert told() == [2]
    begun(search)
    Tender.objects.update(created_at=search.seen_until)  # told of already
    arrived()
    alerts.alert_all()
    assert told() == [2, 1]


def test_nothing_is_said_where_nothing_is_new(search: SavedSearch) -> None:
    mailing(search)
    arrived(cpv_main="72000000")
    assert alerts.alert_all() == 0
    assert told() == []
    assert not Job.objects.exists()


def test_what_cannot_be_found_by_its_words_yet_waits_and_is_not_lost(search: SavedSearch) -> None:
    waiting = arrived(minutes_ago=30)
    arrived(minutes_ago=20)
    Tender.objects.filter(pk=waiting.pk).update(content_hash="changed")
    alerts.alert_all()
    assert told() == []
    make_tender(cpv_main="72000000")  # and the words of all are indexed
    alerts.alert_all()
    assert told() == [2]


def test_what_came_just_now_is_told_of_the_next_time(search: SavedSearch) -> None:
    arrived(minutes_ago=0)
    assert alerts.alert_all() == 0


def test_nothing_is_told_of_what_was_rolled_back_and_the_next_run_tells_it(search: SavedSearch) -> None:
    mailing(search)
    arrived()
    with pytest.raises(RuntimeError), transaction.atomic():
        alerts.alert(search.owner_id)
        raise RuntimeError
    assert told() == []
    alerts.alert_all()
    assert told() == [1]
    assert Job.objects.filter(kind=alerts.MAIL).count() == 1


def test_one_e_mail_tells_of_all_of_a_persons_searches(search: SavedSearch, member: User) -> None:
    mailing(search)
    mailing(begun(save_search(actor=member, name="Everything", query={})))
    begun(save_search(actor=member, name="Quietly", query={}))
    mailing(begun(save_search(actor=member, name="Ships", query={"cpv": ["34500"]})))
    for number in range(22):
        arrived(title=f"Road\nnumber {number}")
    assert alerts.alert_all() == 3
    send()
    (message,) = mail.outbox
    assert message.to == [member.email]
    assert message.subject == "Plumbline: 44 new tenders for 2 saved searches"
    body = str(message.body)
    assert "22 new tenders for “Roads”" in body
    assert "22 new tenders for “Everything”" in body
    assert "Quietly" not in body and "Ships" not in body
    assert body.count("and 2 more") == 2
    assert f"– Road number 21\n  http://127.0.0.1:8000/tenders/{Tender.objects.get(title__endswith=' 21').pk}/" in body


def test_an_e_mail_goes_only_to_who_still_wants_it(search: SavedSearch, member: User) -> None:
    mailing(search)
    arrived()
    alerts.alert_all()
    job = Job.objects.get(kind=alerts.MAIL)
    set_alerts(search_id=search.pk, actor=member, is_alerting=True, by_email=False)
    assert alerts.mail(**job.params, job_id=job.pk) is False
    mailing(search)
    Membership.objects.filter(user=member).delete()
    assert alerts.mail(**job.params, job_id=job.pk) is False
    User.objects.filter(pk=member.pk).update(status=User.Status.SUSPENDED)
    assert alerts.mail(**job.params, job_id=job.pk) is False
    assert mail.outbox == []


def test_sent_twice_is_one_message_to_mail_servers(search: SavedSearch) -> None:
    mailing(search)
    arrived()
    alerts.alert_all()
    send()
    send()  # as after a worker that was killed before it could say so
    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]
    assert re.fullmatch(r"<tenders-[0-9a-f-]{36}@[a-z0-9.]+>", first.extra_headers["Message-ID"])


def test_the_firms_endpoints_hear_of_it(search: SavedSearch) -> None:
    tender = arrived()
    alerts.alert_all()
    data = WebhookDelivery.objects.get().payload["data"]
    assert (data["search"], data["count"], data["tender_ids"]) == ("Roads", 1, [str(tender.pk)])


def test_alerts_switched_off_say_nothing_and_begin_from_now(search: SavedSearch, member: User) -> None:
    set_alerts(search_id=search.pk, actor=member, is_alerting=False, by_email=True)
    arrived()
    assert alerts.alert_all() == 0
    set_alerts(search_id=search.pk, actor=member, is_alerting=True, by_email=False)
    assert alerts.alert_all() == 0
    search.refresh_from_db()
    assert search.by_email is False


def test_who_has_left_the_firm_hears_nothing_and_the_others_do(
    search: SavedSearch, member: User, owner: User, organisation: Organisation
) -> None:
    begun(save_search(actor=owner, name="Mine", query={}))
    arrived(source=make_source(organisation))
    Membership.objects.filter(user=member).delete()
    assert alerts.alert_all() == 1
    assert told() == [1]


def test_a_search_that_is_no_longer_understood_does_not_stop_the_others(search: SavedSearch, member: User) -> None:
    begun(save_search(actor=member, name="Also", query={}))
    SavedSearch.objects.filter(pk=search.pk).update(query={"cpv": "roads"})
    arrived()
    assert alerts.alert_all() == 1


@pytest.mark.django_db(transaction=True)
def test_the_schedules_job_tells_on_the_page_by_e_mail_and_to_endpoints(
    search: SavedSearch, member: User, settings: LazySettings
) -> None:
    settings.OUTBOUND_ALLOW_HTTP, settings.OUTBOUND_ALLOWED_NETWORKS = True, ["127.0.0.0/8"]
    mailing(search)
    tender = arrived()
    seq = publish(f"user:{member.pk}", "notification", {"level": "info", "text": "Before", "url": ""})
    with receiver() as listening:
        WebhookEndpoint.objects.update(url=listening.url(), secret=new_secret())
        enqueue(kind="tenders.alert_due", params={})
        draining = worker.Drain()
        draining.all_of(Job.Queue.values)
        draining.heart.stop()
    (came,) = listening.came
    assert json.loads(came.body)["data"]["tender_ids"] == [str(tender.pk)]
    assert [message.subject for message in mail.outbox] == ["Plumbline: 1 new tender for “Roads”"]
    events = [json.loads(frame) for _, frame in read_since(f"user:{member.pk}", seq).events]
    said = [event["data"] for event in events if event["type"] == "notification"]
    assert [each["text"] for each in said] == ["1 new tender for “Roads”"]
    assert said[0]["url"].endswith(f"/tenders/searches/{search.pk}/")


@pytest.fixture
def another_connection() -> Iterator[Any]:
    made = connections.create_connection("default")
    yield made
    made.close()


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_tell_of_a_tender_once(search: SavedSearch, another_connection: Any) -> None:
    arrived()
    cursor = another_connection.cursor()
    cursor.execute("BEGIN")
    cursor.execute("SELECT 1 FROM tenders_savedsearch WHERE id = %s FOR UPDATE", [search.pk])  # the other run
    assert alerts.alert_all() == 0
    cursor.execute("ROLLBACK")  # killed
    assert alerts.alert_all() == 1


def stop_address(body: str) -> str:
    found = re.search(r"No more of these e-mails: http://127.0.0.1:8000(\S+)", body)
    assert found
    return found[1]


def test_the_link_in_an_e_mail_ends_them_without_signing_in(search: SavedSearch, member: User, owner: User) -> None:
    mailing(search)
    theirs = mailing(save_search(actor=owner, name="Theirs", query={}))
    arrived()
    alerts.alert_all()
    send()
    message = next(each for each in mail.outbox if each.to == [member.email])
    address = stop_address(str(message.body))
    assert message.extra_headers["List-Unsubscribe"] == f"<http://127.0.0.1:8000{address}>"
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    client = Client(enforce_csrf_checks=True)
    page = client.get(address)
    assert "Roads" in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    search.refresh_from_db()
    assert search.by_email, "a look ends nothing"
    ended = client.post(address, {"List-Unsubscribe": "One-Click"})
    assert (ended.status_code, "No more e-mails" in ended.content.decode()) == (200, True)
    search.refresh_from_db()
    theirs.refresh_from_db()
    assert (search.by_email, search.is_alerting, theirs.by_email) == (False, True, True)
    assert "Nothing to end" in client.get(address).content.decode()


@pytest.mark.parametrize("token", ["x", "x:y", "a7a81860e2c7468d9f5183589a3afff4:AAAA", "č"])
def test_a_link_that_is_not_ours_ends_nothing(search: SavedSearch, token: str) -> None:
    mailing(search)
    for method in ("get", "post"):
        assert getattr(Client(), method)(f"/tenders/alerts/stop/{token}/").status_code == 404
    search.refresh_from_db()
    assert search.by_email


def test_guessing_links_is_slow(throttled: LazySettings, member: User) -> None:
    limit(throttled, anonymous="2/minute")
    assert [Client().get("/tenders/alerts/stop/x/").status_code for _ in range(3)] == [404, 404, 429]
    address = unsubscribing.address_for(member).removeprefix("http://127.0.0.1:8000")
    assert Client().get(address).status_code == 429


def test_a_run_asks_no_more_for_a_persons_fifty_searches_than_it_must(
    search: SavedSearch, member: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(9):
        begun(save_search(actor=member, name=f"Search {number}", query={}))
    with django_assert_max_num_queries(10 * 8 + 8):
        alerts.alert_all()
