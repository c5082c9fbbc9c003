"""Looking positions up: by code, by likeness, in a catalogue and in own budgets; and what is kept of it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Organisation, User
from projects.matching.index import TextIndex
from projects.matching.words import folded
from projects.models import BudgetVersion, CatalogueItem, KnowledgeEntry, Position, PriceIndex, Project
from projects.services.enriching import knowledge
from projects.services.enriching.enriching import start_enriching
from projects.services.enriching.taking_over import suggestions_of
from tests.factories.projects import make_position, make_project
from tests.projects.pages import HTMX, signed_in, url

pytestmark = pytest.mark.django_db

FORMWORK = "Zřízení bednění základových pasů"


def item(code: str, text: str, price: int | None, organisation: Organisation | None = None, **more: object) -> None:
    CatalogueItem.objects.create(
        organisation=organisation, catalogue="ÚRS", edition="2025 02", code=code, text=text, unit_price=price,
        **({"unit": "m2", "currency": "CZK"} | more),
    )  # fmt: skip


@pytest.fixture
def priced(project: Project) -> Project:
    """A budget of one position, with a catalogue chosen."""
    Position.objects.filter(project=project).delete()
    values = {"catalogue": "ÚRS", "catalogue_edition": "2025 02", "currency": "CZK", "total_positions": 1}
    Project.objects.filter(pk=project.pk).update(**values)
    project.refresh_from_db()
    make_position(project, code="274351121", description=FORMWORK, unit="m²", unit_price=Decimal(450))
    return project


def enriched(project: Project, actor: User, drain) -> Position:
    job = start_enriching(project_id=project.pk, actor=actor)
    drain()
    job.refresh_from_db()
    assert job.status == "completed", job.error
    return Position.objects.get(project=project, removed_in__isnull=True)


# --- words ------------------------------------------------------------------------------------------------------------


def test_texts_are_compared_without_accents_case_and_gaps_in_classes() -> None:
    assert folded("Základové PASY z betonu tř. C 16/20") == "zakladove pasy z betonu tr c16/20"


def test_the_nearest_text_in_the_same_unit_is_found() -> None:
    index = TextIndex([("Zřízení bednění stěn", "m2"), (FORMWORK, "m2"), (FORMWORK, "m3")])
    match = index.nearest("ZŘÍZENÍ bednění základ. pasů", "m2")
    assert match is not None and match.number == 1
    assert index.nearest("Vodovodní baterie", "m2") is None
    assert index.nearest("", "m2") is None


def test_another_class_is_another_thing_however_alike_the_words() -> None:
    index = TextIndex([("Beton základových pasů C25/30", "m3")])
    assert index.nearest("Beton základových pasů C30/37", "m3") is None
    assert index.nearest("Beton základových pasů C25/30", "m3") is not None


# --- a catalogue ------------------------------------------------------------------------------------------------------


def test_an_item_is_found_by_its_code(priced: Project, owner: User, drain) -> None:
    item("274351121", "Bednění základových pasů, zřízení", 400)
    [told] = suggestions_of(enriched(priced, owner, drain))
    assert (told.source, told.price, told.is_likeness) == ("catalogue", Decimal(400), False)
    assert told.difference == Decimal("0.125")


def test_without_its_code_it_is_found_by_likeness_and_says_so(priced: Project, owner: User, drain) -> None:
    item("999999999", "Zřízení bednění základových pasů rovné", 400)
    [told] = suggestions_of(enriched(priced, owner, drain))
    assert told.is_likeness and 80 <= told.score < 100
    page = signed_in(owner).get(url("position", priced.pk, Position.objects.get(pk__isnull=False).lineage))
    assert "likeness" in page.content.decode()


def test_the_organisations_own_item_stands_before_everyones(
    priced: Project, owner: User, organisation: Organisation, drain
) -> None:
    item("274351121", "Everyone's", 400)
    item("274351121", "Ours", 380, organisation)
    [told] = suggestions_of(enriched(priced, owner, drain))
    assert (told.text, told.price) == ("Ours", Decimal(380))


def test_a_price_is_moved_to_the_budgets_date(priced: Project, owner: User, drain) -> None:
    for on, value in ((date(2023, 1, 1), 100), (date(2025, 1, 1), 110)):
        PriceIndex.objects.create(series="Works", on=on, value=value)
    Project.objects.filter(pk=priced.pk).update(price_index="Works", budget_on=date(2025, 2, 1))
    item("274351121", "Bednění", 400, priced_on=date(2023, 2, 1))
    [told] = suggestions_of(enriched(priced, owner, drain))
    assert told.price == Decimal(440) and told.details["index"]


def test_a_price_in_another_currency_is_shown_as_what_it_is(priced: Project, owner: User, drain) -> None:
    item("274351121", "Bednění", 16, currency="EUR")
    [told] = suggestions_of(enriched(priced, owner, drain))
    assert told.price is None and told.why == "in another currency"


# --- own budgets ------------------------------------------------------------------------------------------------------


def test_own_budgets_are_asked_and_nobody_elses(
    priced: Project, owner: User, stranger: User, drain, django_user_model
) -> None:
    for price in (400, 420, 500):
        other = make_project(owner, currency="CZK")
        make_position(other, code="", description=FORMWORK, unit="m2", unit_price=Decimal(price))
    foreign = make_project(stranger, currency="CZK")
    make_position(foreign, code="274351121", description=FORMWORK, unit="m2", unit_price=Decimal(1))
    [told] = suggestions_of(enriched(priced, owner, drain))
    assert (told.source, told.price, told.details["n"]) == ("history", Decimal(420), 3)
    assert (told.details["lowest"], told.details["highest"]) == ("400", "500")


# --- taking over ------------------------------------------------------------------------------------------------------


def test_a_price_is_taken_over_as_an_edit_with_its_reason(priced: Project, owner: User, drain) -> None:
    item("274351121", "Bednění", 400)
    row = enriched(priced, owner, drain)
    form = {"seen": row.pk, "source": "catalogue"}
    answer = signed_in(owner).post(url("take-over", priced.pk, row.lineage), form, headers=HTMX)
    assert answer.status_code == 200
    changed = Position.objects.get(project=priced, removed_in__isnull=True)
    assert changed.unit_price == 400
    version = BudgetVersion.objects.filter(project=priced).order_by("-number")[0]
    assert "ÚRS 2025 02: 274351121" in version.trigger_details["reason"]
    again = signed_in(owner).post(url("take-over", priced.pk, row.lineage), form, headers=HTMX)
    assert again.status_code == 409  # the row has changed


def test_what_was_looked_up_for_another_text_is_not_shown(priced: Project, owner: User, drain) -> None:
    item("274351121", "Bednění", 400)
    row = enriched(priced, owner, drain)
    Position.objects.filter(pk=row.pk).update(description="Something else")
    row.refresh_from_db()
    assert suggestions_of(row) == []


@pytest.mark.parametrize("form", [{}, {"seen": "x", "source": "catalogue"}, {"seen": "1", "source": "nobody"}])
def test_nonsense_is_refused(priced: Project, owner: User, form: dict[str, str]) -> None:
    lineage = Position.objects.get(project=priced).lineage
    answer = signed_in(owner).post(url("take-over", priced.pk, lineage), form, headers=HTMX)
    assert answer.status_code in (400, 409)


def test_strangers_and_viewers(priced: Project, stranger: User, viewer: User) -> None:
    lineage = Position.objects.get(project=priced).lineage
    for address in (url("enrich", priced.pk), url("take-over", priced.pk, lineage)):
        assert signed_in(stranger).post(address, headers=HTMX).status_code == 404
        assert signed_in(viewer).post(address, headers=HTMX).status_code == 403


def test_the_api_starts_it_for_those_who_may(priced: Project, owner: User, viewer: User, stranger: User) -> None:
    address = f"/api/projects/{priced.pk}/enrich"
    assert signed_in(owner).post(address).status_code == 202
    assert signed_in(viewer).post(address).status_code == 403
    assert signed_in(stranger).post(address).status_code == 404


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_the_same_question_is_worked_out_once_and_anew_when_the_catalogue_changes(
    priced: Project, owner: User, drain
) -> None:
    item("274351121", "Bednění", 400)
    enriched(priced, owner, drain)
    [entry] = KnowledgeEntry.objects.filter(type="code")
    enriched(priced, owner, drain)
    entry.refresh_from_db()
    assert entry.access_count == 1 and entry.last_accessed_at is not None
    CatalogueItem.objects.update(unit_price=390)
    [told] = suggestions_of(enriched(priced, owner, drain))
    assert told.price == Decimal(390)


def test_answers_are_worked_out_anew_when_the_index_or_the_date_of_a_budget_changes(
    priced: Project, owner: User, drain
) -> None:
    for on, value in ((date(2023, 1, 1), 100), (date(2025, 1, 1), 110)):
        PriceIndex.objects.create(series="Works", on=on, value=value)
    Project.objects.filter(pk=priced.pk).update(price_index="Works", budget_on=date(2025, 2, 1))
    item("274351121", "Bednění", 400, priced_on=date(2023, 2, 1))
    other = make_project(owner, currency="CZK", budget_on=date(2023, 2, 1))
    make_position(other, code="", description=FORMWORK, unit="m2", unit_price=Decimal(500))
    assert [told.price for told in suggestions_of(enriched(priced, owner, drain))] == [Decimal(440), Decimal(550)]
    PriceIndex.objects.filter(on=date(2025, 1, 1)).update(value=120)  # imported again, corrected
    assert [told.price for told in suggestions_of(enriched(priced, owner, drain))] == [Decimal(480), Decimal(600)]
    Project.objects.filter(pk=other.pk).update(budget_on=date(2025, 2, 1))
    assert [told.price for told in suggestions_of(enriched(priced, owner, drain))] == [Decimal(480), Decimal(500)]


def test_expired_answers_are_not_given_and_are_removed(priced: Project, owner: User, drain) -> None:
    item("274351121", "Bednění", 400)
    enriched(priced, owner, drain)
    count = KnowledgeEntry.objects.count()
    with time_machine.travel(timezone.now() + knowledge.KEPT + timedelta(minutes=1)):
        assert knowledge.known(KnowledgeEntry.objects.values_list("query_hash", flat=True)) == {}
        assert knowledge.trim() == count > 0


def test_other_enrichment_of_a_position_is_left_alone(priced: Project, owner: User, drain) -> None:
    Position.objects.filter(project=priced).update(enrichment={"estimate": {"ratio": "90"}})
    item("274351121", "Bednění", 400)
    row = enriched(priced, owner, drain)
    assert row.enrichment["estimate"] == {"ratio": "90"} and row.enrichment["catalogue"]
