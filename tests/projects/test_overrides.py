"""Decisions on findings: with a reason, at once, and through re-audits until the position changes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import User
from projects.exceptions import Conflict, Missing, Refused
from projects.models import Finding, FindingOverride, Position, Project
from projects.services.access import ReadOnly
from projects.services.auditing import start_audit
from projects.services.editing import edit_position
from projects.services.overrides import override_finding, withdraw_override
from tests.factories.bills import GivenPosition, write_kros
from tests.factories.imports import given_bill, run_audit, upload
from tests.factories.projects import make_project

pytestmark = pytest.mark.django_db

SOUND = GivenPosition("1", "Odkopávky v hornině třídy těžitelnosti I", "m3", Decimal(10), Decimal(100), "121151113")
UNITLESS = replace(SOUND, number="2", code="451573111", description="Lože ze štěrkopísku tl. 100 mm", unit="")


@pytest.fixture
def audited(owner: User, tmp_path: Path) -> Project:
    """Two positions; the second has no unit: V02, red."""
    project = make_project(owner)
    write_kros(tmp_path / "bill.xlsx", given_bill(SOUND, UNITLESS))
    upload(project, owner, tmp_path / "bill.xlsx")
    run_audit(project)
    return project


def finding_of(project: Project) -> Finding:
    return Finding.objects.get(project=project, rule_id="V02", position__removed_in=None)


def grade_of(project: Project) -> str:
    return str(Position.objects.get(project=project, number="2", removed_in=None).verdict.grade)


def test_an_override_regrades_at_once_and_survives_a_re_audit(audited: Project, owner: User) -> None:
    assert grade_of(audited) == "red"
    reds = audited.count_red
    override_finding(finding_id=finding_of(audited).pk, actor=owner, reason="Unit is in the text")
    audited.refresh_from_db()
    at_once = grade_of(audited)
    assert at_once != "red" and audited.count_red == reds - 1

    start_audit(project_id=audited.pk, actor=owner)
    run_audit(audited)

    assert grade_of(audited) == at_once
    kept = finding_of(audited)
    assert kept.override is not None and kept.override.reason == "Unit is in the text" and kept.override.by == owner
    assert not kept.is_open


def test_an_override_ends_with_the_content_it_was_about(audited: Project, owner: User) -> None:
    override_finding(finding_id=finding_of(audited).pk, actor=owner, reason="Unit is in the text")
    row = Position.objects.get(project=audited, number="2", removed_in=None)
    edit_position(
        project_id=audited.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes={"unit_price": Decimal(200)}
    )
    run_audit(audited)
    assert grade_of(audited) == "red" and finding_of(audited).override is None


def test_an_accepted_finding_stays_open_and_says_who_accepted_it(audited: Project, owner: User) -> None:
    override_finding(finding_id=finding_of(audited).pk, actor=owner, reason="Known, client's file", decision="accepted")
    assert grade_of(audited) == "red"
    start_audit(project_id=audited.pk, actor=owner)
    run_audit(audited)
    kept = finding_of(audited)
    assert kept.is_open and kept.override is not None and kept.override.decision == "accepted"
    assert Finding.objects.filter(pk=kept.pk).open().exists()


def test_a_withdrawn_override_counts_again_and_stays_on_record(audited: Project, owner: User) -> None:
    override_finding(finding_id=finding_of(audited).pk, actor=owner, reason="Unit is in the text")
    withdraw_override(finding_id=finding_of(audited).pk, actor=owner)
    assert grade_of(audited) == "red"
    assert FindingOverride.objects.get().withdrawn_at is not None
    with pytest.raises(Conflict):
        withdraw_override(finding_id=finding_of(audited).pk, actor=owner)
    override_finding(finding_id=finding_of(audited).pk, actor=owner, reason="Decided anew")


def test_decisions_need_a_reason_a_right_and_a_finding(
    audited: Project, owner: User, viewer: User, stranger: User
) -> None:
    finding = finding_of(audited)
    with pytest.raises(Refused, match="Say why"):
        override_finding(finding_id=finding.pk, actor=owner, reason=" ok ")
    with pytest.raises(ReadOnly):
        override_finding(finding_id=finding.pk, actor=viewer, reason="Unit is in the text")
    with pytest.raises(Missing):
        override_finding(finding_id=finding.pk, actor=stranger, reason="Unit is in the text")
    override_finding(finding_id=finding.pk, actor=owner, reason="Unit is in the text")
    with pytest.raises(Conflict, match="already"):
        override_finding(finding_id=finding.pk, actor=owner, reason="Twice is one too many")
    assert FindingOverride.objects.count() == 1


def test_a_second_audit_while_one_waits_is_the_same_job(audited: Project, owner: User) -> None:
    one = start_audit(project_id=audited.pk, actor=owner)
    two = start_audit(project_id=audited.pk, actor=owner)
    assert one.pk == two.pk


def test_an_empty_project_has_nothing_to_audit(owner: User) -> None:
    with pytest.raises(Refused, match="Upload"):
        start_audit(project_id=make_project(owner).pk, actor=owner)
