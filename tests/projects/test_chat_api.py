"""The chat's API and pages: who may do what, bad input, history, events, what is throttled, and jobs that die."""

# ruff: noqa: F811 - a fixture of another module

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from jobs.connections import events_redis
from jobs.events import stream
from jobs.models import Job
from projects.channels import may_join
from projects.models import ChatMessage, Project
from projects.services.chat.asking import ANSWER, LONGEST, ask
from projects.services.opening import archive_project
from tests.projects.chat_cast import Asks, asked  # noqa: F401 - a fixture
from tests.projects.pages import HTMX, queries, signed_in, url

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def api(project: Project, rest: str = "") -> str:
    return f"/api/projects/{project.pk}/chat{rest}"


def events_of(project: Project) -> list[dict[str, Any]]:
    entries: Any = events_redis().xrange(stream.keys_of(f"project:{project.pk}")[1])
    return [json.loads(fields[b"e"]) for _, fields in entries]


def make_messages(project: Project, author: User, how_many: int) -> None:
    for number in range(how_many):
        question = ChatMessage.objects.create(project=project, author=author, role="user", message=f"Question {number}")
        ChatMessage.objects.create(
            project=project, role="assistant", message="42", question=question, source="computed",
            citations=[{"kind": "version", "id": "1", "title": "Version 1", "place": "", "quote": "", "url": "/"}],
        )  # fmt: skip


def test_a_question_is_accepted_and_answered_by_a_job(project: Project, viewer: User, drain: Callable[[], int]) -> None:
    client = client_of(viewer)
    told = client.post(api(project), {"message": "What is the total?"})
    assert told.status_code == 202, told.content
    body = told.json()
    assert body["answer"]["status"] == "waiting" and body["question"]["message"] == "What is the total?"
    drain()
    answer = client.get(api(project, f"/{body['answer']['id']}")).json()
    assert (answer["status"], answer["source"]) == ("done", "computed")
    assert answer["citations"][0]["kind"] == "version" and answer["how"]
    listed = client.get(api(project)).json()
    assert [row["role"] for row in listed["results"]] == ["assistant", "user"] and listed["count"] == 2


@pytest.mark.parametrize(
    "message", ["", "   \n ", "x" * (LONGEST + 1), "x" * 10_000, "a\x00b", "\ud800"],
    ids=["empty", "blanks", "too_long", "ten_thousand", "nul", "surrogate"],
)  # fmt: skip
def test_what_is_no_message_is_refused_in_words(project: Project, owner: User, message: str) -> None:
    told = client_of(owner).post(api(project), json.dumps({"message": message}), content_type="application/json")
    assert told.status_code == 400, told.content
    assert "message" in json.dumps(told.json()) and not ChatMessage.objects.exists()


@pytest.mark.parametrize("body", ["[]", "{}", '{"message": {"a": 1}}', "{", '"x"'], ids=list("abcde"))
def test_what_is_no_form_is_refused(project: Project, owner: User, body: str) -> None:
    assert client_of(owner).post(api(project), body, content_type="application/json").status_code == 400


def test_a_stranger_finds_nothing_anywhere(project: Project, owner: User, stranger: User, asked: Asks) -> None:
    answer = asked(project, owner, "delete position 2")
    client, pages = client_of(stranger), signed_in(stranger)
    assert client.get(api(project)).status_code == 404
    assert client.post(api(project), {"message": "What is the total?"}).status_code == 404
    assert client.get(api(project, f"/{answer.pk}")).status_code == 404
    for verb in ("apply", "refuse", "again"):
        assert client.post(api(project, f"/{answer.pk}/{verb}")).status_code == 404
        assert pages.post(url(f"chat-{verb}", project.pk, answer.pk)).status_code == 404
    assert pages.get(url("chat", project.pk)).status_code == 404
    assert pages.get(url("chat-message", project.pk, answer.pk)).status_code == 404
    assert pages.get(url("chat-message-page", answer.pk)).status_code == 404
    assert pages.post(url("chat-ask", project.pk), {"message": "What is the total?"}).status_code == 404
    assert may_join(owner, str(project.pk)) and not may_join(stranger, str(project.pk))
    assert ChatMessage.objects.count() == 2


