"""Refresh now: who may, what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from analytics.models import Entity, EntityDemand
from analytics.services import demand_pages
from jobs.models import Job
from quiz.models import Clause
from tests.factories.people import make_organisation
from tests.factories.quiz import make_clause

from .demand_cast import counted, make_entity, put_often
from .pages_cast import empty_streams, figure, fresh, page_of, signed_in, url
from .search_cast import index

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["empty_streams"]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def clause(db: None) -> Clause:
    """Indexed, wanted, and old."""
    clause = make_clause("4.1.2", "Preheating", text="Base metal is preheated to 65 °C.")
    index()
    entity = Entity.objects.get(source="quiz.clause")
    put_often(entity, 6)
    counted()
    long_ago = timezone.now() - timedelta(days=60)
    Entity.objects.filter(pk=entity.pk).update(updated_at=long_ago)
    EntityDemand.objects.filter(pk=entity.pk).update(refreshed_at=long_ago)
    fresh()
    return clause


def test_an_old_entity_is_refreshed_and_drops_off_the_list(
    owner: User, clause: Clause, drain: Callable[[], int]
) -> None:
    entity = Entity.objects.get(source="quiz.clause")
    page = page_of(owner)
    assert f'id="refresh-{entity.pk}"' in page and 'id="refresh-all"' in page
    answer = signed_in(owner).post(url("refresh"), {"entity": str(entity.pk), "next": url() + "?days=7"})
    assert (answer.status_code, answer["Location"]) == (302, url() + "?days=7")
    page = page_of(owner)
    assert figure(page, "needs_update") == "1" and "Needs an update" in page
    job = Job.objects.get(kind="analytics.refresh_named")
    assert f'data-job="{job.pk}"' in page
    drain()
    demand_pages.live._teller.tell()
    fresh()
    page = page_of(owner)
    assert figure(page, "needs_update") == "0" and f'id="refresh-{entity.pk}"' not in page
    assert 'data-status="completed"' in page, "for two minutes it is said what came of it"
    entity.refresh_from_db()
    assert entity.updated_at > timezone.now() - timedelta(minutes=5)


def test_pressing_twice_asks_once(owner: User, clause: Clause) -> None:
    entity = Entity.objects.get(source="quiz.clause")
    client = signed_in(owner)
    for _ in range(2):
        assert client.post(url("refresh"), {"entity": str(entity.pk)}, headers=HTMX).status_code == 302
    assert Job.objects.filter(kind="analytics.refresh_named").count() == 1


def test_who_only_looks_on_may_not_refresh(viewer: User, member: User, clause: Clause) -> None:
    entity = Entity.objects.get(source="quiz.clause")
    assert "Refresh now" not in page_of(viewer) and "Refresh now" in page_of(member)
    answer = signed_in(viewer).post(url("refresh"), {"entity": str(entity.pk)}, headers=HTMX)
    assert (answer.status_code, answer["X-Refused"]) == (403, "refresh_not_allowed")
    assert not Job.objects.filter(kind="analytics.refresh_named").exists()


def test_strangers_refresh_nothing_of_ours(owner: User, stranger: User, organisation: Organisation) -> None:
    entity = make_entity("Our bid", organisation=organisation)
    answer = signed_in(stranger).post(url("refresh"), {"entity": str(entity.pk)})
    assert answer.status_code == 404
    assert not Entity.objects.get(pk=entity.pk).needs_update
    elsewhere = make_organisation("Theirs")
    Membership.objects.create(organisation=elsewhere, user=owner, role=Membership.Role.VIEWER)
    theirs = make_entity("Looked at", organisation=elsewhere)
    demand_pages.refresh_now(actor=owner, entity_ids=[entity.pk, theirs.pk])
    assert Job.objects.get().params["entity_ids"] == [str(entity.pk)]


@pytest.mark.parametrize("told", [[], ["x"], [str(uuid4())] * 51], ids=["none", "no id", "too many"])
def test_what_can_not_be_refreshed_is_refused_in_words(owner: User, told: list[str]) -> None:
    answer = signed_in(owner).post(url("refresh"), {"entity": told})
    assert answer.status_code == 400 and "not done" in answer.content.decode()


def test_refreshing_does_not_lead_to_another_site(owner: User) -> None:
    entity = make_entity()
    answer = signed_in(owner).post(url("refresh"), {"entity": str(entity.pk), "next": "https://elsewhere.example/"})
    assert answer["Location"] == url()
