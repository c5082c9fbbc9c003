"""Templates as pages: reading one and its versions, the editor step by step, what is refused, two who edit at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from quiz.models import Criterion, Rubric, TrainingTemplate
from quiz.services.training.starting import NAME
from tests.factories.quiz import make_category, make_clause
from tests.factories.training import make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def template(organisation: Organisation) -> TrainingTemplate:
    return make_template(organisation, "Bid clarification", scenario="Find out.", persona="Marta.")


def url(name: str, *args: object) -> str:
    return reverse(f"training:{name}", args=args)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sent(by: User, address: str, fields: dict[str, Any]) -> HttpResponse:
    response: HttpResponse = signed_in(by).post(address, fields)  # type: ignore[assignment]
    return response


def form_of(page: str) -> dict[str, Any]:
    """What the editor's form would send."""
    form = re.search(r'<form method="post" class="stack" id="editor".*?</form>', page, re.DOTALL)
    assert form is not None
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]*>", form[0]):
        told = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if told.get("type") == "checkbox" and "checked" not in tag:
            continue
        fields.setdefault(told["name"], []).append(told.get("value", ""))
    for name, text in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form[0], re.DOTALL):
        fields[name] = [text]
    for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', form[0], re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected', options) or re.findall(
            r'<option value="([^"]*)"', options
        )
        fields[name] = [chosen[0]]
    return fields


def names(page: str) -> list[str]:
    return re.findall(r'id="\w+-name" name="\w+-name" [^>]*value="([^"]*)"', page)


def test_members_read_what_coaches_write(coach: User, member: User, template: TrainingTemplate) -> None:
    page = signed_in(member).get(url("template", template.pk)).content.decode()
    assert "Find out." in page and "Lets the other side talk" in page and "30\u00a0%" in page and "“next step”" in page
    assert "Marta." not in page and "Edit" not in page and "Do the graders agree?" not in page
    page = signed_in(coach).get(url("template", template.pk) + "?agreement=1").content.decode()
    assert "Marta." in page and "Edit" in page and "Model and coach" in page and "n = 0" in page
    assert signed_in(member).get(url("template-edit", template.pk)).status_code == 403
    assert sent(member, url("template-archive", template.pk), {}).status_code == 403
    assert sent(member, url("template-example"), {}).status_code == 404


def test_an_example_to_begin_with(coach: User) -> None:
    assert "Begin with the example" in signed_in(coach).get(url("templates")).content.decode()
    sent(coach, url("template-example"), {})
    made = TrainingTemplate.objects.get()
    assert made.name == NAME and made.rubrics.get().criteria.count() == 6
    page = signed_in(coach).get(url("template-edit", made.pk)).content.decode()
    assert len(names(page)) == 6


def test_what_is_saved_unchanged_is_no_new_version(coach: User, template: TrainingTemplate) -> None:
    page = signed_in(coach).get(url("template-edit", template.pk)).content.decode()
    assert sent(coach, url("template-edit", template.pk), form_of(page)).status_code == 302
    assert Rubric.objects.count() == 1
    template.refresh_from_db()
    assert (template.scenario, template.persona) == ("Find out.", "Marta.")


def test_rows_are_added_moved_and_removed_and_nothing_is_kept_meanwhile(
    coach: User, template: TrainingTemplate
) -> None:
    address = url("template-edit", template.pk)
    page = signed_in(coach).get(address).content.decode()
    first, second, third = names(page)

    def step(what: str) -> str:
        return sent(coach, address, form_of(page) | {"do": what}).content.decode()

    page = step("add:quality")
    assert names(page) == [first, second, third, ""] and "4-level-score" in page
    page = step("up:4")
    page = step("down:1")
    page = step("remove:3")
    page = step("level:4")
    assert names(page) == [second, first, ""]
    assert step("nonsense:9") and names(step("up:2")) == [second, first, ""]
    assert Criterion.objects.count() == 3
    fields = form_of(page)
    fields |= {"4-name": "Listens", "4-level-score": ["100", "0", "", ""], "4-level-name": ["Always", "Never", "", ""]}
    fields |= {"4-level-description": ["", "", "", ""], "note": "Listening"}
    assert sent(coach, address, fields).status_code == 302
    newest = Rubric.objects.get(number=2)
    assert [each.name for each in newest.criteria.all()] == [second, first, "Listens"]
    assert [level["name"] for level in newest.criteria.get(name="Listens").levels] == ["Never", "Always"]
    old = signed_in(coach).get(url("template", template.pk) + "?version=1").content.decode()
    assert "This is how it was." in old and "Listens" not in old
    assert signed_in(coach).get(url("template", template.pk) + "?version=7").status_code == 404