def test_a_message_of_another_project_is_none_of_this_one(project: Project, owner: User, asked: Asks) -> None:
    from tests.factories.projects import make_project

    answer = asked(project, owner, "delete position 2")
    other, client = make_project(owner, "Other"), client_of(owner)
    assert client.get(api(other, f"/{answer.pk}")).status_code == 404
    assert client.post(api(other, f"/{answer.pk}/apply")).status_code == 404
    assert client.get(api(project, f"/{uuid4()}")).status_code == 404


def test_a_proposal_is_applied_and_refused_over_the_api(
    project: Project, owner: User, viewer: User, asked: Asks
) -> None:
    answer = asked(project, owner, "set the price of 2 to 350")
    assert client_of(viewer).post(api(project, f"/{answer.pk}/apply")).status_code == 403
    told = client_of(owner).post(api(project, f"/{answer.pk}/apply"))
    assert told.status_code == 200, told.content
    assert (told.json()["proposal"], told.json()["applied_version"]) == ("applied", 2)
    assert told.json()["changes"]["delta"] == "660.00"
    again = client_of(owner).post(api(project, f"/{answer.pk}/refuse"))
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    plain = asked(project, owner, "What is the total?")
    assert client_of(owner).post(api(project, f"/{plain.pk}/apply")).json()["code"] == "no_proposal"


def test_an_archived_project_answers_and_takes_no_change(project: Project, owner: User, asked: Asks) -> None:
    archive_project(project_id=project.pk, actor=owner)
    answer = asked(project, owner, "set the price of 2 to 350")
    told = client_of(owner).post(api(project, f"/{answer.pk}/apply"))
    assert told.status_code in (400, 409) and told.json()["code"] == "project_archived"


def test_the_answer_is_told_on_the_projects_channel_as_it_is_made(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "What is the total?")
    mine = [event for event in events_of(project) if event["data"].get("message_id") == str(answer.pk)]
    assert [event["type"] for event in mine] == ["chat_message", "chat_delta", "chat_delta", "chat_message"]
    assert mine[1]["data"]["step"] == "Computing" and mine[2]["data"]["text"] == answer.message
    assert (mine[0]["data"]["status"], mine[3]["data"]["status"]) == ("waiting", "done")


def test_a_job_that_runs_twice_answers_once(project: Project, owner: User, drain: Callable[[], int]) -> None:
    exchange = ask(project_id=project.pk, actor=owner, message="What is the total?")
    Job.objects.filter(pk=exchange.job.pk).update(attempt=1)  # as after a kill: taken back, and run again
    drain()
    ChatMessage.objects.filter(pk=exchange.answer.pk).update(message="As it was")
    Job.objects.filter(pk=exchange.job.pk).update(status=Job.Status.QUEUED, finished_at=None)
    drain()
    assert ChatMessage.objects.get(pk=exchange.answer.pk).message == "As it was"
    assert Job.objects.get(pk=exchange.job.pk).status == Job.Status.COMPLETED


