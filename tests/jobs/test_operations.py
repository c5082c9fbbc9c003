"""The operations page: who may see and do what, what it says when all is well, when not, and when parts are away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation, User
from analytics import alarms
from analytics import alarms as demand
from analytics.services.signals import streams
from jobs.admin.guide import parse, sections
from jobs.connections import events_redis
from jobs.models import Job, Process, ScheduledRun, ScheduledTask, WebhookEndpoint
from jobs.services import enqueue, enqueue_batch, lifecycle
from jobs.services.again import retry_failed
from jobs.services.overview import Overview, alarms_of, overview, reading, surroundings, work
from jobs.services.overview.guarded import from_database, rows_of
from jobs.services.overview.shapes import DatabaseState, DiskState, EventsState, Part, RedisState
from jobs.services.overview.words import age
from jobs.services.processes import arrive
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db
PAGE, PARTS = "/admin/operations/", "/admin/operations/parts/"
Drain = Callable[[], int]


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    events_redis().delete(*streams())  # what other tests asked, and nobody counts
    reading.forget()
    demand.forget()
    yield
    reading.forget()


@pytest.fixture
def processes() -> None:
    arrive(kind="worker", queues=["high", "default", "low"])
    arrive(kind="scheduler")


def clerk(*codenames: str) -> User:
    user = make_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames, content_type__app_label="jobs"))
    return user


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def text(response: object) -> str:
    """What a reader sees."""
    html = re.sub(r"<script.*?</script>", "", response.content.decode(), flags=re.S)  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def fresh(client: Client, address: str = PARTS) -> str:
    reading.forget()
    return text(client.get(address))


def failed(kind: str = "tests.refuse", code: str = "empty_file", **fields: object) -> Job:
    error = {"class": "X", "message": "The file is empty.", "code": code, "traceback": ""}
    return Job.objects.create(kind=kind, status="failed", error=error, finished_at=timezone.now(), **fields)


@pytest.mark.parametrize("address", [PAGE, PARTS, "/admin/operations/guide/", "/admin/operations/headline/"])
def test_it_is_for_staff_who_may_see_jobs(client: Client, address: str, owner: User) -> None:
    assert client.get(address).status_code == 302
    assert signed_in(client, owner).get(address).status_code == 302
    assert signed_in(client, clerk()).get(address).status_code == 403
    client.force_login(User.objects.create_superuser("chief@example.com", "a long password"))
    assert client.get(address).status_code == 200


def test_who_may_only_see_finds_no_buttons_and_is_refused(client: Client) -> None:
    job = failed()
    signed_in(client, clerk("view_job"))
    assert "Retry all" not in fresh(client)
    assert client.post("/admin/operations/retry/", {"kind": job.kind, "code": "empty_file"}).status_code == 403
    assert client.post(f"/admin/operations/jobs/{job.pk}/cancel/").status_code == 403
    job.refresh_from_db()
    assert job.status == "failed"


def test_it_is_linked_from_every_page_of_the_admin_for_those_who_may_see_it(client: Client, staff: User) -> None:
    assert PAGE in signed_in(client, staff).get("/admin/").content.decode()
    other = make_user("other", is_staff=True)
    assert PAGE not in signed_in(client, other).get("/admin/").content.decode()
    assert client.get("/admin/login/").status_code in (200, 302)


def test_all_is_well(client: Client, staff: User, processes: None) -> None:
    shown = fresh(signed_in(client, staff), PAGE)
    assert "All is well" in shown and "Nothing runs at the moment" in shown


def test_without_worker_and_scheduler_it_says_what_to_do(client: Client, staff: User) -> None:
    shown = fresh(signed_in(client, staff))
    assert "2 things need attention" in shown
    assert "No worker is running" in shown and "manage.py work high default low" in shown
    assert "No scheduler is running" in shown and "manage.py schedule" in shown
    links = re.findall(r'href="([^"]*guide/#[^"]+)"', client.get(PARTS).content.decode())
    assert [link.split("#")[1] for link in links] == ["no-worker", "no-scheduler"]


def test_it_shows_what_runs_waits_and_failed(client: Client, staff: User, processes: None) -> None:
    now = timezone.now()
    process = Process.objects.get(kind="worker")
    job = Job.objects.create(
        kind="tests.steps",
        status="running",
        about="Hala Brno",
        attempt=2,
        started_at=now,
        lease_until=now + timedelta(minutes=1),
        done=15,
        total=50,
        current_step="Reading row 15",
    )
    Process.objects.filter(pk=process.pk).update(busy_with=[str(job.pk)])
    Job.objects.create(kind="tests.echo", queue="low", created_at=now - timedelta(minutes=7))
    for _ in range(3):
        failed()
    shown = fresh(signed_in(client, staff))
    assert "Hala Brno" in shown and "30 %" in shown and "Reading row 15" in shown and "attempt 2" in shown
    assert "7 min" in shown
    assert "The file is empty. empty_file 3" in shown
    assert "not moving" in shown


def test_no_percent_is_made_up_while_nobody_knows_how_much_there_is_to_do(staff: User, client: Client) -> None:
    Job.objects.create(kind="tests.steps", status="running", started_at=timezone.now(), current_step="Reading row 9")
    shown = fresh(signed_in(client, staff))
    assert "Reading row 9" in shown and " %" not in shown.split("Running now")[1].split("Failures of")[0]


def test_a_process_that_is_gone_is_busy_with_nothing(staff: User, client: Client, processes: None) -> None:
    job = Job.objects.create(kind="tests.steps", status="completed")
    long_ago = timezone.now() - timedelta(minutes=2)
    Process.objects.filter(kind="worker").update(busy_with=[str(job.pk)], seen_at=long_ago)
    shown = fresh(signed_in(client, staff))
    assert "gone" in shown and str(job.pk)[:8] not in shown


def test_a_retry_waits_since_its_release_and_not_since_its_last_attempt() -> None:
    hours_ago = timezone.now() - timedelta(hours=5)
    Job.objects.create(
        kind="tests.echo", queue="low", status="retrying", attempt=3, created_at=hours_ago, heartbeat_at=hours_ago,
        next_retry_at=timezone.now(),
    )  # fmt: skip
    assert len(lifecycle.release_due(now=timezone.now())) == 1
    assert "queue-old" not in {alarm.id for alarm in alarms_of(overview())}


def test_times_are_utc_whatever_the_site_uses(staff: User, client: Client, settings: LazySettings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    Job.objects.create(kind="tests.steps", status="running", started_at=datetime(2026, 11, 22, 6, 7, 8, tzinfo=UTC))
    assert "since 06:07:08" in fresh(signed_in(client, staff))


def test_a_job_is_cancelled_from_the_page(client: Client, staff: User) -> None:
    job = enqueue(kind="tests.echo", params={})
    address = f"/admin/operations/jobs/{job.pk}/cancel/"
    answer = signed_in(client, staff).post(address, headers={"accept": "application/json"})
    assert answer.json() == {"message": "Cancelled.", "good": True}
    job.refresh_from_db()
    assert job.status == "cancelled"
    again = client.post(f"/admin/operations/jobs/{uuid4()}/cancel/", headers={"accept": "application/json"}).json()
    assert not again["good"] and "no such job" in again["message"]


def test_a_reason_is_retried_as_a_whole_and_no_other(client: Client, staff: User, drain: Drain) -> None:
    same = [failed(kind="tests.echo", attempt=1) for _ in range(3)]
    other_code, other_kind = failed(kind="tests.echo", code="other"), failed()
    answer = signed_in(client, staff).post("/admin/operations/retry/", {"kind": "tests.echo", "code": "empty_file"})
    assert answer.status_code == 302 and answer["Location"] == PAGE
    assert "3 jobs queued again." in text(client.get(PAGE))
    drain()
    assert {Job.objects.get(pk=job.pk).status for job in same} == {"completed"}
    assert {Job.objects.get(pk=job.pk).status for job in (other_code, other_kind)} == {"failed"}


def test_one_that_cannot_be_retried_does_not_keep_the_others(staff: User) -> None:
    failed(kind="tests.gone")
    assert retry_failed(kind="tests.gone", code="empty_file", actor=staff).refused
    failed(kind="tests.echo", dedupe_key="one")
    failed(kind="tests.echo")
    enqueue(kind="tests.echo", params={}, dedupe_key="one")
    done = retry_failed(kind="tests.echo", code="empty_file", actor=staff)
    assert (done.queued, len(done.refused), done.left) == (1, 1, 0)


def test_children_of_a_batch_count_as_jobs_and_their_batch_does_not(drain: Drain, staff: User, client: Client) -> None:
    enqueue_batch(kind="tests.refuse", params=[{}, {}])
    drain()
    told = work.failures()
    assert told.last_hour == 2 and [group.count for group in told.groups] == [2]


def many(number: int, organisation: Organisation) -> None:
    now = timezone.now()
    for index in range(number):
        failed(kind=f"tests.kind{index}")
        running = {"attempt": 1, "started_at": now, "lease_until": now + timedelta(hours=1)}
        Job.objects.create(kind="tests.steps", status="running", **running)
        Job.objects.create(kind="tests.echo", status="completed", started_at=now, finished_at=now)
        Job.objects.create(kind="tests.echo")
        arrive(kind="worker", queues=["high", "default", "low"])
        task = ScheduledTask.objects.create(name=f"task{index}-{number}", cron="0 1 * * *", kind="tests.echo")
        ScheduledRun.objects.create(task=task, job=Job.objects.create(kind="tests.echo"))
        url = f"https://hooks{index}.example/"
        WebhookEndpoint.objects.create(organisation=organisation, url=url, secret="x", failing_since=now)


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    client: Client, staff: User, organisation: Organisation
) -> None:
    signed_in(client, staff).get(PARTS)  # whatever is remembered for good is, from here on
    counts = []
    for number in (1, 50):
        many(number, organisation)
        reading.forget()
        alarms.forget()  # of demand, which are kept for seconds: not long enough on a busy machine
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PARTS).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_redis_away_is_told_and_the_rest_is_still_shown(
    client: Client, staff: User, processes: None, redis_is_down: None
) -> None:
    failed()
    shown = fresh(signed_in(client, staff))
    assert "Redis can't be reached" in text_of(shown) and "The file is empty." in text_of(shown)
    assert "Look at the Redis server" in text_of(shown)


def text_of(shown: str) -> str:
    return shown.replace("&#x27;", "'")


def test_a_part_that_the_database_takes_too_long_for_does_not_take_the_page_along(
    client: Client, staff: User, processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.services.overview.guarded.STATEMENT_LIMIT_MS", 20)
    slow = from_database("slow", lambda: rows_of("SELECT pg_sleep(30)"))
    assert slow.value is None and "took longer" in slow.error
    monkeypatch.undo()
    assert rows_of("SELECT 1") == [(1,)]  # the connection is as before, without the limit
    assert rows_of("SHOW statement_timeout") == [("0",)]


def test_a_table_that_cannot_be_read_is_an_alarm(processes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("could not connect to server at db.internal")

    monkeypatch.setattr(work, "work", away)
    reading.forget()
    seen = overview()
    assert "db.internal" not in seen.work.error
    assert [alarm.id for alarm in alarms_of(seen)] == ["database-away"]


def seen_with(**parts: object) -> Overview:
    """The overview of the test's database, with some parts as told."""
    reading.forget()
    return Overview(**{**vars(overview()), **{name: Part(value) for name, value in parts.items()}})  # type: ignore[arg-type]


