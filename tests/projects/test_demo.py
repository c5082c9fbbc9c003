"""The demo: what is wrong in it is found, what is not wrong is not, and loading it twice is loading it once."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import Membership, User
from jobs.models import Job
from projects.audit.engine import audit
from projects.audit.findings import BUDGET, AuditResult
from projects.audit.registry import rule
from projects.audit.view import BudgetView
from projects.demo import loading
from projects.demo.building import BILL, sound_building
from projects.demo.building_faults import BUILDING_FAULTS
from projects.demo.faults import Fault
from projects.demo.gaeb import bid_xml, tender_xml
from projects.demo.people import OWNER, PASSWORD, PEOPLE, STAFF, VIEWER
from projects.demo.sports_hall import HALL, HALL_FAULTS
from projects.models import BudgetVersion, Document, FindingOverride, Project
from projects.parsers.reconcile import Reconciler, assert_reconciled
from projects.parsers.registry import open_bill
from projects.parsers.writers.kros_xlsx import write_kros_xlsx


def audited(path: Path, tender: Path | None = None) -> tuple[BudgetView, AuditResult]:
    bill = open_bill(path, tender=tender)
    reconciler = Reconciler(bill)
    bill.positions = reconciler.watch(bill.positions)
    view = BudgetView.from_bill(bill)
    assert_reconciled(reconciler.result())
    return view, audit(view)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[BudgetView, AuditResult]:
    path = tmp_path_factory.mktemp("demo") / "faulty.xlsx"
    loading.write_building(path)
    return audited(path)


def places_of(rule_id: str, view: BudgetView, result: AuditResult, by: str = "code") -> set[tuple[str, str]]:
    """(object, code or number) of the rule's findings; ("", "") for one on the budget."""
    return {
        ("", "") if f.index == BUDGET else (view.positions[f.index].object_code, getattr(view.positions[f.index], by))
        for f in result.findings
        if f.rule_id == rule_id
    }


@pytest.mark.parametrize("fault", BUILDING_FAULTS, ids=lambda fault: fault.rule_id)
def test_the_audit_finds_each_fault_of_the_building(fault: Fault, faulty: tuple[BudgetView, AuditResult]) -> None:
    expected = (fault.object_code, fault.code) if fault.code else ("", "")
    assert expected in places_of(fault.rule_id, *faulty), fault.story


def test_every_role_has_a_fault_to_find() -> None:
    assert {rule(fault.rule_id).role.value for fault in BUILDING_FAULTS} == {
        "validator", "cost", "structural", "concrete", "standards", "orchestrator",
    }  # fmt: skip


def test_the_sound_building_is_green(tmp_path: Path) -> None:
    write_kros_xlsx(tmp_path / "sound.xlsx", sound_building(), bill=BILL)
    view, result = audited(tmp_path / "sound.xlsx")
    assert len(view) == 150
    assert [(f.rule_id, f.reasoning) for f in result.findings if f.grade != "info"] == []
    assert result.counts.as_dict() == {"green": 150, "amber": 0, "red": 0, "not_checked": 0}