def test_an_answer_that_failed_says_so_and_can_be_asked_again(
    project: Project, owner: User, drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from projects.services.chat import answering

    def broken(**_: Any) -> None:
        raise RuntimeError("out of order")

    exchange = ask(project_id=project.pk, actor=owner, message="What is the total?")
    with monkeypatch.context() as patched:
        patched.setattr(answering, "reply_to", broken)
        drain()
    failed = ChatMessage.objects.get(pk=exchange.answer.pk)
    assert failed.status == "failed" and "out of order" not in failed.message and "Ask it again" in failed.message
    told = client_of(owner).post(api(project, f"/{failed.pk}/again"))
    assert told.status_code == 202
    drain()
    assert ChatMessage.objects.get(pk=told.json()["answer"]["id"]).source == "computed"


def test_who_has_three_questions_waiting_waits(project: Project, owner: User, member: User) -> None:
    for _ in range(3):
        ask(project_id=project.pk, actor=owner, message="What is the total?")
    told = client_of(owner).post(api(project), {"message": "What is the total?"})
    assert (told.status_code, told.json()["code"]) == (409, "answers_pending")
    assert client_of(member).post(api(project), {"message": "What is the total?"}).status_code == 202
    assert Job.objects.filter(kind=ANSWER).count() == 4


def test_asking_counts_as_expensive_where_a_model_may_be_asked(
    project: Project, owner: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    for module in ("projects.api.chat_views", "projects.views.chat"):
        monkeypatch.setattr(f"{module}.count_call", lambda request, user_id, name: counted.append(name))
    client_of(owner).post(api(project), {"message": "What is the total?"})
    assert counted == []
    settings.AI_PROVIDER, settings.AI_MODEL, settings.AI_API_KEY = "anthropic", "claude-haiku-4-5", "key-of-the-test"
    assert client_of(owner).post(api(project), {"message": "What is the total?"}).status_code == 202
    assert signed_in(owner).post(url("chat-ask", project.pk), {"message": "red findings"}).status_code == 302
    assert counted == ["expensive", "expensive"]


def test_the_page_shows_examples_then_what_was_asked(project: Project, owner: User, asked: Asks) -> None:
    client = signed_in(owner)
    assert "Ask this budget" in client.get(url("chat", project.pk)).content.decode()
    asked(project, owner, "<b>What</b> is the total?")
    page = client.get(url("chat", project.pk)).content.decode()
    assert "&lt;b&gt;What&lt;/b&gt; is the total?" in page and "<b>What" not in page


def test_the_page_asks_with_and_without_a_script(project: Project, owner: User, drain: Callable[[], int]) -> None:
    client = signed_in(owner)
    part = client.post(url("chat-ask", project.pk), {"message": "What is the total?"}, headers=HTMX)
    assert part.status_code == 200 and 'data-status="waiting"' in part.content.decode()
    whole = client.post(url("chat-ask", project.pk), {"message": "red findings"})
    assert whole.status_code == 302 and "#message-" in whole["Location"]
    drain()
    answer = ChatMessage.objects.filter(role="assistant").earliest("created_at")
    shown = client.get(url("chat-message", project.pk, answer.pk)).content.decode()
    assert "Computed" in shown and f"/projects/{project.pk}/versions/1/" in shown
    jump = client.get(url("chat-message-page", answer.pk))
    assert jump["Location"] == f"/projects/{project.pk}/chat/#message-{answer.pk}"
    bad = client.post(url("chat-ask", project.pk), {"message": " "}, headers=HTMX)
    assert bad.status_code == 400 and bad["X-Refused"] == "invalid_message"


def test_the_page_applies_refuses_and_shows_what_is_outdated(
    project: Project, owner: User, viewer: User, asked: Asks
) -> None:
    first, second = asked(project, owner, "set the price of 2 to 350"), asked(project, owner, "delete position 2")
    assert "Apply" not in signed_in(viewer).get(url("chat-message", project.pk, first.pk)).content.decode()
    client: Client = signed_in(owner)
    told = client.post(url("chat-apply", project.pk, first.pk), headers=HTMX)
    assert told.status_code == 200 and "Version 2" in told.content.decode() and "HX-Trigger" in told
    late = client.post(url("chat-apply", project.pk, second.pk), headers=HTMX)
    assert late.status_code == 200 and "Propose anew" in late.content.decode()
    third = asked(project, owner, "delete position 3")
    assert client.post(url("chat-refuse", project.pk, third.pk)).status_code == 302
    assert "Refused" in client.get(url("chat", project.pk)).content.decode()


@pytest.mark.parametrize("before", ["x", str(uuid4()), "\x00"], ids=["no_id", "unknown", "nul"])
def test_what_comes_before_no_message_is_not_found(project: Project, owner: User, before: str) -> None:
    assert signed_in(owner).get(url("chat", project.pk), {"before": before}).status_code == 404


def test_earlier_messages_come_by_the_page(project: Project, owner: User) -> None:
    make_messages(project, owner, 40)
    client = signed_in(owner)
    page = client.get(url("chat", project.pk))
    assert "Question 39" in page.content.decode() and "Question 3<" not in page.content.decode()
    earlier = page.context["stretch"].earlier
    part = client.get(url("chat", project.pk), {"before": earlier}, headers=HTMX).content.decode()
    assert "Question 24" in part and "<html" not in part


def test_fifty_messages_take_no_more_queries_than_one(project: Project, owner: User) -> None:
    make_messages(project, owner, 1)
    client, address = signed_in(owner), url("chat", project.pk)
    few, few_listed = queries(client, address), queries(client, f"/api/projects/{project.pk}/chat?page_size=100")
    make_messages(project, owner, 50)
    assert queries(client, address) == few
    assert queries(client, f"/api/projects/{project.pk}/chat?page_size=100") == few_listed
