"""A model's reading beside that of the rules on a tender's page, and having a tender read again."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation, User
from jobs.models import Job
from tenders.models import CompanyProfile, Enrichment, Score, Tender
from tenders.services.comparing import comparison
from tenders.services.contrast import factors_of, found_by
from tests.factories.tenders import make_score, make_source, make_tender
from tests.projects.pages import HTMX, queries, signed_in
from tests.tenders.test_pages import page_of, url

pytestmark = pytest.mark.django_db
TEXT = (
    "Milling and a new wearing course over 3.2 km. Tenderers must hold a certificate ISO 9001. "
    "A site visit takes place on 3 December 2026. Penalties apply for each day of delay."
)


@pytest.fixture
def tender(organisation: Organisation) -> Tender:
    CompanyProfile.objects.create(organisation=organisation, cpv_codes=["45233"], keywords=["road", "asphalt"])
    return make_tender(description=TEXT)


def by_model(tender: Tender, organisation: Organisation, **result: Any) -> Score:
    """A reading by a model, the newest."""
    factors = [
        {"name": "cpv", "weight": 0.4, "value": 0.5, "contribution": 0.2, "why": "Only half of it is roads.",
         "quote": "a new wearing course"},
        {"name": "own_crew", "weight": 0.2, "value": 1, "contribution": 0.2, "why": "The crew is <b>near</b>."},
    ]  # fmt: skip
    values: dict[str, Any] = {
        "factors": factors,
        "qualifications": [{"text": "ISO 9001", "quote": "a certificate ISO 9001"}],
        "risks": [{"text": "Penalties", "quote": "Penalties apply for each day of delay"}],
        "keywords": ["wearing course", "milling"],
        "category": "works: road surfaces",
        "confidence": 0.9,
    }
    score = make_score(tender, organisation, 0.3, **(values | result))
    Enrichment.objects.filter(pk=score.enrichment_id).update(
        method="model", analyser="stand-in small, assess v1 (ab12)"
    )
    return score


def test_both_readings_stand_side_by_side_with_their_quotes(
    member: User, organisation: Organisation, tender: Tender
) -> None:
    by_model(tender, organisation)
    page = page_of(member, url("comparison", tender.pk), headers=HTMX)
    assert "<html" not in page
    model = ("stand-in small, assess v1 (ab12)", "Only half of it is roads.", "a new wearing course", "Only the model")
    for words in (*model, "Little relevant", "Own crew", "not named", "works: road surfaces"):
        assert words in page, words
    assert "The crew is &lt;b&gt;near" in page
    assert "They differ in the grade" in page
    assert "<html" in page_of(member, url("comparison", tender.pk))


def test_factors_are_paired_by_name_and_the_weightiest_come_first(organisation: Organisation, tender: Tender) -> None:
    by_model(tender, organisation)
    compared = comparison(tender, organisation.pk)
    assert compared is not None
    rows = {row.name: row for row in factors_of(compared)}
    assert rows["cpv"].rules is not None
    assert rows["cpv"].model is not None
    assert rows["cpv"].model.quote == "a new wearing course"
    assert rows["own_crew"].rules is None
    weights = [max(abs(side.contribution) for side in (row.rules, row.model) if side) for row in factors_of(compared)]
    assert weights == sorted(weights, reverse=True)


def test_what_both_found_is_told_from_what_one_found_alone(organisation: Organisation, tender: Tender) -> None:
    dates = [{"what": "Visit of the site", "on": "2026-12-03", "quote": "3 December 2026"},
             {"what": "Start", "on": "2027-01-01", "quote": "wearing course"}]  # fmt: skip
    by_model(tender, organisation, key_dates=dates)
    compared = comparison(tender, organisation.pk)
    assert compared is not None
    on_own = {item.text: item.by for group in found_by(compared) for item in group.items}
    assert [on_own[text] for text in ("3 Dec 2026: Visit of the site", "1 Jan 2027: Start")] == ["both", "model"]
    rules = {fact.quote for fact in compared.rules.risks}
    assert on_own["Penalties"] == ("both" if any("Penalties" in quote for quote in rules) else "model")


def test_with_rules_alone_there_is_nothing_to_compare(member: User, organisation: Organisation, tender: Tender) -> None:
    make_score(tender, organisation)
    page = page_of(member, url("comparison", tender.pk), headers=HTMX)
    assert "no model is set up" in page
    detail = page_of(member, url("detail", tender.pk))
    assert f'hx-get="{url("comparison", tender.pk)}"' in detail
    assert "Read it again" in detail


def test_a_tender_that_nobody_read_can_be_read_now(member: User, viewer: User, tender: Tender) -> None:
    page = page_of(member, url("detail", tender.pk))
    assert "Read it now" in page
    assert url("comparison", tender.pk) not in page
    assert "Read it now" not in page_of(viewer, url("detail", tender.pk))


def test_reading_again_is_a_job_that_the_page_follows(member: User, organisation: Organisation, tender: Tender) -> None:
    make_score(tender, organisation)
    client = signed_in(member)
    answer = client.post(url("read", tender.pk))
    assert answer["Location"] == url("detail", tender.pk) + "#relevance"
    client.post(url("read", tender.pk))
    job = Job.objects.get()
    page = client.get(url("detail", tender.pk)).content.decode()
    assert f'data-channel="job:{job.pk}"' in page
    assert "It waits to be read" in page
    assert "Read it again" not in page
    Job.objects.filter(pk=job.pk).update(status="failed", error={"message": "The model is away."})
    page = client.get(url("detail", tender.pk)).content.decode()
    assert "The last reading failed: The model is away." in page
    assert "Read it again" in page


def test_a_firms_readings_are_its_own(
    member: User, viewer: User, stranger: User, organisation: Organisation, tender: Tender
) -> None:
    by_model(tender, organisation)
    signed_in(member).post(url("read", tender.pk))
    assert "Only half of it" not in page_of(stranger, url("comparison", tender.pk), headers=HTMX)
    assert "It waits to be read" not in page_of(stranger, url("detail", tender.pk))
    assert signed_in(viewer).post(url("read", tender.pk)).status_code == 403
    own = make_tender(make_source(organisation))
    assert signed_in(stranger).get(url("comparison", own.pk)).status_code == 404
    assert signed_in(stranger).post(url("read", own.pk)).status_code == 404
    assert Job.objects.count() == 1


def test_the_number_of_queries_does_not_grow_with_readings(
    member: User, organisation: Organisation, tender: Tender
) -> None:
    score = by_model(tender, organisation)
    client = signed_in(member)
    addresses = [url("comparison", tender.pk), url("detail", tender.pk)]
    few = [queries(client, address) for address in addresses]
    row = Enrichment.objects.get(pk=score.enrichment_id)
    for _ in range(50):
        row.pk = None
        Enrichment.objects.create(
            **{name: getattr(row, name) for name in ("tender", "organisation", "method", "analyser", "content_hash",
               "profile_revision", "result", "confidence")}
        )  # fmt: skip
    assert [queries(client, address) for address in addresses] <= few