def alarm_ids(seen: Overview) -> list[str]:
    return [alarm.id for alarm in alarms_of(seen)]


def test_alarms_of_what_waits_lapses_and_fails(processes: None) -> None:
    now = timezone.now()
    Job.objects.create(kind="tests.echo", queue="high", created_at=now - timedelta(minutes=2))
    Job.objects.create(kind="tests.echo", queue="low", created_at=now - timedelta(minutes=2))
    Job.objects.create(kind="tests.echo", status="running", lease_until=now - timedelta(minutes=1))
    for _ in range(10):
        failed()
    told = {alarm.id: alarm for alarm in alarms_of(seen_with())}
    assert set(told) == {"queue-old", "lease-lapsed", "failures-rising"}
    assert "“high”" in told["queue-old"].title and "2 min" not in told["queue-old"].meaning
    assert told["failures-rising"].title == "10 jobs failed in the last hour"


def test_a_queue_that_no_living_worker_serves_is_an_alarm() -> None:
    arrive(kind="scheduler")
    arrive(kind="worker", queues=["high"])
    Job.objects.create(kind="tests.echo", queue="low")
    [alarm] = alarms_of(seen_with())
    assert alarm.id == "no-worker" and "“low”" in alarm.title and alarm.action.endswith("manage.py work low")


