"""Whatever happens to a project, in whatever order: cached counts are what SQL counts, deltas what Python reckons."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from jobs.models import Job
from projects.exceptions import Conflict, Missing, Refused
from projects.models import BudgetVersion, Finding, Position, Project, Verdict
from projects.services import audit_rounds, auditing
from projects.services.auditing import start_audit
from projects.services.editing import add_position, delete_position, edit_position
from projects.services.opening import archive_project, unarchive_project
from projects.services.overrides import override_finding, withdraw_override
from projects.services.versions import restore_version
from tests.factories.bills import GivenPosition, write_kros
from tests.factories.imports import given_bill, run_audit, upload
from tests.factories.projects import make_project

pytestmark = pytest.mark.django_db

CENT = Decimal("0.01")
UNITLESS = GivenPosition("2", "Lože ze štěrkopísku", "", Decimal(5), Decimal(900), "451573111")
SOUND = GivenPosition("1", "Odkopávky v hornině I", "m3", Decimal(10), Decimal(30), "121151113")
ACTIONS = ("edit", "add", "delete", "restore", "audit", "override", "withdraw")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.integers(0, 9),
        st.none() | st.decimals("-1000", "1000", places=4),
        st.none() | st.decimals("0", "1000", places=4),
        st.sampled_from(["normal", "alternative", "optional"]),
    ),
    max_size=10,
)


@pytest.fixture
def audited(owner: User, tmp_path: Path) -> Project:
    project = make_project(owner)
    write_kros(tmp_path / "bill.xlsx", given_bill(SOUND, UNITLESS))
    upload(project, owner, tmp_path / "bill.xlsx")
    run_audit(project)
    return project


def assert_counted(project: Project) -> None:
    project.refresh_from_db()
    rows = list(Position.objects.filter(project=project, removed_in=None))
    verdicts = {v.position_id: v for v in Verdict.objects.filter(position__in=rows)}
    grades = Counter(verdicts[row.pk].grade if row.pk in verdicts else "not_checked" for row in rows)
    for grade in ("green", "amber", "red", "not_checked"):
        assert getattr(project, f"count_{grade}") == grades[grade], grade
    assert project.total_positions == len(rows)
    assert project.total_cost == sum((row.total for row in rows if row.counts), Decimal(0))
    assert project.money_at_stake == sum((v.money_at_stake for v in verdicts.values()), Decimal(0))


def assert_split(version: BudgetVersion) -> None:
    """The delta reckoned independently: from the positions of both versions, in Python."""
    live = Position.objects.filter(project=version.project)
    before = {row.lineage: row for row in live.of_version(version.number - 1)}
    after = {row.lineage: row for row in live.of_version(version.number)}
    quantity = price = scope = cost = Decimal(0)
    for lineage in before.keys() | after.keys():
        old, new = before.get(lineage), after.get(lineage)
        change = (new.total if new and new.counts else 0) - (old.total if old and old.counts else 0)
        cost += change
        if not (old and new and old.counts and new.counts) or old.quantity is None or new.quantity is None:
            scope += change
            continue
        p0, p1 = old.unit_price or Decimal(0), new.unit_price or Decimal(0)
        quantity += ((new.quantity - old.quantity) * p0).quantize(CENT, ROUND_HALF_UP)
        price += ((p1 - p0) * new.quantity).quantize(CENT, ROUND_HALF_UP)
    expected = (cost, quantity, price, scope, cost - quantity - price - scope)
    v = version
    assert (v.delta_cost, v.delta_quantity, v.delta_price, v.delta_scope, v.delta_rounding) == expected


def do(project: Project, owner: User, step: tuple[Any, ...]) -> None:
    action, which, quantity, price, billing = step
    rows = list(Position.objects.filter(project=project, removed_in=None).order_by("ordinal", "id"))
    findings = Finding.objects.filter(project=project).order_by("id")
    fields = {"quantity": quantity, "unit_price": price, "billing": billing}
    if action == "audit":
        if not Job.objects.active().filter(kind=auditing.AUDIT, subject_id=project.pk).exists():
            start_audit(project_id=project.pk, actor=owner)
        assert run_audit(project).status == Job.Status.COMPLETED
    elif action == "restore":
        number = 1 + which % BudgetVersion.objects.filter(project=project).count()
        restore_version(project_id=project.pk, number=number, actor=owner)
    elif action == "add":
        add_position(project_id=project.pk, actor=owner, fields={"description": "Nová položka", **fields})
    elif action in ("override", "withdraw") and findings:
        finding = findings[which % len(findings)]
        if action == "withdraw":
            withdraw_override(finding_id=finding.pk, actor=owner)
        else:
            override_finding(finding_id=finding.pk, actor=owner, reason="Agreed with the client")
    elif action in ("edit", "delete") and rows:
        row = rows[which % len(rows)]
        place: dict[str, Any] = {"project_id": project.pk, "lineage": row.lineage, "actor": owner, "seen": row.pk}
        delete_position(**place) if action == "delete" else edit_position(**place, changes=fields)


@given(steps=STEPS)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=[("override", n, None, None, "normal") for n in range(4)] + [("audit", 0, None, None, "normal")])
@example(steps=[("delete", 0, None, None, "normal")] * 2 + [("audit", 0, None, None, "normal")])
def test_cached_counts_and_deltas_are_what_the_rows_say(
    audited: Project, owner: User, steps: list[tuple[Any, ...]]
) -> None:
    first = BudgetVersion.objects.filter(project=audited).count()
    for step in steps:
        try:
            do(audited, owner, step)
        except (Refused, Missing, Conflict) as refused:
            allowed = (
                "nothing_changed",
                "nothing_to_audit",
                "not_overridable",
                "already_decided",
                "not_decided",
                "no_finding",
            )
            assert refused.code in allowed, refused.code
        assert_counted(audited)
    for version in BudgetVersion.objects.filter(project=audited, number__gt=first):
        assert_split(version)


def during_the_audit(action: Any) -> Any:
    """The real engine, and what somebody does while it is at work the first time."""
    engine, done = audit_rounds.engine.audit, []

    def audit(*args: Any, **options: Any) -> Any:
        result = engine(*args, **options)
        if not done:
            done.append(True)
            action()
        return result

    return patch.object(audit_rounds.engine, "audit", audit)


def unitless(project: Project) -> Position:
    return Position.objects.get(project=project, number="2", removed_in=None)


def test_an_edit_during_an_audit_has_the_newer_version_audited(audited: Project, owner: User) -> None:
    start_audit(project_id=audited.pk, actor=owner)
    row = unitless(audited)

    def edit() -> None:
        edit_position(
            project_id=audited.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes={"unit_price": Decimal(1)}
        )

    with during_the_audit(edit):
        run_audit(audited)
    assert (audited.version_number, audited.audited_version, audited.status) == (2, 2, "completed")
    assert not Job.objects.active().exists()
    assert_counted(audited)


def test_a_decision_during_an_audit_is_in_its_result(audited: Project, owner: User) -> None:
    findings = Finding.objects.filter(position=unitless(audited), grade__in=("red", "amber"))

    def decide() -> None:
        for finding in findings:
            override_finding(finding_id=finding.pk, actor=owner, reason="Unit is in the text")

    assert unitless(audited).verdict.grade == "red"
    start_audit(project_id=audited.pk, actor=owner)
    with during_the_audit(decide):
        run_audit(audited)
    assert unitless(audited).verdict.grade != "red" and not findings.filter(override=None).exists()
    assert_counted(audited)


def test_an_archived_project_stays_archived_when_its_audit_ends(audited: Project, owner: User) -> None:
    start_audit(project_id=audited.pk, actor=owner)
    with during_the_audit(lambda: archive_project(project_id=audited.pk, actor=owner)):
        run_audit(audited)
    assert (audited.status, audited.is_audited) == ("archived", True)
    unarchive_project(project_id=audited.pk, actor=owner)
    audited.refresh_from_db()
    assert audited.status == "completed"


def test_a_failed_reading_leaves_a_waiting_audit_to_be_seen(audited: Project, owner: User, tmp_path: Path) -> None:
    start_audit(project_id=audited.pk, actor=owner)
    (tmp_path / "no.xlsx").write_bytes(b"no bill at all")
    upload(audited, owner, tmp_path / "no.xlsx")
    assert audited.status == "auditing"
    run_audit(audited)
    assert audited.status == "completed"


def test_a_decision_holds_for_its_own_position_only(owner: User, tmp_path: Path) -> None:
    """Of two that say the same and carry no number."""
    project = make_project(owner)
    write_kros(tmp_path / "bill.xlsx", given_bill(*[GivenPosition("", "Lože", "", Decimal(5), Decimal(900))] * 2))
    upload(project, owner, tmp_path / "bill.xlsx")
    run_audit(project)
    one, two = Position.objects.filter(project=project).order_by("ordinal")
    for finding in Finding.objects.filter(position=one, grade__in=("red", "amber")):
        override_finding(finding_id=finding.pk, actor=owner, reason="Unit is in the text")
    start_audit(project_id=project.pk, actor=owner)
    run_audit(project)
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.verdict.grade == "red", two.verdict.grade) == (False, "red")


def test_figures_are_kept_as_people_see_them(audited: Project, owner: User) -> None:
    row = unitless(audited)
    place: dict[str, Any] = {"project_id": audited.pk, "lineage": row.lineage, "actor": owner, "seen": row.pk}
    with pytest.raises(Refused, match="nothing"):
        edit_position(**place, changes={"quantity": Decimal("5.00004")})
    with pytest.raises(Refused, match="can hold"):
        edit_position(**place, changes={"quantity": Decimal("99999999999999.99999")})
    huge = {"quantity": Decimal(1), "unit_price": Decimal(10) ** 13}
    edit_position(**place, changes=huge)
    row = unitless(audited)
    other = {"quantity": Decimal(10) ** 13, "unit_price": CENT}
    edit_position(project_id=audited.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes=other)
    version = BudgetVersion.objects.get(project=audited, number=3)
    assert version.delta_scope == version.delta_cost and version.delta_quantity == version.delta_price == 0
