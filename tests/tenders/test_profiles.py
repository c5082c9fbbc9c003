"""What a firm looks for: who may say it, what it takes, and when it becomes another."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Organisation, User
from tenders.exceptions import BadProfile, NoOrganisation, OnlyReads
from tenders.models import CompanyProfile
from tenders.services.profiles import change_profile
from tests.factories.people import make_user
from tests.factories.tenders import make_score, make_tender
from tests.projects.pages import signed_in
from tests.tenders.test_pages import page_of, url

pytestmark = pytest.mark.django_db
FORM = {
    "cpv_codes": "45233220-7\n45230000",
    "keywords": "bridge, Most\nmost; جسر",
    "negative_keywords": "asbestos",
    "countries": "cz, SK",
    "regions": "CZ063",
    "value_min": "1 000 000",
    "value_max": "25000000",
    "value_currency": "czk",
    "days_to_prepare": "10",
    "capabilities": "We build roads.",
}


def test_a_member_says_what_the_firm_looks_for(member: User, organisation: Organisation) -> None:
    answer = signed_in(member).post(url("profile"), FORM)
    assert answer.status_code == 302
    profile = CompanyProfile.objects.get(organisation=organisation)
    assert profile.cpv_codes == ["4523322", "4523"]  # zeros at the end say nothing
    assert profile.keywords == ["bridge", "Most", "جسر"]
    assert profile.countries == ["CZ", "SK"]
    assert (profile.value_min, profile.value_max) == (Decimal(1_000_000), Decimal(25_000_000))
    assert profile.value_currency == "CZK"
    assert (profile.days_to_prepare, profile.revision, profile.updated_by) == (10, 1, member)


def test_the_revision_grows_only_when_something_became_another(member: User) -> None:
    for form, revision in ((FORM, 1), (FORM, 1), (FORM | {"keywords": "tunnel"}, 2), (FORM, 3)):
        signed_in(member).post(url("profile"), form)
        assert CompanyProfile.objects.get().revision == revision


def test_what_was_saved_is_shown_and_saving_it_again_changes_nothing(member: User) -> None:
    client = signed_in(member)
    client.post(url("profile"), FORM)
    page = client.get(url("profile"))
    shown = {name: page.context["form"][name].value() for name in FORM}
    client.post(url("profile"), {name: "" if value is None else value for name, value in shown.items()})
    assert CompanyProfile.objects.get().revision == 1
    assert "cz, SK".upper() in page.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("cpv_codes", "roads"), ("cpv_codes", "4"), ("countries", "Czechia"), ("value_min", "-1"), ("value_min", "much"),
     ("value_max", "5"), ("value_currency", "Kč"), ("days_to_prepare", "-3"), ("days_to_prepare", "9999"),
     ("keywords", "\n".join(str(number) for number in range(101)))],
)  # fmt: skip
def test_what_no_profile_can_say_is_refused_in_words(member: User, field: str, value: str) -> None:
    answer = signed_in(member).post(url("profile"), FORM | {field: value})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not CompanyProfile.objects.exists()


def test_those_who_only_look_on_see_it_and_change_nothing(member: User, viewer: User) -> None:
    signed_in(member).post(url("profile"), FORM)
    page = page_of(viewer, url("profile"))
    assert "bridge" in page
    assert "not change it" in page
    assert signed_in(viewer).post(url("profile"), FORM | {"keywords": "x"}).status_code == 403
    with pytest.raises(OnlyReads):
        change_profile(actor=viewer, values={"keywords": ["x"]})


def test_a_firm_does_not_see_what_another_looks_for(member: User, stranger: User) -> None:
    signed_in(member).post(url("profile"), FORM | {"keywords": "secretword"})
    assert "secretword" not in page_of(stranger, url("profile"))
    signed_in(stranger).post(url("profile"), FORM | {"keywords": "theirs"})
    assert CompanyProfile.objects.count() == 2
    assert "secretword" in page_of(member, url("profile"))


def test_somebody_without_a_firm_is_told_so() -> None:
    nobody = make_user("nobody")
    assert "You belong to no organisation" in page_of(nobody, url("profile"))
    with pytest.raises(NoOrganisation):
        change_profile(actor=nobody, values={"keywords": []})


@pytest.mark.parametrize(
    "values",
    [{"revision": 7}, {"organisation": "x"}, {"value_min": Decimal("NaN")}, {"value_min": 2, "value_max": 1}],
)
def test_the_service_checks_by_itself(member: User, values: dict[str, Any]) -> None:
    with pytest.raises(BadProfile):
        change_profile(actor=member, values=values)


def test_an_assessment_of_an_earlier_profile_says_that_it_is_outdated(member: User, organisation: Organisation) -> None:
    change_profile(actor=member, values={"keywords": ["road"]})
    tender = make_tender()
    make_score(tender, organisation)
    assert "profile has been changed since" not in page_of(member, url("detail", tender.pk))
    change_profile(actor=member, values={"keywords": ["bridge"]})
    assert "profile has been changed since" in page_of(member, url("detail", tender.pk))
