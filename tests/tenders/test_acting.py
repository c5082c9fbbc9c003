"""People in several organisations choose on the tender pages whom they act for."""

from __future__ import annotations

import pytest

from accounts.models import Membership, Organisation, User
from tenders.models import CompanyProfile, Decision, SavedSearch, Source
from tests.factories.people import make_organisation
from tests.factories.tenders import make_score, make_tender
from tests.projects.pages import signed_in
from tests.tenders.test_pages import page_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(member: User) -> Organisation:
    """Joined after the first one."""
    other = make_organisation("Second firm")
    Membership.objects.create(user=member, organisation=other)
    return other


def test_the_choice_is_offered_to_those_in_several_alone(member: User, viewer: User, second: Organisation) -> None:
    page = page_of(member, url("search"))
    assert f'<option value="{second.pk}">Second firm</option>' in page
    assert "organisation that you act for" not in page_of(viewer, url("search"))


def test_every_page_acts_for_the_one_chosen(member: User, organisation: Organisation, second: Organisation) -> None:
    tender = make_tender()
    make_score(tender, second)
    client = signed_in(member)
    assert "Highly relevant" not in client.get(url("search")).content.decode()
    answer = client.post(url("act-for"), {"organisation": str(second.pk), "next": url("detail", tender.pk)})
    assert answer["Location"] == url("detail", tender.pk)
    for address in (url("search"), url("detail", tender.pk)):
        page = client.get(address).content.decode()
        assert "Highly relevant" in page
        assert f'<option value="{second.pk}" selected>' in page
    client.post(url("decision", tender.pk), {"choice": "watch"})
    client.post(url("search-new") + "?q=road", {"name": "Roads"})
    client.post(url("profile"), {"cpv_codes": "45", "days_to_prepare": "10"})
    client.post(url("source-new"), {"name": "Portal", "location": "https://publisher.example/a.json"})
    for rows in (Decision.objects, SavedSearch.objects, CompanyProfile.objects, Source.objects.filter(name="Portal")):
        assert [row.organisation_id for row in rows.all()] == [second.pk]


def test_nobody_acts_for_a_firm_of_others(member: User, second: Organisation) -> None:
    elsewhere = make_organisation("Elsewhere")
    client = signed_in(member)
    for wanted in (str(elsewhere.pk), "x", ""):
        assert client.post(url("act-for"), {"organisation": wanted}).status_code == 404
    assert client.get(url("act-for")).status_code == 405
    assert "Elsewhere" not in client.get(url("search")).content.decode()


def test_who_has_left_acts_for_the_first_again(member: User, organisation: Organisation, second: Organisation) -> None:
    tender = make_tender()
    client = signed_in(member)
    client.post(url("act-for"), {"organisation": str(second.pk)})
    Membership.objects.filter(user=member, organisation=second).delete()
    client.post(url("decision", tender.pk), {"choice": "watch"})
    assert Decision.objects.get().organisation == organisation


def test_a_viewer_of_the_one_chosen_decides_nothing(member: User, second: Organisation) -> None:
    Membership.objects.filter(user=member, organisation=second).update(role=Membership.Role.VIEWER)
    client = signed_in(member)
    client.post(url("act-for"), {"organisation": str(second.pk)})
    assert client.post(url("decision", make_tender().pk), {"choice": "watch"}).status_code == 403


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_one_is_led_back_into_these_pages_only(member: User, second: Organisation, back: str) -> None:
    answer = signed_in(member).post(url("act-for"), {"organisation": str(second.pk), "next": back})
    assert answer["Location"] == url("search")