def test_alarms_of_the_stores(processes: None) -> None:
    gb = 1024**3
    database = DatabaseState(gb, connections=95, max_connections=100, longest_s=7200, migrations_missing=2)
    redis = RedisState(["queue"], "9", 9 * gb, 10 * gb, "allkeys-lru", clients=1, keys=1, ping_ms=1)
    names = {"sections": {"hits": 10, "misses": 5000}}
    cache = {"enabled": True, "ok": True, "hit_rate": 0.01, "namespaces": names}
    seen = seen_with(database=database, redis=[redis], disk=DiskState(gb // 2, 100 * gb), cache=cache)
    assert set(alarm_ids(seen)) == {
        "migrations-missing",
        "database-connections",
        "long-transaction",
        "redis-memory",
        "disk-full",
        "cache-cold",
    }
    assert alarm_ids(seen)[0] == "migrations-missing"  # the urgent one is first


def test_alarms_of_schedule_webhooks_limits_and_events(processes: None, organisation: Organisation) -> None:
    now = timezone.now()
    ScheduledTask.objects.create(name="late", cron="* * * * *", kind="k", next_due_at=now - timedelta(minutes=9))
    paused = {"name": "paused", "cron": "* * * * *", "kind": "k", "is_paused": True}
    ScheduledTask.objects.create(**paused, next_due_at=now - timedelta(days=9))
    broken = ScheduledTask.objects.create(name="broken", cron="* * * * *", kind="k")
    ScheduledRun.objects.create(task=broken, due_at=now, job=failed())
    hooks = {"organisation": organisation, "secret": "x", "disabled_at": now, "disabled_reason": "gone"}
    WebhookEndpoint.objects.create(url="https://hooks.example/secret-path", **hooks)
    limit = {"kind": "concurrency", "name": "model:x", "paused_until": now, "reason": "429"}
    seen = seen_with(limits=[limit])
    seen = Overview(**{**vars(seen), "events": EventsState(sockets=1, lag_s=5.0)})
    assert set(alarm_ids(seen)) == {"task-late", "task-failed", "webhook-disabled", "limit-paused", "event-lag"}
    assert not any("secret-path" in repr(alarm) for alarm in alarms_of(seen))


def test_the_guide_has_a_section_for_every_alarm_and_the_code_an_alarm_for_every_section() -> None:
    import inspect

    from jobs.services.overview import alarms

    raised = set(re.findall(r'Alarm\(\s*"([a-z-]+)"', inspect.getsource(alarms) + inspect.getsource(demand)))
    assert raised == {section.id for section in sections()} and len(raised) > 10


def test_the_guide_is_shown_with_its_anchors(client: Client, staff: User) -> None:
    page = signed_in(client, staff).get("/admin/operations/guide/").content.decode()
    assert 'id="no-worker"' in page and "<code>manage.py schedule</code>" in page and "<li>" in page


def test_the_guide_escapes_whatever_it_contains() -> None:
    [section] = parse(
        "# x\n## Alarms\nintro\n### one\nA <b>bold</b> `<i>` **claim**\n\n- a\n  more\n- b\n\n```\n<x>\n```\n"
        "## Next\n### two"
    )
    assert section.id == "one"
    assert section.html == (
        "<p>A &lt;b&gt;bold&lt;/b&gt; <code>&lt;i&gt;</code> <strong>claim</strong></p>\n"
        "<ul><li>a more</li><li>b</li></ul>\n<pre><code>&lt;x&gt;</code></pre>"
    )


def test_minutes_are_complete_and_in_order(settings: LazySettings) -> None:
    moment = timezone.now() - timedelta(minutes=3)
    Job.objects.create(kind="tests.echo", status="completed", finished_at=moment)
    failed()
    minutes = work.minutes()
    assert len(minutes) == 60 and minutes == sorted(minutes, key=lambda minute: minute.at)
    assert sum(minute.completed for minute in minutes) == 1 and sum(minute.failed for minute in minutes) == 1
    told: datetime = next(minute.at for minute in minutes if minute.completed)
    assert told == moment.replace(second=0, microsecond=0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (89, "89 s"), (90, "1 min"), (7500, "2 h 5 min"), (400_000, "4 days")]
)
def test_ages_in_words(seconds: float, words: str) -> None:
    assert age(seconds) == words


def test_missing_migrations_are_named() -> None:
    assert surroundings.missing_migrations() == []
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'jobs' AND name = '0001_initial'")
    assert surroundings.missing_migrations() == ["jobs.0001_initial"]


def test_no_job_of_a_stranger_is_changed_by_guessing(client: Client, stranger: User) -> None:
    job = failed()
    signed_in(client, stranger)
    assert client.post("/admin/operations/retry/", {"kind": job.kind, "code": "empty_file"}).status_code == 302
    assert Job.objects.get(pk=UUID(str(job.pk))).status == "failed"
