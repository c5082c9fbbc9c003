"""After a bank was read, whoever comes first draws from a pool; and nothing about that makes a run fail."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import override_settings
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from config.redis_access import ask, client_of, gate_of
from quiz.models import Bank, Question, SyncRun
from quiz.services import banks, files, pool, pool_store, syncing, wanted, warming
from quiz.services.wanted import Wanted
from tests.factories.quiz import make_bank, make_category, make_question
from tests.standins import airtable_questions as office
from tests.standins.airtable import serving
from tests.standins.airtable_base import Airtable, Bucket

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_S = 30.0
Drain = Callable[[], int]
GIFT = "$CATEGORY: {category}\n\n::{name}:: What comes first in {name}? {{=Preheat ~Peen #No!}}\n"


@pytest.fixture(autouse=True)
def _no_pools() -> Iterator[None]:
    ask(lambda client: client.flushdb())
    yield
    _until(lambda: not any(thread.name == "quiz-pool" for thread in threading.enumerate()))


@pytest.fixture
def airtable(settings: Any) -> Iterator[Airtable]:
    standin = office.welding_base(12)
    standin.bucket = Bucket(per_s=50.0, lockout_s=0.5)
    settings.AIRTABLE_REQUESTS_PER_S = 45.0
    with serving(standin):
        settings.AIRTABLE_URL, settings.AIRTABLE_TOKEN = standin.url, standin.token
        yield standin


def _until(is_so: Any) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "It has not come about."
        time.sleep(0.02)


def imported(bank: Bank, *, category: str = "Welding", name: str = "T1") -> SyncRun:
    text = GIFT.format(category=category, name=name)
    return files.import_file(bank=bank, stream=io.BytesIO(text.encode()), filename="pool.gift")


def asked(query: str = "", user: User | None = None) -> Any:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    response = client.get(f"/api/quiz{query}")
    assert response.status_code == 200
    return response


def test_soon_after_a_sync_the_first_quiz_is_a_hit(airtable: Airtable, drain: Drain) -> None:
    bank = banks.bank_at(base_id=airtable.base_id, table_id=office.TABLE)
    assert syncing.sync_bank(bank_id=bank.pk).created == 12
    drain()
    first = asked("?category=Safety&count=5")
    assert first["X-Cache"] == "hit"
    assert {each["category"] for each in first.json()["questions"]} == {"Safety"}
    assert asked("")["X-Cache"] == "hit"
    airtable.put(airtable.tables[office.TABLE], office.record_id(3), **{office.STEM: "What is new?"})
    assert syncing.sync_bank(bank_id=bank.pk).updated == 1
    drain()
    again = asked("?count=50")
    assert again["X-Cache"] == "hit"
    assert any("What is new?" in each["stem"] for each in again.json()["questions"]), "and no old one"


def test_soon_after_an_import_the_first_quiz_is_a_hit_also_with_what_was_asked_for_before(drain: Drain) -> None:
    bank = make_bank()
    imported(bank)
    drain()
    asked("?category=Welding&difficulty=easy")
    _until(lambda: wanted.most_wanted() == [Wanted("Welding", "easy")])
    imported(bank, name="T2")
    drain()
    assert asked("?category=Welding&difficulty=easy")["X-Cache"] == "hit"
    assert asked("?category=Welding&difficulty=hard")["X-Cache"] == "miss", "nobody had asked for it"


def test_pools_of_an_organisation_are_made_for_its_people_only(
    organisation: Organisation, member: User, stranger: User, drain: Drain
) -> None:
    shared, own = make_bank(), make_bank(organisation)
    imported(shared)
    imported(own, name="O1")
    drain()
    assert asked("?count=50", member).json()["count"] == 2
    _until(lambda: any(each.organisations for each in wanted.most_wanted()))
    imported(shared, name="T2")
    drain()
    answer = asked("?count=50", member)
    assert (answer["X-Cache"], answer.json()["count"]) == ("hit", 3)
    assert asked("?count=50", stranger).json()["count"] == 2
    assert asked("?count=50").json()["count"] == 2


def test_whoever_left_is_not_made_a_pool_for(organisation: Organisation, member: User) -> None:
    make_question(make_category("Own", organisation))
    keys = pool_store.keys_of("", "", pool.organisations_of(member))
    wanted.note(Wanted("", "", pool.organisations_of(member), str(member.pk)))
    member.memberships.all().delete()
    warming.warm()
    assert ask(lambda client: client.exists(keys[0])) == 0


def test_a_run_that_changed_nothing_warms_nothing(drain: Drain) -> None:
    bank = make_bank()
    imported(bank)
    drain()
    ask(lambda client: client.flushdb())
    assert imported(bank).unchanged == 1
    drain()
    assert asked("?category=Welding")["X-Cache"] == "miss"


def test_a_category_that_is_gone_costs_nothing() -> None:
    wanted.note(Wanted("Gone", ""))
    make_question(make_category("Here"))
    assert warming.warm() == 2, "all categories, and the one there is"
    assert warming.warm() == 0, "they are fresh"
    again = pool_store.draw(pool_store.keys_of("Gone", ""), 1)
    assert again.is_mine, "nobody holds its lock"


def test_a_pool_holds_so_many_of_a_large_bank_and_others_when_it_is_made_again(monkeypatch: Any) -> None:
    monkeypatch.setattr(pool, "MOST_POOLED", 5)
    monkeypatch.setattr(pool, "AT_ONCE", 2)
    category = make_category("Here")
    for _ in range(40):
        make_question(category)
    pooled = []
    for _ in range(4):
        assert warming.warm() == 2
        pooled.append(set(ask(lambda client: client.hvals(pool_store.keys_of("Here", "")[0]))))
        ask(lambda client: client.flushdb())
    assert [len(each) for each in pooled] == [5, 5, 5, 5]
    assert len(set.union(*pooled)) > 5, "five of forty, the same four times: once in 10^17"


def test_what_was_asked_for_lately_comes_first_and_not_all_is_remembered() -> None:
    for name, times in (("Often", 3), ("Once", 1)):
        for _ in range(times):
            wanted.note(Wanted(name, ""))
    assert [each.category for each in wanted.most_wanted()] == ["Often", "Once"]
    for number in range(wanted.MOST + 5):
        wanted.note(Wanted(f"Many {number}", ""))
    assert len(wanted.most_wanted()) == wanted.MOST
    assert wanted.most_wanted()[0].category == "Often"


def test_without_redis_a_bank_is_read_all_the_same() -> None:
    url = "redis://127.0.0.1:1/0"
    with override_settings(REDIS_CACHE_URL=url):
        assert imported(make_bank()).status == SyncRun.Status.COMPLETED
        gate_of(url).worked()
        client_of(url).close()
    assert Question.objects.live().count() == 1


def test_a_pool_that_can_not_be_made_does_not_make_the_run_fail() -> None:
    """A question that nothing can draw, written past the services."""
    broken = make_question(make_category("Broken"), body={})
    run = imported(make_bank())
    assert (run.status, run.error) == (SyncRun.Status.COMPLETED, "")
    broken.delete()
    assert asked("?category=Welding").json()["count"] == 1
