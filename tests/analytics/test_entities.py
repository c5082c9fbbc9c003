"""Entities follow what they come from: made, changed, left alone, removed; and the totals with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation
from analytics.exceptions import SourceMissing
from analytics.models import EmbeddingModel, Entity, StoredVocabulary
from analytics.registry import sources
from analytics.services import embeddings, entities, requesting
from analytics.services.entities import Counts
from analytics.services.reindexing import reindex
from analytics.services.vocabularies import vocabulary_of
from jobs.models import Job
from projects.models import Position
from quiz.models import Clause, Edition
from tenders.models import Tender
from tests.factories.people import make_organisation, make_user
from tests.factories.projects import make_document, make_positions, make_project
from tests.factories.quiz import make_clause
from tests.factories.tenders import make_source, make_tender

from .search_cast import counted, forget, index, make_clauses, totals

pytestmark = pytest.mark.django_db
CLAUSES = "quiz.clause"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    forget()


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation()


def test_every_app_brings_its_things(organisation: Organisation) -> None:
    owner = make_user("owner", organisation=organisation)
    project = make_project(owner, name="Sports hall", organisation=organisation)
    make_document(project, name="bill.xlsx", indexed_content="Excavation of foundations")
    make_positions(project, 3)
    make_clause()
    make_tender(make_source(organisation), buyer_name="City of Brno")
    make_tender(make_source(), buyer_name="Ministry of Roads")
    counts = reindex()
    found = {(row.entity_type, row.organisation_id is None) for row in Entity.objects.all()}
    assert found == {
        ("project", False), ("document", False), ("section", False), ("clause", True),
        ("tender", False), ("tender", True), ("company", False), ("company", True),
    }  # fmt: skip
    assert counts.created == Entity.objects.count()
    assert all(row.url.startswith("/") for row in Entity.objects.all())
    assert {source.name for source in sources()} >= set(Entity.objects.values_list("source", flat=True))
    section = Entity.objects.get(entity_type="section")
    assert Position.objects.filter(project=project)[0].description in section.text
    assert totals() == counted()


def test_what_has_not_changed_is_left_untouched_and_what_is_gone_goes() -> None:
    clauses = make_clauses()
    assert reindex(source=CLAUSES) == Counts(created=5)
    before = {row.source_id: row.updated_at for row in Entity.objects.all()}
    Clause.objects.filter(pk=clauses[0].pk).update(title="Preheat")
    clauses[4].delete()
    assert reindex(source=CLAUSES) == Counts(updated=1, unchanged=3, removed=1)
    rows = {row.source_id: row for row in Entity.objects.all()}
    assert rows[str(clauses[0].pk)].name == "AWS D1.1 4.1.2 Preheat"
    assert [key for key, row in rows.items() if row.updated_at != before[key]] == [str(clauses[0].pk)]
    assert totals() == counted() == {(None, "clause"): (4, 0, 0, 0)}


def test_clauses_of_an_edition_that_is_no_longer_current_go() -> None:
    clause = make_clause()
    reindex(source=CLAUSES)
    Edition.objects.filter(pk=clause.edition_id).update(is_current=False)
    assert entities.refresh(source=CLAUSES, source_ids=[str(clause.pk)]) == Counts(removed=1)
    assert totals() == {}


def test_a_refresh_that_was_asked_for_clears_the_wish_also_where_nothing_changed() -> None:
    clause = make_clause()
    reindex(source=CLAUSES)
    Entity.objects.update(updated_at=timezone.now() - timedelta(days=40))
    requesting.mark(keys=[(CLAUSES, str(clause.pk))])
    assert totals() == counted() == {(None, "clause"): (1, 0, 0, 1)}
    row = Entity.objects.get()
    assert entities.refresh(entity_ids=[row.pk]) == Counts(unchanged=1)
    row.refresh_from_db()
    assert not row.needs_update and row.updated_at > timezone.now() - timedelta(minutes=5)
    assert totals() == counted() == {(None, "clause"): (1, 0, 0, 0)}


def test_what_changes_hands_takes_its_place_in_the_totals_along(organisation: Organisation) -> None:
    source = make_source()
    tender = make_tender(source)
    reindex(source="tenders.tender")
    assert totals() == {(None, "tender"): (1, 0, 0, 0)}
    source.organisation = organisation
    source.save()
    assert entities.refresh(source="tenders.tender", source_ids=[str(tender.pk)]) == Counts(updated=1)
    assert totals() == counted() == {(organisation.pk, "tender"): (1, 0, 0, 0)}


def test_a_project_named_by_its_id_alone_has_all_its_sections_read(organisation: Organisation) -> None:
    project = make_project(make_user("owner", organisation=organisation), organisation=organisation)
    make_positions(project, 2)
    assert entities.refresh(source="projects.section", source_ids=[project.pk.hex]).created == 1
    Position.objects.filter(project=project).update(description="Poured concrete C25/30")
    assert entities.refresh(source="projects.section", source_ids=[project.pk.hex]).updated == 1
    assert "Poured concrete" in Entity.objects.get().text


def test_an_unknown_source_is_refused_by_name() -> None:
    with pytest.raises(SourceMissing, match=r"quiz\.claus"):
        reindex(source="quiz.claus")
    with pytest.raises(SourceMissing):
        entities.refresh(source="nobody.nothing", source_ids=["1"])


def test_entities_of_a_source_that_no_app_registers_any_more_go() -> None:
    make_clause()
    reindex()
    Entity.objects.update(source="quiz.old")
    reindex()
    assert list(Entity.objects.values_list("source", flat=True)) == [CLAUSES]
    assert totals() == counted()


def test_text_that_no_database_takes_is_kept_without_it() -> None:
    tender = make_tender(title="Road \U0001f6a7 works", description="طريق سريع")
    Tender.objects.filter(pk=tender.pk).update(title="x" * 500)
    reindex(source="tenders.tender")
    assert len(Entity.objects.get().name) == 300


def test_the_model_of_meaning_is_fitted_once_there_is_something_to_learn_from_and_again_after_growth() -> None:
    make_clauses()
    index()
    first = EmbeddingModel.objects.get(is_current=True)
    assert first.fitted_on == 5
    assert set(Entity.objects.values_list("model_version", flat=True)) == {first.version}
    assert not embeddings.is_due()
    for number in range(3):
        make_clause(f"20.{number}", "Paint", text="Paint is applied in two coats.")
    reindex()
    assert EmbeddingModel.objects.get(is_current=True).fitted_on == 8
    assert Entity.objects.filter(embedding=None).count() == 0


def test_vocabularies_are_kept_apart_by_organisation(organisation: Organisation) -> None:
    make_clauses()
    make_tender(make_source(organisation), title="Frobnicator")
    index()
    assert set(StoredVocabulary.objects.values_list("organisation", flat=True)) == {None, organisation.pk}
    assert "frobnicator" not in vocabulary_of([]).counts
    assert "frobnicator" in vocabulary_of([organisation.pk]).counts


def test_the_command_tells_its_counts_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    make_clauses()
    call_command("reindex", "--json")
    assert capsys.readouterr().out.strip() == '{"created": 5, "updated": 0, "unchanged": 0, "removed": 0}'


def test_the_first_thing_that_is_refreshed_has_the_whole_site_indexed() -> None:
    make_clauses()
    one = Clause.objects.first()
    assert one is not None
    entities.refresh(source=CLAUSES, source_ids=[str(one.pk)])
    assert Job.objects.filter(kind="analytics.reindex").count() == 1
    index()
    entities.refresh(source=CLAUSES, source_ids=[str(one.pk)])
    assert Job.objects.filter(kind="analytics.reindex").count() == 1


def test_a_site_that_has_outgrown_its_model_is_taught_anew_without_waiting_for_the_night(
    drain: Callable[[], int],
) -> None:
    make_clauses()
    index()
    first = EmbeddingModel.objects.get(is_current=True).version
    more = [make_clause(f"20.{number}", "Scaffolds", text="Scaffolds are tied to the wall.") for number in range(3)]
    entities.refresh(source=CLAUSES, source_ids=[str(each.pk) for each in more])
    drain()
    model = EmbeddingModel.objects.get(is_current=True)
    assert (model.version != first, model.fitted_on) == (True, 8)
    assert set(Entity.objects.values_list("model_version", flat=True)) == {model.version}
    assert vocabulary_of([]).counts["scaffold"] == 3
    entities.refresh(source=CLAUSES, source_ids=[str(each.pk) for each in more])
    assert not Job.objects.active().filter(kind=entities.LEARN).exists()


def test_staff_rebuild_the_index_and_refresh_what_they_choose(drain: Callable[[], int]) -> None:
    make_clauses()
    boss = make_user("boss", is_staff=True)
    boss.is_superuser = True
    boss.save()
    client = Client()
    client.force_login(boss)
    assert client.post("/admin/analytics/entity/rebuild/").status_code == 302
    drain()
    assert Entity.objects.count() == 5
    row = Entity.objects.all()[0]
    chosen = {"action": "refresh_now", "_selected_action": [str(row.pk)]}
    before = row.updated_at
    assert client.post("/admin/analytics/entity/", chosen).status_code == 302
    drain()
    row.refresh_from_db()
    assert row.updated_at > before and not row.needs_update
    for path in ("entity/", f"entity/{row.pk}/change/", "embeddingmodel/"):
        assert client.get(f"/admin/analytics/{path}").status_code == 200


def test_staff_without_the_permission_rebuild_nothing() -> None:
    client = Client()
    client.force_login(make_user("clerk", is_staff=True))
    assert client.post("/admin/analytics/entity/rebuild/").status_code in (302, 403)
    assert not Job.objects.exists()
