"""Any two versions compared: effects that add up, forwards and backwards; what was changed back is no change."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from projects.exceptions import Missing
from projects.models import BudgetVersion, Position, Project
from projects.services.deltas import between, compare_versions
from projects.services.editing import add_position, delete_position, edit_position
from tests.factories.projects import make_positions, make_project

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def budget(owner: User) -> Project:
    project = make_project(owner, currency="CZK")
    make_positions(project, 6)
    return project


def any_row(project: Project, rng: random.Random) -> Position:
    return rng.choice(list(Position.objects.filter(project=project, removed_in=None).order_by("ordinal", "pk")))


def edit(project: Project, actor: User, row: Position, **changes: Any) -> BudgetVersion:
    current = Position.objects.get(project=project, lineage=row.lineage, removed_in=None)
    return edit_position(project_id=project.pk, lineage=row.lineage, actor=actor, seen=current.pk, changes=changes)


def test_effects_between_any_two_versions_add_up_both_ways(budget: Project, owner: User) -> None:
    rng = random.Random(4)
    for step in range(6):
        row = any_row(budget, rng)
        if step == 2:
            delete_position(project_id=budget.pk, lineage=row.lineage, actor=owner, seen=row.pk)
        elif step == 4:
            fields = {"description": "Nová zeď", "quantity": D(3), "unit_price": D("7.5"), "unit": "m2"}
            add_position(project_id=budget.pk, actor=owner, fields=fields)
        else:
            edit(budget, owner, row, quantity=D(step + 3), unit_price=D(100 + step))
    # The first version was written by hand, without its totals
    BudgetVersion.objects.filter(project=budget, number=1).update(total_cost=_cost(budget, 1))
    for old in range(1, 8):
        for new in range(1, 8):
            compared = compare_versions(project_id=budget.pk, old=old, new=new)
            delta = compared.delta
            assert delta.cost == compared.after - compared.before
            assert delta.cost == delta.quantity + delta.price + delta.scope + delta.rounding
            back = between(project_id=budget.pk, old=new, new=old)
            assert back.cost == -delta.cost
            assert (back.counts["added"], back.counts["removed"]) == (delta.counts["removed"], delta.counts["added"])
            assert len(delta.changes) == sum(delta.counts.values())


def _cost(project: Project, number: int) -> Decimal:
    return sum(Position.objects.filter(project=project).of_version(number).values_list("total", flat=True), D(0))


def test_what_was_changed_back_is_no_change(budget: Project, owner: User) -> None:
    row = any_row(budget, random.Random(1))
    Position.objects.filter(pk=row.pk).update(content_hash="")
    edit(budget, owner, row, unit_price=D(999))
    edit(budget, owner, row, unit_price=row.unit_price)
    edit(budget, owner, row, unit_price=D(999))
    assert between(project_id=budget.pk, old=2, new=4).counts == {"added": 0, "removed": 0, "modified": 0}
    delta = between(project_id=budget.pk, old=3, new=4)
    assert delta.counts["modified"] == 1
    assert delta.changes[0]["after"]["unit_price"] == "999.0000"


def test_the_waterfall_begins_and_ends_with_the_totals(budget: Project, owner: User) -> None:
    edit(budget, owner, any_row(budget, random.Random(1)), quantity=D(5))
    edit(budget, owner, any_row(budget, random.Random(2)), unit_price=D("3.33"))
    bars = compare_versions(project_id=budget.pk, old=2, new=3).waterfall()
    assert [bar["label"] for bar in bars] == ["Before", "Quantity", "Price", "Scope", "Rounding", "After"]
    assert all(bar["from"] == before["to"] for before, bar in pairwise(bars[:5]))
    assert bars[4]["to"] == bars[5]["to"]


def test_a_version_that_never_was_is_missing(budget: Project) -> None:
    with pytest.raises(Missing):
        compare_versions(project_id=budget.pk, old=1, new=9)


def test_the_api_compares_for_those_who_see_the_project(
    budget: Project, owner: User, viewer: User, stranger: User, client: Client
) -> None:
    edit(budget, owner, any_row(budget, random.Random(1)), quantity=D(5))
    api = APIClient()
    address = f"/api/projects/{budget.pk}/versions/1/compare/2"
    api.force_authenticate(viewer)
    answer = api.get(address)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["old"], body["new"], body["currency"], body["delta"]["counts"]["modified"]) == (1, 2, "CZK", 1)
    assert body["bars"][0].keys() == {"label", "from", "to", "kind", "delta"}
    assert api.get(f"/api/projects/{budget.pk}/versions/1/compare/9").status_code == 404
    api.force_authenticate(stranger)
    assert api.get(address).status_code == 404


@pytest.mark.parametrize("edits", [1, 50])
def test_queries_do_not_grow_with_the_changes(
    budget: Project, owner: User, edits: int, django_assert_max_num_queries: Any
) -> None:
    make_positions(budget, edits)
    rows = list(Position.objects.filter(project=budget, removed_in=None))[:edits]
    for row in rows:
        edit(budget, owner, row, quantity=D(9))
    api = APIClient()
    api.force_authenticate(owner)
    with django_assert_max_num_queries(10):
        assert api.get(f"/api/projects/{budget.pk}/versions/1/compare/{edits + 1}").status_code == 200