def test_a_rule_shows_its_own_fields_and_clauses_are_found(coach: User, template: TrainingTemplate) -> None:
    clause, _ = make_clause("4.1.2", "Preheating"), make_clause("9.9", "Other")
    address = url("template-edit", template.pk)
    fields = form_of(signed_in(coach).get(address).content.decode())
    fields |= {"1-measure": "phrases", "1-find": "preheat", "do": "show:1"}
    page = sent(coach, address, fields).content.decode()
    assert 'name="1-rule-phrases"' in page and 'name="1-rule-low"' not in page
    assert f'value="{clause.pk}"' in page and "Other" not in page
    fields = form_of(page) | {"1-rule-phrases": "what if\r\nfor example | such as", "1-clause": [str(clause.pk)]}
    fields |= {"1-key": "", "1-name": "Gives examples"}
    assert sent(coach, address, fields).status_code == 302
    made = Criterion.objects.get(rubric__number=2, position=1)
    assert made.rule["phrases"] == ["what if", "for example | such as"] and list(made.clauses.all()) == [clause]


def test_what_cannot_be_is_said_at_its_field_and_kept_in_the_form(coach: User, template: TrainingTemplate) -> None:
    address = url("template-edit", template.pk)
    fields = form_of(signed_in(coach).get(address).content.decode())
    fields |= {"1-rule-low": "a lot", "2-name": "", "3-weight": "0", "name": "Another name"}
    answer = sent(coach, address, fields)
    page = answer.content.decode()
    assert answer.status_code == 400 and "is a number" in page and "A whole number from 1 to 100." in page
    assert 'value="a lot"' in page and 'value="Another name"' in page
    template.refresh_from_db()
    assert template.name == "Bid clarification" and Rubric.objects.count() == 1


def test_of_two_who_edit_the_second_is_told(coach: User, owner: User, template: TrainingTemplate) -> None:
    address = url("template-edit", template.pk)
    one = form_of(signed_in(coach).get(address).content.decode())
    other = form_of(signed_in(owner).get(address).content.decode())
    assert sent(coach, address, one | {"1-weight": "9"}).status_code == 302
    late = sent(owner, address, other | {"1-weight": "7", "1-name": "Mine"})
    assert late.status_code == 400 and "Somebody else has written" in late.content.decode()
    assert 'value="Mine"' in late.content.decode() and Rubric.objects.count() == 2


def test_a_new_one_with_and_without_criteria(coach: User) -> None:
    category = make_category("Welding")
    plain = sent(coach, url("template-new"), {"name": "Without", "category": str(category.pk)})
    made = TrainingTemplate.objects.get()
    assert plain["Location"] == url("template", made.pk) and made.category == category
    assert "write the rubric" in signed_in(coach).get(url("template", made.pk)).content.decode()
    assert sent(coach, url("template-new"), {"name": ""}).status_code == 400
    sent(coach, url("template-archive", made.pk), {"do": "archive"})
    assert "Without" not in signed_in(coach).get(url("templates")).content.decode()
    assert "Without" in signed_in(coach).get(url("templates") + "?archived=1").content.decode()
    sent(coach, url("template-archive", made.pk), {"do": "restore"})
    assert "Without" in signed_in(coach).get(url("templates")).content.decode()
