"""Events: numbered, kept, replayed, sent; never a reason to fail."""

from __future__ import annotations

import threading
from typing import Any

import orjson
import pytest
from django.db import transaction

from accounts.models import User
from jobs import events, tuning
from jobs.connections import events_redis
from jobs.events import stream
from jobs.models import Job
from jobs.run import Run
from jobs.services import enqueue, enqueue_batch, lifecycle
from tests.factories.people import make_user

from .processes import wait_until

NOTE: dict[str, Any] = {"level": "info", "text": "Hello"}


def frames(channel: str, since: int = 0) -> list[dict[str, Any]]:
    """What is kept of a channel."""
    stored = events_redis().xrange(stream.keys_of(channel)[1])
    return [event for event in (orjson.loads(fields[b"e"]) for _, fields in stored) if event["seq"] > since]


def test_events_of_a_channel_are_numbered_without_gap() -> None:
    numbers = [events.publish("user:a", "notification", NOTE) for _ in range(3)]
    other = events.publish("user:b", "notification", NOTE)
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert [frame["seq"] for frame in frames("user:a")] == numbers
    assert [frame["seq"] for frame in frames("user:b")] == [other]


def test_frame_has_what_clients_are_promised() -> None:
    seq = events.publish("user:a", "notification", NOTE)
    (frame,) = frames("user:a")
    assert frame.pop("timestamp").endswith("+00:00")
    assert frame == {"seq": seq, "type": "notification", "channel": "user:a", "data": NOTE}


def test_publishers_at_once_never_share_a_number() -> None:
    numbers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: numbers.extend(events.publish("user:a", "notification", NOTE) for _ in range(25))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 100
    assert [frame["seq"] for frame in frames("user:a")] == sorted(numbers)


def test_replay_gives_what_came_after() -> None:
    numbers = [events.publish("user:a", "notification", NOTE) for _ in range(5)]
    replay = stream.read_since("user:a", numbers[1])
    assert [seq for seq, _ in replay.events] == numbers[2:]
    assert replay.complete
    assert replay.last_seq == numbers[-1]
    nothing_new = stream.read_since("user:a", numbers[-1])
    assert (nothing_new.events, nothing_new.complete) == ([], True)


def test_replay_says_when_older_events_were_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "EVENTS_KEPT", 200)
    first = events.publish("user:a", "notification", NOTE)
    events.publish_many([("user:a", "notification", NOTE)] * 1000)
    assert 200 <= events_redis().xlen(stream.keys_of("user:a")[1]) < 1000
    assert not stream.read_since("user:a", first).complete


def test_number_is_never_given_twice_even_after_a_flush() -> None:
    before = events.publish("user:a", "notification", NOTE)
    events_redis().flushdb()
    assert not stream.read_since("user:a", before).complete
    after = events.publish("user:a", "notification", NOTE)
    assert after > before
    assert not stream.read_since("user:a", before).complete


def test_streams_do_not_stay_for_ever() -> None:
    events.publish("user:a", "notification", NOTE)
    assert all(0 < events_redis().ttl(key) <= tuning.EVENTS_KEPT_S for key in stream.keys_of("user:a"))


def test_script_is_loaded_again_after_redis_restarted() -> None:
    first = events.publish("user:a", "notification", NOTE)
    events_redis().script_flush()
    assert events.publish_many([("user:a", "notification", NOTE)] * 2) == [first + 1, first + 2]


def test_publishing_without_redis_is_no_error(redis_is_down: None) -> None:
    assert events.publish("user:a", "notification", NOTE) == 0
    events.withdraw("00000000-0000-0000-0000-000000000000")


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_not_said() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        events.publish_on_commit("user:a", "notification", NOTE)
        raise ZeroDivisionError
    assert frames("user:a") == []
    with transaction.atomic():
        events.publish_on_commit("user:a", "notification", NOTE)
        assert frames("user:a") == []
    assert len(frames("user:a")) == 1


@pytest.fixture
def asker() -> User:
    return make_user("asker")


@pytest.mark.django_db(transaction=True)
def test_job_is_heard_on_its_own_its_subjects_and_its_persons_channel(asker: User, drain) -> None:
    subject = ("project", asker.pk)
    job = enqueue(kind="tests.steps", params={"steps": 3}, actor=asker, subject=subject, channels=["extra:1"])
    drain()
    for channel in (f"job:{job.pk}", f"user:{asker.pk}", f"project:{asker.pk}", "extra:1"):
        said = frames(channel)
        assert [said[0]["type"], said[-1]["type"]] == ["progress", "job_complete"]
        assert said[-1]["data"]["job_id"] == str(job.pk)
        assert said[-1]["data"]["result"] == {"steps": 3}


@pytest.mark.django_db(transaction=True)
def test_progress_is_full_state_and_the_last_one_always_goes_out(asker: User, drain) -> None:
    job = enqueue(kind="tests.steps", params={"steps": 40}, actor=asker, about="Roof")
    drain()
    progress = [frame["data"] for frame in frames(f"job:{job.pk}") if frame["type"] == "progress"]
    assert len(progress) < 40, "at most four a second"
    assert progress[-1] | {"eta_seconds": None} == {
        "job_id": str(job.pk),
        "kind": "tests.steps",
        "title": "Steps",
        "status": "running",
        "attempt": 1,
        "batch_id": None,
        "subject_type": "",
        "subject_id": None,
        "about": "Roof",
        "progress": 1.0,
        "done": 40,
        "total": 40,
        "message": "Step 40",
        "eta_seconds": None,
        "detail": {"seen": 40},
    }


@pytest.mark.django_db(transaction=True)
def test_report_that_came_too_soon_is_said_a_moment_later_while_the_handler_is_busy() -> None:
    from jobs.heart import Heart

    job = enqueue(kind="tests.echo", params={})
    run = Run(lifecycle.claim_next(queue="default"))
    heart = Heart()
    with heart.beating_for(run):
        run.report(1, 3, "One")
        run.report(2, 3, "Two")  # too soon; nothing more is reported
        wait_until(lambda: frames(f"job:{job.pk}")[-1]["data"]["message"] == "Two", "the second report is said")
    heart.stop()
    job.refresh_from_db()
    assert job.current_step == "Two"


@pytest.mark.django_db(transaction=True)
def test_failure_is_said_in_words_for_people(drain) -> None:
    job = enqueue(kind="tests.refuse", params={})
    drain()
    last = frames(f"job:{job.pk}")[-1]
    assert last["type"] == "job_failed"
    assert (last["data"]["error"], last["data"]["code"]) == ("The file is empty. Upload another.", "empty_file")


@pytest.mark.django_db(transaction=True)
def test_batch_speaks_for_its_children_to_the_person(asker: User, drain) -> None:
    batch = enqueue_batch(kind="tests.echo", params=[{}] * 20, actor=asker)
    drain()
    to_person = frames(f"user:{asker.pk}")
    assert {frame["data"]["job_id"] for frame in to_person} == {str(batch.pk)}
    assert to_person[-1]["type"] == "job_complete"
    ends = [frame for frame in frames(f"batch:{batch.pk}") if frame["type"] == "job_complete"]
    assert len(ends) == 21
    assert (ends[-1]["data"]["job_id"], ends[-1]["data"]["done"]) == (str(batch.pk), 20)


@pytest.mark.django_db(transaction=True)
def test_job_succeeds_when_nothing_can_be_published(drain, settings) -> None:
    job = enqueue(kind="tests.steps", params={"steps": 3})
    settings.REDIS_EVENTS_URL = "redis://127.0.0.1:1/0"
    drain()
    assert Job.objects.get(pk=job.pk).status == "completed"