def test_the_building_file_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        loading.write_building(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("fault", HALL_FAULTS, ids=lambda fault: fault.rule_id)
def test_the_audit_finds_each_fault_of_the_bid(fault: Fault, tmp_path: Path) -> None:
    (tmp_path / "a.x83").write_bytes(tender_xml(HALL))
    (tmp_path / "a.x84").write_bytes(bid_xml(HALL))
    view, result = audited(tmp_path / "a.x84", tender=tmp_path / "a.x83")
    assert view.grand_total == HALL.total
    assert (fault.object_code, fault.code) in places_of(fault.rule_id, view, result, by="number"), fault.story


@pytest.fixture
def loaded(transactional_db: None) -> loading.Loaded:
    return loading.load(password=PASSWORD, progress=lambda done, total, message, counts: None)


def contents() -> dict[str, int]:
    return {
        "people": User.objects.count(),
        "projects": Project.objects.count(),
        "documents": Document.objects.count(),
        "versions": BudgetVersion.objects.count(),
        "overrides": FindingOverride.objects.count(),
        "jobs": Job.objects.count(),
    }


def test_loading_makes_people_projects_a_second_version_and_a_decision(loaded: loading.Loaded) -> None:
    building, hall, empty = loaded.projects
    assert (building.version_number, building.audited_version, building.status) == (2, 2, "completed")
    version = BudgetVersion.objects.get(project=building, number=2)
    assert (version.trigger, version.delta_cost) == ("user_edit", Decimal("72") * loading.PRICE)
    decision = FindingOverride.objects.get(project=building)
    assert (decision.rule_id, decision.by, decision.reason) == (
        loading.OVERRIDDEN_RULE, loaded.owner, loading.REASON,
    )  # fmt: skip
    assert building.count_red > 10 and building.count_green > 100
    assert (hall.version_number, hall.total_cost, hall.currency) == (2, HALL.total, "EUR")
    assert (empty.version_number, empty.status) == (0, "draft")
    assert not Job.objects.exclude(status=Job.Status.COMPLETED).exists()


def test_everybody_can_sign_in_and_has_their_role(loaded: loading.Loaded) -> None:
    for person in PEOPLE:
        user = User.objects.get(email=person.email)
        assert user.check_password(PASSWORD) and user.status == "active"
        assert Membership.objects.get(user=user, organisation=loaded.projects[0].organisation).role == person.role
    assert User.objects.filter(is_superuser=True, is_staff=True).values_list("email", flat=True).get() == STAFF.email
    viewer = User.objects.get(email=VIEWER.email)
    assert Project.objects.visible_to(viewer).count() == 3
    assert not Project.objects.editable_by(viewer).exists()


def test_loading_again_adds_nothing_and_keeps_what_people_changed(loaded: loading.Loaded) -> None:
    User.objects.filter(email=OWNER.email).update(full_name="Somebody Else")
    before = contents()
    again = loading.load(password="another-password-9", progress=lambda *args: None)
    assert not again.is_new and contents() == before
    assert again.owner.full_name == "Somebody Else" and again.owner.check_password(PASSWORD)


def test_a_load_that_was_interrupted_is_taken_up_where_it_stopped(loaded: loading.Loaded) -> None:
    FindingOverride.objects.all().delete()
    Project.objects.get(name=loading.EMPTY).delete()
    before = contents()
    again = loading.load(password=PASSWORD, progress=lambda *args: None)
    assert again.is_new
    assert contents() == before | {"overrides": 1, "projects": 3}


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_address_and_sign_in_and_once_skips(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("demo", once=True)
    out = capsys.readouterr().out
    assert OWNER.email in out and PASSWORD in out and "The 10 findings with most money at stake" in out
    before = contents()
    call_command("demo", once=True, json=True)
    told = json.loads(capsys.readouterr().out)
    assert contents() == before
    assert told["is_new"] is False and "audit" not in told
    assert [project["name"] for project in told["projects"]] == [loading.BUILDING, loading.SPORTS_HALL, loading.EMPTY]


@pytest.mark.django_db(transaction=True)
def test_without_once_a_loaded_demo_is_audited_again(
    loaded: loading.Loaded, capsys: pytest.CaptureFixture[str]
) -> None:
    audits = loaded.projects[0].audits.count()
    call_command("demo", json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["audit"]["positions"] == 153 and len(told["audit"]["findings"]) == 10
    assert loaded.projects[0].audits.count() == audits + 1


@pytest.mark.django_db
def test_the_well_known_password_never_reaches_a_server(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.SETTINGS_MODULE = "config.settings.production"
    with pytest.raises(SystemExit) as exit_:
        call_command("demo", json=True)
    assert exit_.value.code == 1 and not User.objects.exists()
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "production"


@pytest.mark.django_db(transaction=True)
def test_forced_onto_a_server_the_demo_gets_a_new_password(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SETTINGS_MODULE = "config.settings.production"
    call_command("demo", json=True, force=True)
    told = json.loads(capsys.readouterr().out)
    assert told["password"] and told["password"] != PASSWORD
    assert User.objects.get(email=OWNER.email).check_password(told["password"])
