"""Deciding what to do about a tender, and the project of a bid."""

from __future__ import annotations

import pytest

from accounts.models import Membership, Organisation, User
from projects.models import Project
from tenders.exceptions import DecisionRefused, NoOrganisation, OnlyReads, TenderMissing
from tenders.models import Decision, Tender
from tenders.services.decisions import bid_on, decide, withdraw
from tests.factories.people import make_user
from tests.factories.tenders import make_source, make_tender
from tests.projects.pages import signed_in
from tests.tenders.test_pages import page_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def tender(db: None) -> Tender:
    return make_tender()


def choices(tender: Tender) -> list[tuple[str, bool]]:
    return list(Decision.objects.filter(tender=tender).order_by("at").values_list("choice", "is_standing"))


def test_the_newest_decision_stands_and_the_earlier_ones_are_history(tender: Tender, member: User) -> None:
    decide(tender_id=tender.pk, actor=member, choice="watch")
    decide(tender_id=tender.pk, actor=member, choice="no_bid", reason="No crane free.")
    assert choices(tender) == [("watch", False), ("no_bid", True)]
    page = page_of(member, url("detail", tender.pk))
    assert "No crane free." in page
    assert "History of 2 decisions" in page


def test_the_same_again_writes_nothing(tender: Tender, member: User, owner: User) -> None:
    first = decide(tender_id=tender.pk, actor=member, choice="watch")
    assert decide(tender_id=tender.pk, actor=owner, choice="watch") == first
    assert choices(tender) == [("watch", True)]


def test_not_to_bid_needs_a_reason(tender: Tender, member: User) -> None:
    with pytest.raises(DecisionRefused):
        decide(tender_id=tender.pk, actor=member, choice="no_bid", reason="  \x00 ")
    answer = signed_in(member).post(url("decision", tender.pk), {"choice": "no_bid", "reason": ""})
    assert answer.status_code == 422
    assert b"Say why not" in answer.content
    assert choices(tender) == []


def test_each_firm_decides_for_itself(tender: Tender, member: User, stranger: User) -> None:
    decide(tender_id=tender.pk, actor=member, choice="watch")
    decide(tender_id=tender.pk, actor=stranger, choice="no_bid", reason="Too far.")
    assert choices(tender) == [("watch", True), ("no_bid", True)]
    assert "Too far." not in page_of(member, url("detail", tender.pk))


def test_viewers_strangers_and_people_without_a_firm_decide_nothing(
    viewer: User, stranger: User, organisation: Organisation
) -> None:
    tender = make_tender(make_source(organisation))
    with pytest.raises(OnlyReads):
        decide(tender_id=tender.pk, actor=viewer, choice="watch")
    with pytest.raises(OnlyReads):
        bid_on(tender_id=tender.pk, actor=viewer)
    with pytest.raises(TenderMissing):
        decide(tender_id=tender.pk, actor=stranger, choice="watch")
    with pytest.raises(NoOrganisation):
        decide(tender_id=make_tender().pk, actor=make_user("nobody"), choice="watch")
    assert signed_in(viewer).post(url("decision", tender.pk), {"choice": "watch"}).status_code == 403
    assert "Bid on this" not in page_of(viewer, url("detail", tender.pk))
    assert not Decision.objects.exists()
    assert not Project.objects.exists()


def test_a_bid_opens_one_project_that_knows_its_tender(tender: Tender, member: User, owner: User) -> None:
    answer = signed_in(member).post(url("bid", tender.pk))
    project = Project.objects.get()
    assert answer["Location"] == f"/projects/{project.pk}/"
    assert (project.name, project.currency) == (tender.title, "CZK")
    assert project.metadata["tender"] == {
        "id": str(tender.pk),
        "ocid": tender.key,
        "title": tender.title,
        "url": tender.url,
        "deadline_at": tender.deadline_at.isoformat() if tender.deadline_at else None,
    }
    assert bid_on(tender_id=tender.pk, actor=owner) == project
    assert choices(tender) == [("bid", True)]
    assert f"/projects/{project.pk}/" in page_of(member, url("detail", tender.pk))


def test_who_changes_their_mind_comes_back_to_the_same_project(tender: Tender, member: User) -> None:
    project = bid_on(tender_id=tender.pk, actor=member)
    decide(tender_id=tender.pk, actor=member, choice="no_bid", reason="Too late.")
    assert bid_on(tender_id=tender.pk, actor=member) == project
    assert Project.objects.count() == 1
    assert choices(tender) == [("bid", False), ("no_bid", False), ("bid", True)]


def test_a_currency_that_is_none_is_left_open(member: User) -> None:
    project = bid_on(tender_id=make_tender(value_currency="C1").pk, actor=member)
    assert project.currency == ""


def test_a_long_title_fits(member: User) -> None:
    assert len(bid_on(tender_id=make_tender(title="x" * 500).pk, actor=member).name) == 200


def test_withdrawn_decisions_stay_in_the_history(tender: Tender, member: User) -> None:
    decide(tender_id=tender.pk, actor=member, choice="watch")
    withdraw(tender_id=tender.pk, actor=member)
    assert choices(tender) == [("watch", False)]
    page = page_of(member, url("detail", tender.pk))
    assert "Nothing is decided yet." in page
    assert "History of 1 decision" in page


def test_the_project_goes_to_the_firm_that_decides(tender: Tender, member: User, organisation: Organisation) -> None:
    second = make_user("both", organisation=organisation)
    other = Organisation.objects.create(name="Second")
    Membership.objects.create(organisation=other, user=second, role=Membership.Role.OWNER)
    assert bid_on(tender_id=tender.pk, actor=second).organisation == organisation


def test_the_project_of_a_bid_leads_back_to_its_tender(tender: Tender, owner: User) -> None:
    project = bid_on(tender_id=tender.pk, actor=owner)
    assert f"/tenders/{tender.pk}/" in page_of(owner, f"/projects/{project.pk}/")


@pytest.mark.parametrize("odd", [[], "text", {"tender": "text"}, {"tender": {"id": "no id"}}, {"tender": [1]}], ids=str)
def test_odd_metadata_of_a_project_leads_nowhere(tender: Tender, owner: User, odd: object) -> None:
    project = bid_on(tender_id=tender.pk, actor=owner)
    Project.objects.filter(pk=project.pk).update(metadata=odd)
    assert "Its tender" not in page_of(owner, f"/projects/{project.pk}/")
