"""Edits make versions; versions add up, can be read again and restored; no edit is lost."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from jobs.models import Job
from projects.exceptions import EditConflict, Missing, PositionNotFound, ProjectNotFound, Refused
from projects.models import BudgetVersion, Position, Project
from projects.services.access import ReadOnly
from projects.services.editing import add_position, delete_position, edit_position
from projects.services.opening import archive_project
from projects.services.versions import restore_version
from tests.factories.projects import make_document, make_positions, make_project
from tests.jobs.processes import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def budget(owner: User) -> Project:
    """Three positions: 2 × 10, 2 × 20, 2 × 30."""
    project = make_project(owner)
    make_positions(project, 3)
    return project


def rows(project: Project, version: int | None = None) -> list[tuple[Any, ...]]:
    found = Position.objects.filter(project=project).of_version(version)
    return list(found.values_list("lineage", "number", "description", "quantity", "unit_price", "total"))


def first(project: Project) -> Position:
    return Position.objects.filter(project=project, removed_in=None).order_by("ordinal")[0]


def edit(project: Project, actor: User, **changes: Any) -> BudgetVersion:
    row = first(project)
    return edit_position(project_id=project.pk, lineage=row.lineage, actor=actor, seen=row.pk, changes=changes)


def test_a_dearer_price_is_a_price_effect(budget: Project, owner: User) -> None:
    version = edit(budget, owner, unit_price=Decimal("12.50"))
    assert (version.number, version.trigger, version.created_by) == (2, "user_edit", owner)
    assert version.summary == {"added": 0, "removed": 0, "modified": 1}
    assert (version.delta_price, version.delta_quantity, version.delta_scope) == (Decimal("5.00"), 0, 0)
    budget.refresh_from_db()
    assert budget.total_cost == Decimal("125.00") == version.total_cost
    assert not budget.is_audited and Job.objects.filter(kind="projects.audit").count() == 1


def test_quantity_and_price_together_split_exactly(budget: Project, owner: User) -> None:
    version = edit(budget, owner, quantity=Decimal("3.3333"), unit_price=Decimal("9.9999"))
    assert version.delta_quantity == Decimal("13.33")  # (3.3333 - 2) × 10
    assert version.delta_price == Decimal("0.00")  # (9.9999 - 10) × 3.3333 = -0.0003
    assert version.delta_cost == Decimal("13.33")  # 33.33 - 20.00
    assert version.delta_rounding == version.delta_cost - version.delta_quantity - version.delta_price


def test_a_new_text_costs_nothing_and_keeps_the_stated_total(budget: Project, owner: User) -> None:
    Position.objects.filter(project=budget).update(stated_total=Decimal("20.01"), total=Decimal("20.01"))
    version = edit(budget, owner, description="Beton C30/37")
    assert version.delta_cost == 0
    assert first(budget).stated_total == Decimal("20.01")
    assert version.changes == [
        {
            "lineage": str(first(budget).lineage),
            "change": "modified",
            "number": "1",
            "description": "Beton C30/37",
            "before": {"description": "Concrete foundation strip no. 1"},
            "after": {"description": "Beton C30/37"},
        }
    ]


def test_a_total_is_rounded_as_the_document_rounds(budget: Project, owner: User) -> None:
    document = make_document(budget, extracted_data={"rounding": {"total": "0.1"}})
    Position.objects.filter(project=budget).update(document=document)
    edit(budget, owner, quantity=Decimal("1.111"), unit_price=Decimal("1.111"))
    assert first(budget).total == Decimal("1.20")  # 1.234321 in tenths, half up: 1.2


def test_the_second_of_two_editors_gets_both_values(budget: Project, owner: User, member: User) -> None:
    seen = first(budget)
    edit(budget, owner, unit_price=Decimal(11))
    with pytest.raises(EditConflict) as caught:
        edit_position(
            project_id=budget.pk, lineage=seen.lineage, actor=member, seen=seen.pk, changes={"unit_price": Decimal(12)}
        )
    assert caught.value.extra["current"] == {"unit_price": "11.0000"}
    assert caught.value.extra["yours"] == {"unit_price": "12"}
    assert first(budget).unit_price == Decimal(11)
    with pytest.raises(EditConflict):
        delete_position(project_id=budget.pk, lineage=seen.lineage, actor=member, seen=seen.pk)


def test_refused_edits_leave_no_version(budget: Project, owner: User, viewer: User, stranger: User) -> None:
    row = first(budget)
    place: dict[str, Any] = {"project_id": budget.pk, "lineage": row.lineage, "seen": row.pk}
    change = {"unit_price": Decimal(11)}
    with pytest.raises(ProjectNotFound):
        edit_position(**place, actor=stranger, changes=change)
    with pytest.raises(ReadOnly):
        edit_position(**place, actor=viewer, changes=change)
    with pytest.raises(Refused, match="nothing"):
        edit_position(**place, actor=owner, changes={"unit_price": Decimal("10.00")})
    with pytest.raises(Refused, match="can't be set: total"):
        edit_position(**place, actor=owner, changes={"total": Decimal(1)})
    with pytest.raises(Refused, match="number a budget can hold"):
        edit_position(**place, actor=owner, changes={"unit_price": Decimal("NaN")})
    with pytest.raises(Refused, match="larger than any budget"):
        edit_position(**place, actor=owner, changes={"unit_price": Decimal(10) ** 13, "quantity": Decimal(10) ** 13})
    with pytest.raises(PositionNotFound):
        edit_position(**{**place, "lineage": uuid4()}, actor=owner, changes=change)
    archive_project(project_id=budget.pk, actor=owner)
    with pytest.raises(Refused, match="archive"):
        edit_position(**place, actor=owner, changes=change)
    assert BudgetVersion.objects.filter(project=budget).count() == 1


def test_an_added_position_stands_at_the_end_of_its_section(budget: Project, owner: User) -> None:
    make_positions(budget, 1, section="PSV › 711 Izolace")
    section = first(budget).section
    fields = {
        "description": "Bednění základů", "unit": "m2", "quantity": Decimal(4), "unit_price": Decimal(5),
        "section": section, "object_code": "SO 1", "object_name": "Main building",
    }  # fmt: skip
    version, lineage = add_position(project_id=budget.pk, actor=owner, fields=fields)
    order = list(Position.objects.filter(project=budget, removed_in=None).values_list("lineage", flat=True))
    assert order.index(lineage) == 3 and len(order) == 5
    assert (version.summary["added"], version.delta_scope) == (1, Decimal("20.00"))


def test_a_deleted_position_lives_on_in_earlier_versions(budget: Project, owner: User) -> None:
    before = rows(budget)
    row = first(budget)
    version = delete_position(project_id=budget.pk, lineage=row.lineage, actor=owner, seen=row.pk)
    assert (version.summary["removed"], version.delta_scope) == (1, Decimal("-20.00"))
    assert rows(budget) == before[1:] and rows(budget, 1) == before


def test_a_restored_version_is_what_it_was_and_history_stays(budget: Project, owner: User) -> None:
    original = rows(budget)
    edit(budget, owner, unit_price=Decimal(99))
    row = first(budget)
    delete_position(project_id=budget.pk, lineage=row.lineage, actor=owner, seen=row.pk)
    untouched = Position.objects.filter(project=budget, number="3").get().pk

    version = restore_version(project_id=budget.pk, number=1, actor=owner)

    assert (version.number, version.trigger) == (4, "restore")
    assert rows(budget) == original == rows(budget, 1)
    assert len(rows(budget, 3)) == 2
    assert Position.objects.get(project=budget, number="3").pk == untouched  # a version costs what changed
    with pytest.raises(Refused, match="nothing"):
        restore_version(project_id=budget.pk, number=1, actor=owner)
    with pytest.raises(Missing, match="no version 9"):
        restore_version(project_id=budget.pk, number=9, actor=owner)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "add", "delete", "restore"]),
        st.integers(0, 9),
        st.decimals("0", "1000", places=3),
        st.decimals("0", "1000", places=2),
    ),
    max_size=8,
)


@given(edits=EDITS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_deltas_add_up_and_versions_stay_readable(owner: User, edits: list[Any]) -> None:
    project = make_project(owner)
    make_positions(project, 3)
    remembered = {1: rows(project)}
    for kind, which, quantity, price in edits:
        try:
            version = _do(project, owner, kind, which, quantity, price)
        except Refused as refused:
            assert refused.code == "nothing_changed"
            continue
        parts = version.delta_quantity + version.delta_price + version.delta_scope + version.delta_rounding
        assert version.delta_cost == parts
        remembered[version.number] = rows(project)
        cost = {number: sum(row[-1] for row in remembered[number]) for number in (version.number - 1, version.number)}
        assert version.total_cost == cost[version.number]
        assert version.delta_cost == cost[version.number] - cost[version.number - 1]
    for number, then in remembered.items():
        assert rows(project, number) == then


def _do(project: Project, owner: User, kind: str, which: int, quantity: Decimal, price: Decimal) -> BudgetVersion:
    current = list(Position.objects.filter(project=project, removed_in=None))
    if kind == "restore":
        latest = BudgetVersion.objects.filter(project=project).count()
        return restore_version(project_id=project.pk, number=1 + which % latest, actor=owner)
    fields = {"quantity": quantity, "unit_price": price}
    if kind == "add" or not current:
        return add_position(project_id=project.pk, actor=owner, fields={"description": "New", **fields})[0]
    row = current[which % len(current)]
    place: dict[str, Any] = {"project_id": project.pk, "lineage": row.lineage, "actor": owner, "seen": row.pk}
    return delete_position(**place) if kind == "delete" else edit_position(**place, changes=fields)


@pytest.mark.django_db(transaction=True)
def test_an_edit_that_waited_while_the_project_was_archived_is_refused(budget: Project, owner: User) -> None:
    seen, outcomes = first(budget), []
    place: dict[str, Any] = {"project_id": budget.pk, "lineage": seen.lineage, "actor": owner, "seen": seen.pk}

    def work() -> None:
        try:
            edit_position(**place, changes={"unit_price": Decimal(11)})
            outcomes.append("won")
        except Refused as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        archive_project(project_id=budget.pk, actor=owner)
        thread.start()
        wait_until(lambda: is_waited_for() or not thread.is_alive(), "the edit waits")
    thread.join()
    assert outcomes == ["project_archived"]
    assert BudgetVersion.objects.filter(project=budget).count() == 1


def is_waited_for() -> bool:
    """Whether another connection waits for a lock of this one. Within a transaction the view stays as it was at the
    first look, unless it is told not to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_of_two_simultaneous_edits_exactly_one_wins(budget: Project, owner: User) -> None:
    seen = first(budget)
    gate, outcomes = threading.Barrier(2), []

    def work(price: int) -> None:
        gate.wait()
        try:
            edit_position(
                project_id=budget.pk,
                lineage=seen.lineage,
                actor=owner,
                seen=seen.pk,
                changes={"unit_price": Decimal(price)},
            )
            outcomes.append("won")
        except EditConflict:
            outcomes.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(price,)) for price in (11, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "won"]
    assert BudgetVersion.objects.filter(project=budget).count() == 2
