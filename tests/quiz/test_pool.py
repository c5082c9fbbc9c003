"""The quiz endpoint: fresh questions from pools, never an answer, with and without Redis, ahead of Django and in it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop
from django.test import override_settings
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from config import cache
from config.redis_access import ask, client_of, gate_of
from quiz.front import QuizFront
from quiz.models import Category, Question
from quiz.services import pool, pool_store
from tests.factories.quiz import BODIES, make_bank, make_category, make_clause, make_question, make_questions

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_S = 30.0


@pytest.fixture(autouse=True)
def _no_pools() -> Iterator[None]:
    ask(lambda client: client.flushdb())
    yield
    until(lambda: not any(thread.name == "quiz-pool" for thread in threading.enumerate()))


@pytest.fixture
def category() -> Category:
    return make_category("Structural Welding")


@pytest.fixture
def without_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    url = "redis://127.0.0.1:1/0"
    with override_settings(REDIS_CACHE_URL=url):
        yield
    gate_of(url).worked()
    client_of(url).close()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "It has not come about."
        time.sleep(0.02)


def ask_quiz(query: str = "", client: APIClient | None = None) -> Any:
    return (client or APIClient()).get(f"/api/quiz{query}")


def until_hit(query: str = "", client: APIClient | None = None) -> Any:
    answers: list[Any] = []

    def is_hit() -> bool:
        answers.append(ask_quiz(query, client))
        assert answers[-1].status_code == 200
        return bool(answers[-1]["X-Cache"] == "hit")

    until(is_hit)
    return answers[-1]


class Front:
    """The application ahead of Django, with one behind it that says so."""

    def __init__(self) -> None:
        self.passed = 0
        self._front = QuizFront(self._behind)

    async def _behind(self, scope: Any, receive: Any, send: Any) -> None:
        self.passed += 1
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    def get(self, query: str = "", headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, Any, Any]:
        return self.get_many([query], headers, method)[0]

    def get_many(
        self, queries: list[str], headers: dict[str, str] | None = None, method: str = "GET"
    ) -> list[tuple[int, Any, Any]]:
        return asyncio.run(self.answers(queries, headers, method))

    async def answers(
        self, queries: list[str], headers: dict[str, str] | None = None, method: str = "GET"
    ) -> list[tuple[int, Any, Any]]:
        headers = {"host": "testserver"} | (headers or {})

        async def one(query: str) -> tuple[int, Any, Any]:
            sent: list[Any] = []

            async def send(message: Any) -> None:
                sent.append(message)

            scope = {
                "type": "http", "method": method, "path": "/api/quiz", "scheme": "http",
                "query_string": query.encode(), "client": ("198.51.100.7", 1234),
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            }  # fmt: skip
            await self._front(scope, None, send)
            body = json.loads(sent[1]["body"])
            return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, body

        return await asyncio.gather(*(one(query) for query in queries))


def test_first_a_miss_then_hits_each_with_other_questions(category: Category) -> None:
    make_questions(category, 40)
    first = ask_quiz("?category=Structural%20Welding")
    assert first.status_code == 200 and first["X-Cache"] == "miss" and first.json()["count"] == 10
    until_hit("?category=Structural%20Welding")
    drawn = [until_hit("?category=Structural%20Welding").json()["questions"] for _ in range(5)]
    assert all(len({question["id"] for question in questions}) == 10 for questions in drawn)
    assert len({tuple(question["id"] for question in questions) for questions in drawn}) > 1


@pytest.mark.parametrize("kind", BODIES)
def test_nothing_of_an_answer_goes_out(category: Category, kind: str) -> None:
    question = make_question(category, kind=kind)
    ids = [each["id"] for part in BODIES[kind].values() if isinstance(part, list) for each in part if "id" in each]
    for answer in (ask_quiz(), until_hit()):
        [told] = answer.json()["questions"]
        assert told.pop("id") == str(question.pk)
        assert set(told) <= {"kind", "stem", "category", "difficulty", "choices", "lefts", "rights", "parts"}
        for name in ("choices", "lefts", "rights", "parts"):
            assert all(set(place) == {"id", "text"} for place in told.get(name, ()))
            assert [place["id"] for place in told.get(name, ())] == [str(n + 1) for n in range(len(told.get(name, ())))]
        text = json.dumps(told)
        for secret in ("share", "feedback", "melted", "open root", "3.1", "accepted", *(f'"{one}"' for one in ids)):
            assert secret not in text


def test_orders_and_pairs_are_not_told_by_their_places(category: Category) -> None:
    for kind in ("ordering", "matching", "single"):
        make_questions(category, 12, kind=kind)
    ask_quiz()
    questions = until_hit("?count=50").json()["questions"]
    orders = {tuple(place["text"] for place in each["parts"]) for each in questions if each["kind"] == "ordering"}
    rights = {tuple(place["text"] for place in each["rights"]) for each in questions if each["kind"] == "matching"}
    choices = {tuple(place["text"] for place in each["choices"]) for each in questions if each["kind"] == "single"}
    assert len(orders) > 1 and len(rights) > 1 and len(choices) > 1


@pytest.mark.parametrize("count", ["0", "51", "-1", "ten", "1.5", "٣", "99999999999"])
def test_a_count_out_of_bounds_is_told(count: str) -> None:
    answer = ask_quiz(f"?count={count}")
    assert answer.status_code == 400 and "from 1 to 50" in answer.json()["errors"]["count"][0]


def test_unknown_categories_and_levels_are_told_and_leave_no_pool(category: Category) -> None:
    assert ask_quiz("?category=Nonsense").status_code == 404
    assert ask_quiz("?category=Nonsense").json()["code"] == "category_not_found"
    assert "easy" in ask_quiz("?difficulty=brutal").json()["errors"]["difficulty"][0]
    assert ask_quiz(f"?category={'x' * 121}").status_code == 400
    assert ask(lambda client: client.keys("*cache:quiz:*")) == []


def test_a_level_has_its_own_questions(category: Category) -> None:
    hard = make_question(category, difficulty="0.9")
    make_question(category, difficulty="0.1")
    make_question(category)
    for answer in (ask_quiz("?difficulty=hard"), until_hit("?difficulty=hard")):
        assert [each["id"] for each in answer.json()["questions"]] == [str(hard.pk)]
    assert until_hit().json()["count"] == 3


def test_what_is_changed_is_drawn_anew(category: Category) -> None:
    make_questions(category, 3)
    assert until_hit().json()["count"] == 3
    Question.objects.update(retired_at="2026-01-01T00:00Z")
    make_question(category)
    assert until_hit().json()["count"] == 3  # nobody said so yet
    cache.invalidate("quiz")
    assert ask_quiz().json()["count"] == 1  # whoever finds it stale sees what is
    until(lambda: until_hit().json()["count"] == 1)  # others meanwhile what was


def test_a_pool_without_questions_is_a_pool(category: Category) -> None:
    assert until_hit("?category=Structural%20Welding").json() == {"count": 0, "questions": []}


def test_one_makes_a_pool_and_others_get_the_old_one_meanwhile(category: Category) -> None:
    make_questions(category, 3)
    until_hit()
    cache.invalidate("quiz")
    keys = pool_store.keys_of("", "")
    maker = pool_store.draw(keys, 10)
    assert maker.is_mine and maker.questions is None
    others = [pool_store.draw(keys, 10) for _ in range(3)]
    assert all(not other.is_mine and len(other.questions or ()) == 3 for other in others)
    assert Front().get()[0] == 200
    assert pool_store.keep(keys, maker, [b'{"id":"new"}'])
    assert pool_store.draw(keys, 10).questions == [b'{"id":"new"}']


def test_a_pool_that_became_stale_while_it_was_made_is_not_kept(category: Category) -> None:
    keys = pool_store.keys_of("", "")
    maker = pool_store.draw(keys, 10)
    cache.invalidate("quiz")
    assert not pool_store.keep(keys, maker, [b"{}"])
    assert pool_store.draw(keys, 10).is_mine


def test_more_questions_than_go_in_one_command_make_one_pool(category: Category) -> None:
    keys = pool_store.keys_of("", "")
    assert pool_store.keep(keys, pool_store.draw(keys, 1), [b'{"id":%d}' % number for number in range(2500)])
    assert len(set(pool_store.draw(keys, 50).questions or ())) == 50
    assert ask(lambda client: client.hlen(keys[0])) == 2500


def test_without_redis_it_is_drawn_from_the_tables(category: Category, without_redis: None) -> None:
    make_questions(category, 30)
    drawn = [ask_quiz("?category=Structural%20Welding") for _ in range(4)]
    assert all(answer.status_code == 200 and answer["X-Cache"] == "miss" for answer in drawn)
    assert len({tuple(each["id"] for each in answer.json()["questions"]) for answer in drawn}) > 1
    front = Front()
    assert front.get()[0] == 299 and front.passed == 1


def test_members_get_their_own_questions_and_nobody_else_does(
    category: Category, owner: User, stranger: User, organisation: Organisation
) -> None:
    make_question(category)
    own = make_question(category, bank=make_bank(organisation))
    as_owner, as_stranger = APIClient(), APIClient()
    as_owner.force_authenticate(owner)
    as_stranger.force_authenticate(stranger)
    for _ in range(2):
        assert str(own.pk) in ask_quiz("", as_owner).content.decode()
        assert str(own.pk) not in ask_quiz("", as_stranger).content.decode()
        assert str(own.pk) not in ask_quiz().content.decode()
        for client in (as_owner, as_stranger, None):
            until_hit("", client)
    make_question(make_category("Ours", organisation=organisation))
    assert ask_quiz("?category=Ours").status_code == 404
    assert ask_quiz("?category=Ours", as_stranger).status_code == 404
    assert ask_quiz("?category=Ours", as_owner).status_code == 200


def test_the_front_answers_hits_as_django_does(category: Category) -> None:
    make_questions(category, 20)
    front = Front()
    assert front.get()[0] == 299  # no pool yet: Django makes it
    until_hit()
    status, headers, body = front.get("count=20")
    assert status == 200 and headers["x-cache"] == "hit" and int(headers["content-length"]) > 0
    django = until_hit("?count=20")
    by_id = {each["id"]: each for each in django.json()["questions"]}
    assert {each["id"]: each for each in body["questions"]} == by_id and body["count"] == 20
    assert headers["content-type"] == django["Content-Type"] and headers["cache-control"] == django["Cache-Control"]
    assert len({json.dumps(told) for _, _, told in front.get_many(["count=5"] * 20)}) > 1


@pytest.mark.parametrize(
    ("query", "headers", "method"),
    [
        ("count=51", {}, "GET"), ("difficulty=brutal", {}, "GET"), ("category=Nonsense", {}, "GET"),
        ("count=5&category=%FF", {}, "GET"), ("", {"authorization": "Bearer x"}, "GET"),
        ("", {"cookie": "sessionid=x"}, "GET"), ("", {"host": "elsewhere.example"}, "GET"), ("", {}, "POST"),
    ],
)  # fmt: skip
def test_whatever_is_no_plain_hit_goes_on_to_django(
    category: Category, query: str, headers: dict[str, str], method: str
) -> None:
    make_question(category)
    until_hit()
    assert Front().get(query, headers, method)[0] == 299


def test_over_https_only_where_the_site_is(category: Category) -> None:
    make_question(category)
    until_hit()
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert Front().get()[0] == 299
        assert Front().get(headers={"x-forwarded-proto": "https"})[0] == 200


def test_the_front_counts_calls_and_refuses_too_many(category: Category) -> None:
    make_question(category)
    until_hit()
    throttles = {"quiz": "3/minute", "anonymous": "1/minute"}
    with override_settings(THROTTLES_ENABLED=True, THROTTLES=throttles):
        answers = Front().get_many([""] * 5)
    assert sorted(status for status, _, _ in answers) == [200, 200, 200, 429, 429]
    [refused, _] = [answer for answer in answers if answer[0] == 429]
    assert refused[2]["code"] == "throttled" and int(refused[1]["retry-after"]) > 0
    assert refused[1]["ratelimit-remaining"] == "0"
    assert all(headers["ratelimit-limit"] == "3" for _, headers, _ in answers)


def test_how_the_pools_do_is_told_with_the_caches(category: Category) -> None:
    make_question(category)
    until_hit()
    Front().get()
    told = cache.stats()["quiz"]
    assert told["hits"] >= 2 and told["misses"] >= 1


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])  # servers use either
def test_the_line_to_redis_comes_back_after_it_was_lost(category: Category, run: Any) -> None:
    make_question(category)
    until_hit()

    async def twice() -> list[Any]:
        from django.conf import settings

        from config.redis_line import RedisLine, ScriptCall, packed

        line = RedisLine(str(settings.REDIS_CACHE_URL))
        keys = pool_store.keys_of("", "")
        call, fetch = ScriptCall(pool_store.LOOK, keys, ["", 0]), packed("HMGET", keys[0], 0)
        first = await line.run(call, fetch)
        line.close()
        several = await asyncio.gather(*(line.run(call, fetch) for _ in range(50)))
        assert len(await line.ask(fetch)) == 1
        line.close()
        return [first, *several]

    answers = run(twice())
    assert len(answers) == 51
    assert all(told[:2] == [b"drawn", 1] and len(questions) == 1 for told, questions in answers)


def test_clauses_are_found_by_number_its_beginning_and_words() -> None:
    make_clause("4.1", "Scope")
    make_clause("4.1.2", "Preheating", text="Welds shall be preheated.")
    make_clause("14.1", "Elsewhere")

    def numbers(q: str) -> list[str]:
        answer = APIClient().get("/api/quiz/clauses", {"q": q})
        assert answer.status_code == 200
        return [each["number"] for each in answer.json()]

    assert numbers("4.1") == ["4.1", "4.1.2"]
    assert numbers("preheated welds") == ["4.1.2"]
    assert numbers("nothing of the kind") == []
    for bad in ("", "   ", "x" * 101):
        assert APIClient().get("/api/quiz/clauses", {"q": bad}).status_code == 400


def test_clauses_of_others_are_not_found(owner: User, stranger: User, organisation: Organisation) -> None:
    make_clause("9.9", "House rule", organisation=organisation)
    for user, found in ((owner, 1), (stranger, 0), (owner, 1)):
        client = APIClient()
        client.force_authenticate(user)
        assert len(client.get("/api/quiz/clauses", {"q": "9.9"}).json()) == found
    assert APIClient().get("/api/quiz/clauses", {"q": "9.9"}).json() == []


def test_what_is_asked_for_is_counted_without_a_write_per_call_and_kept_warm() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from quiz.services.searching import count_popularity

    clause, other = make_clause("4.1.2"), make_clause("7.7", "Bolts")
    for _ in range(3):
        APIClient().get("/api/quiz/clauses", {"q": "4.1.2"})
    with CaptureQueriesContext(connection) as captured:
        APIClient().get("/api/quiz/clauses", {"q": "4.1.2"})
    assert not [query for query in captured if "UPDATE" in query["sql"]]
    clause.refresh_from_db()
    assert clause.popularity == 0
    assert count_popularity() == 1
    clause.refresh_from_db()
    other.refresh_from_db()
    assert clause.popularity == 4 and other.popularity == 0
    assert count_popularity() == 0
    with CaptureQueriesContext(connection) as captured:
        assert APIClient().get("/api/quiz/clauses", {"q": "4.1.2"}).json()[0]["number"] == "4.1.2"
    assert not [query for query in captured if "quiz_clause" in query["sql"]]


def test_the_pool_tells_a_wish_from_another() -> None:
    assert pool.wish_of({"count": "", "category": " Bridges "}) == pool.Wish("Bridges", 10, "")
    assert pool_store.keys_of("a", "") != pool_store.keys_of("", "a")
