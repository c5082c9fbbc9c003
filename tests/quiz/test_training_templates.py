"""Templates of calls, and rubrics whose versions never change."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from accounts.models import Organisation, User
from quiz.models import Criterion, Rubric, TrainingTemplate
from quiz.services.training import starting, templates
from quiz.services.training.criteria import CriterionDraft, drafts_of
from quiz.training_exceptions import (
    BadTemplate,
    ChangedMeanwhile,
    CoachesOnly,
    TemplateArchived,
    TemplateMissing,
)
from tests.factories.people import make_organisation
from tests.factories.quiz import make_category, make_clause
from tests.factories.training import LEVELS, make_template

pytestmark = pytest.mark.django_db
ASKS = CriterionDraft(name="Asks", kind="behaviour", weight=2, rule={"measure": "questions", "low": 3})
CLEAR = CriterionDraft(name="Explains clearly", kind="quality", weight=3, levels=LEVELS)


@pytest.fixture
def template(organisation: Organisation) -> TrainingTemplate:
    return make_template(organisation, "Clarification", criteria=[])


def write(template: TrainingTemplate, actor: User, *criteria: CriterionDraft, **more: Any) -> Rubric:
    return templates.write_rubric(template_id=template.pk, criteria=criteria, actor=actor, **more)


def refusal_of(template: TrainingTemplate, actor: User, *criteria: CriterionDraft) -> list[Any]:
    with pytest.raises(BadTemplate) as refused:
        write(template, actor, *criteria)
    errors: list[Any] = refused.value.extra["errors"]["criteria"]
    return errors


def test_a_template_is_made_with_its_first_rubric(coach: User, organisation: Organisation) -> None:
    category = make_category(organisation=organisation)
    made = templates.create_template(
        actor=coach,
        organisation_id=organisation.pk,
        name="  Bid   clarification ",
        scenario="A hall.",
        category_id=category.pk,
        criteria=[ASKS, CLEAR],
    )
    assert (made.name, made.user, made.category) == ("Bid clarification", coach, category)
    rubric = templates.current_rubric(template_id=made.pk)
    assert rubric is not None and (rubric.number, rubric.created_by) == (1, coach)
    assert [row.key for row in rubric.criteria.all()] == ["asks", "explains-clearly"]


def test_a_rubric_of_the_same_content_makes_no_version(coach: User, template: TrainingTemplate) -> None:
    first = write(template, coach, ASKS, CLEAR)
    assert write(template, coach, ASKS, CLEAR, note="again") == first
    assert write(template, coach, *drafts_of(first)) == first
    second = write(template, coach, replace(ASKS, weight=5), CLEAR, note="Asking counts more")
    assert (second.number, second.note) == (2, "Asking counts more")
    assert Criterion.objects.get(rubric=first, key="asks").weight == 2
    third = write(template, coach, ASKS, CLEAR)
    assert third.number == 3, "what it was before the last is another version, not the first one again"
    assert third.content_hash == first.content_hash != second.content_hash
    assert write(template, coach, CLEAR, ASKS).number == 4, "the order is part of it"


def test_keys_stay_with_their_names_and_never_change_kind(coach: User, template: TrainingTemplate) -> None:
    write(template, coach, ASKS, CLEAR)
    renamed = write(template, coach, replace(ASKS, key="asks", name="Asks openly"), CLEAR)
    assert [row.key for row in renamed.criteria.all()] == ["asks", "explains-clearly"]
    without = write(template, coach, CLEAR)
    assert [row.key for row in without.criteria.all()] == ["explains-clearly"]
    back = write(template, coach, replace(ASKS, name="Asks openly"), CLEAR)
    assert back.criteria.all()[0].key == "asks", "by its last name it is the same criterion"
    other = write(template, coach, replace(CLEAR, name="Asks"), CLEAR)
    assert other.criteria.all()[0].key == "asks-2", "the key of a behaviour is not given to a quality"
    [problem, fine] = refusal_of(template, coach, replace(CLEAR, name="Asks well", key="asks"), CLEAR)
    assert "behaviour" in problem["key"][0] and fine == {}


def test_names_without_latin_letters_have_keys(coach: User, template: TrainingTemplate) -> None:
    rubric = write(template, coach, replace(CLEAR, name="質問"), replace(CLEAR, name="要約"), replace(CLEAR, name="Ö"))
    assert [row.key for row in rubric.criteria.all()] == ["criterion", "criterion-2", "o"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"key": "Not A Key"}, "key"),
        ({"weight": 0}, "weight"),
        ({"weight": 101}, "weight"),
        ({"weight": True}, "weight"),
        ({"kind": "feeling"}, "kind"),
        ({"rule": {"measure": "questions", "low": 1}}, "rule"),
        ({"levels": [LEVELS[0]]}, "levels"),
        ({"levels": [LEVELS[1], LEVELS[0]]}, "levels"),
        ({"levels": [LEVELS[0], LEVELS[0] | {"score": 50}]}, "levels"),
        ({"levels": [{"score": 0}, {"score": 101, "name": "Good"}]}, "levels"),
        ({"levels": [LEVELS[0], LEVELS[1] | {"colour": "red"}]}, "levels"),
        ({"levels": "high and low"}, "levels"),
        ({"levels": [{"score": 0.5, "name": "a"}, {"score": 1, "name": "b"}]}, "levels"),
        ({"kind": "behaviour", "levels": ()}, "rule"),
        ({"kind": "behaviour", "rule": {"measure": "charm"}, "levels": ()}, "rule"),
        ({"kind": "behaviour", "rule": {"measure": "questions", "low": 2}}, "levels"),
    ],
    ids=str,
)
def test_what_a_criterion_can_not_be(
    coach: User, template: TrainingTemplate, changes: dict[str, Any], field: str
) -> None:
    [fine, problem] = refusal_of(template, coach, ASKS, replace(CLEAR, **changes))
    assert fine == {} and list(problem) == [field]
    assert not template.rubrics.exists()


def test_a_rubric_has_some_criteria_and_no_two_of_a_name(coach: User, template: TrainingTemplate) -> None:
    assert refusal_of(template, coach) == ["A rubric has 1 to 30 criteria."]
    assert len(refusal_of(template, coach, *[replace(CLEAR, name=f"C {n}") for n in range(31)])) == 1
    [_, problem] = refusal_of(template, coach, CLEAR, replace(CLEAR, name="explains CLEARLY", weight=1))
    assert list(problem) == ["name"]


def test_clauses_and_category_are_those_that_all_members_see(
    coach: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    elsewhere = make_organisation("Second office")
    coach.memberships.create(organisation=elsewhere, role="coach")
    shared, own, foreign = make_clause("4.1"), make_clause("7", organisation=organisation), None
    foreign = make_clause("9", organisation=elsewhere)
    rubric = write(template, coach, replace(CLEAR, clause_ids=(own.pk, shared.pk, own.pk)))
    assert set(rubric.criteria.get().clauses.all()) == {shared, own}
    [problem] = refusal_of(template, coach, replace(CLEAR, clause_ids=(foreign.pk,)))
    assert list(problem) == ["clauses"], "the coach sees it, the template's organisation does not"
    with pytest.raises(BadTemplate):
        change(template, coach, category_id=make_category(organisation=elsewhere).pk)
    assert change(template, coach, category_id=make_category().pk).category is not None


def change(template: TrainingTemplate, actor: User, seen: Any = None, **changes: Any) -> TrainingTemplate:
    return templates.edit_template(template_id=template.pk, actor=actor, changes=changes, seen=seen)


def test_of_two_editors_the_second_is_told(coach: User, owner: User, template: TrainingTemplate) -> None:
    seen = template.updated_at
    changed = change(template, coach, seen, name="Clarification of a bid")
    assert change(template, owner, changed.updated_at, name="Clarification of a bid").updated_at == changed.updated_at
    with pytest.raises(ChangedMeanwhile) as refused:
        change(template, owner, seen, name="Another")
    assert refused.value.extra["seen"] == changed.updated_at.isoformat()
    write(template, coach, ASKS, seen=0)
    with pytest.raises(ChangedMeanwhile) as refused:
        write(template, owner, CLEAR, seen=0)
    assert refused.value.extra["seen"] == 1
    assert write(template, owner, CLEAR, seen=1).number == 2


def test_members_read_templates_and_strangers_see_none(
    member: User, viewer: User, stranger: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    for actor, refusal in ((member, CoachesOnly), (viewer, CoachesOnly), (stranger, TemplateMissing)):
        with pytest.raises(refusal):
            write(template, actor, ASKS)
        with pytest.raises(refusal):
            change(template, actor, name="Mine")
        with pytest.raises(refusal):
            templates.archive_template(template_id=template.pk, actor=actor)
        with pytest.raises(refusal):
            templates.create_template(actor=actor, organisation_id=organisation.pk, name="Mine")


def test_an_archived_template_takes_no_rubric_until_it_is_restored(coach: User, template: TrainingTemplate) -> None:
    archived = templates.archive_template(template_id=template.pk, actor=coach)
    again = templates.archive_template(template_id=template.pk, actor=coach)
    assert archived.archived_at is not None and again.archived_at == archived.archived_at
    with pytest.raises(TemplateArchived):
        write(template, coach, ASKS)
    assert templates.restore_template(template_id=template.pk, actor=coach).archived_at is None
    assert write(template, coach, ASKS).number == 1


def test_the_example_is_a_template_like_any_other(coach: User, organisation: Organisation) -> None:
    made = starting.example_template(organisation_id=organisation.pk, actor=coach)
    rubric = templates.current_rubric(template_id=made.pk)
    assert rubric is not None
    kinds = [row.kind for row in rubric.criteria.all()]
    assert kinds == ["behaviour"] * 3 + ["quality"] * 3
    assert all(len(row.levels) == 4 for row in rubric.criteria.filter(kind="quality"))
    assert write(made, coach, *drafts_of(rubric)) == rubric


@pytest.mark.django_db(transaction=True)
def test_two_coaches_at_once_write_two_versions_one_after_the_other(
    coach: User, owner: User, template: TrainingTemplate
) -> None:
    refused: list[Exception] = []

    def go(actor: User, draft: CriterionDraft) -> None:
        try:
            write(template, actor, draft)
        except Exception as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=pair) for pair in ((coach, ASKS), (owner, CLEAR), (coach, ASKS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not refused
    numbers = list(template.rubrics.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) in (2, 3)
