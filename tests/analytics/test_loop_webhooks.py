"""Other systems are told what has changed of what their organisation sees, once for each refreshing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from accounts.models import Organisation, User
from analytics.models import Entity
from analytics.services import entities
from analytics.webhooks import MOST_TOLD, UPDATED
from jobs.models import WebhookDelivery, WebhookEndpoint
from jobs.webhooks import endpoints, event_types
from tests.factories.people import make_organisation, make_user

from .loop_cast import NAME, Shelf, shelf_of_things
from .search_cast import forget

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    forget()
    settings.SITE_URL = "https://plumbline.example/"
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def shelf() -> Any:
    with shelf_of_things() as shelf:
        yield shelf


def listening(user: User, *types: str) -> WebhookEndpoint:
    return endpoints.create_endpoint(actor=user, url="http://127.0.0.1:9009/hook", event_types=types or (UPDATED,))


def told_to(endpoint: WebhookEndpoint) -> list[dict[str, Any]]:
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).order_by("created_at")
    return [row.payload["data"] for row in rows]


def put(shelf: Shelf, names: list[str], organisation: Organisation | None = None, text: str = "Old.") -> None:
    for name in names:
        shelf.put(name, organisation=organisation, text=text)


def refresh(*names: str) -> entities.Counts:
    return entities.refresh(source=NAME, source_ids=names)


def test_what_has_changed_is_told_to_whoever_sees_it(
    shelf: Shelf, owner: User, stranger: User, organisation: Organisation
) -> None:
    mine, theirs = listening(owner), listening(stranger, "*")
    deaf = listening(owner, "job.completed")
    put(shelf, ["own", "own too"], organisation)
    put(shelf, ["shared"])
    refresh("own", "own too", "shared")
    assert told_to(mine) == told_to(theirs) == []  # what is new is told of by whoever made it

    put(shelf, ["own", "own too"], organisation, "New.")
    put(shelf, ["shared"], text="New.")
    refresh("own", "own too", "shared")

    (message,) = told_to(mine)
    assert message["count"] == 3
    assert {each["name"] for each in message["entities"]} == {"own", "own too", "shared"}
    own = next(each for each in message["entities"] if each["name"] == "own")
    assert own == {
        "id": str(Entity.objects.get(name="own").pk),
        "entity_type": "clause",
        "name": "own",
        "link": "https://plumbline.example/things/own/",
    }
    (message,) = told_to(theirs)
    assert (message["count"], [each["name"] for each in message["entities"]]) == (1, ["shared"])
    assert told_to(deaf) == []


def test_what_reads_as_before_and_what_is_gone_is_not_told_of(shelf: Shelf, owner: User) -> None:
    endpoint = listening(owner)
    put(shelf, ["same", "gone"])
    refresh("same", "gone")
    shelf.things.pop("gone")
    assert refresh("same", "gone").removed == 1
    assert told_to(endpoint) == []


def test_a_change_that_is_undone_is_told_to_nobody(shelf: Shelf, owner: User) -> None:
    endpoint = listening(owner)
    put(shelf, ["a"])
    refresh("a")
    put(shelf, ["a"], text="New.")
    with pytest.raises(RuntimeError), transaction.atomic():
        assert refresh("a").updated == 1
        raise RuntimeError
    assert told_to(endpoint) == []


def test_a_message_is_bounded_and_says_how_many_there_are(shelf: Shelf, owner: User) -> None:
    endpoint = listening(owner)
    names = [f"t{number:03}" for number in range(MOST_TOLD + 20)]
    put(shelf, names)
    refresh(*names)
    put(shelf, names, text="New.")
    refresh(*names)
    (message,) = told_to(endpoint)
    assert (message["count"], len(message["entities"])) == (MOST_TOLD + 20, MOST_TOLD)


def test_telling_many_organisations_takes_no_more_queries_than_telling_one(
    shelf: Shelf, owner: User, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    listening(owner)
    put(shelf, ["a"])
    refresh("a")

    def asked(text: str) -> int:
        put(shelf, ["a"], text=text)
        with CaptureQueriesContext(connection) as context:
            refresh("a")
        return len(context)

    one = asked("One.")
    for number in range(10):
        organisation = make_organisation(f"Firm {number}")
        listening(make_user(f"boss{number}", organisation=organisation, role="owner"))
    before = WebhookDelivery.objects.count()
    assert asked("Eleven.") == one
    assert WebhookDelivery.objects.count() - before == 11


def test_both_events_are_listed_with_an_example() -> None:
    known = {each.name: each for each in event_types()}
    assert known["entity.updated"].example["entities"][0]["entity_type"] == "clause"
    assert known["demand.spike"].example["spikes"][0]["signals"] == 42
