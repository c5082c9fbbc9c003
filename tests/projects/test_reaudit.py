"""Re-audit in the database: after edits and decisions, every row is what auditing everything would have written."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.db import transaction

from accounts.models import User
from projects.models import AuditRecord, AuditRun, AuditState, Finding, Position, Project, Verdict
from projects.services.audit_places import forget_places, places_of
from projects.services.auditing import audit_project
from projects.services.counting import current_counts
from projects.services.editing import add_position, delete_position, edit_position
from projects.services.overrides import override_finding
from projects.services.rows import content_hash
from projects.services.thresholds import set_threshold
from projects.services.versions import restore_version
from tests.factories.projects import make_document, make_positions, make_project

pytestmark = pytest.mark.django_db

CODES = ("311321611", "311351121", "311351122", "311361821", "632481213", "28376504", "132151253", "174101101", "Pol1")
UNITS = ("m2", "m3", "t", "kpl", "us", None)
PRICES = (None, Decimal(0), Decimal(10), Decimal("10.4"), Decimal(25), Decimal(90000))
QUANTITIES = (None, Decimal(0), Decimal(1), Decimal("2.5"), Decimal(10), Decimal(-1))
TEXTS = ("Zeď z betonu C 25/35 XC4", "Zřízení bednění", "Odstranění bednění", "N1", "Podlaha", "Přesun hmot")


@contextmanager
def finishing() -> Iterator[Callable[[dict[str, Any]], None]]:
    with transaction.atomic():
        yield lambda result: None


def audit(project: Project) -> AuditRun:
    audit_project(project_id=project.pk, job_id=None, report=lambda *args, **data: None, finishing=finishing)
    project.refresh_from_db()
    run: AuditRun = AuditRun.objects.filter(project=project).order_by("-pk")[0]
    return run


def stored(project: Project) -> dict[str, Any]:
    """Everything an audit writes, without what says when it was written."""
    keys = list(Position.objects.filter(project=project, removed_in=None).order_by("pk").values_list("pk", flat=True))
    verdicts = Verdict.objects.filter(position_id__in=keys).order_by("pk")
    findings = Finding.objects.of_current_positions(project.pk).order_by("position_id", "rule_id", "subject", "pk")
    state = AuditState.objects.get(project=project)
    known = orjson.loads(bytes(state.content))
    facts = known.pop("facts")
    run = state.run
    return {
        "verdicts": list(verdicts.values_list("pk", "grade", "confidence", "money_at_stake", "roles", "not_checked")),
        "findings": list(
            findings.values_list(
                "position_id", "rule_id", "rule_version", "role", "grade", "confidence", "reasoning", "evidence",
                "money_at_stake", "suggestion", "subject", "demand", "conflicting", "conflicts_with__rule_id",
                "resolution", "override_id",
            )
        ),
        "counts": {name: getattr(project, name) for name in current_counts(project_id=project.pk)},
        "run": (run.positions, run.counts, run.money_at_stake, run.rule_hits, run.inputs_sha256, run.not_checked_rules,
                run.rules, run.thresholds),
        "known": {name: sorted(value) if isinstance(value, list) else value for name, value in known.items()},
        "facts": {name: _unordered(value) for name, value in facts.items()},
        "places": {name: sorted(map(str, value)) for name, value in state.places.items()},
    }  # fmt: skip


def _unordered(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(map(repr, [[_number(one) for one in row] for row in value]))
    return _number(value)


def _number(value: Any) -> Any:
    is_number = isinstance(value, str) and value.replace(".", "", 1).replace("-", "", 1).isdigit()
    return Decimal(value).normalize() if is_number else value


def compare(project: Project) -> AuditRun:
    """Audits what changed, then everything, and compares what is stored. Returns the first of the two runs."""
    run = audit(project)
    mine = stored(project)
    assert mine["counts"] == current_counts(project_id=project.pk)
    AuditState.objects.filter(project=project).delete()
    assert not audit(project).is_incremental
    theirs = stored(project)
    for part in theirs:
        assert mine[part] == theirs[part], part
    return run


def varied(rng: random.Random) -> dict[str, Any]:
    return {
        "code": rng.choice(CODES), "unit": rng.choice(UNITS), "unit_price": rng.choice(PRICES),
        "quantity": rng.choice(QUANTITIES), "description": rng.choice(TEXTS),
    }  # fmt: skip


def make_budget(owner: User, rng: random.Random, count: int) -> Project:
    project = make_project(owner, currency="CZK")
    document = make_document(project, extracted_data={"header": {"is_public_tender": True}, "warnings": []})
    for n in range(count):
        values = varied(rng)
        quantity, price = values["quantity"], values["unit_price"]
        total = (quantity * price).quantize(Decimal("0.01")) if quantity is not None and price is not None else None
        digest = content_hash(
            code=values["code"], description=values["description"], unit=values["unit"], quantity=quantity,
            unit_price=price, total=total, billing="normal", kind="work", measure=None,
        )  # fmt: skip
        place = {"object_code": f"SO {n % 2}", "section": f"HSV › {n % 3}", "content_hash": digest}
        make_positions(project, 1, document=document, stated_total=total, total=total or 0, **values, **place)
    return project


def any_position(project: Project, rng: random.Random) -> Position:
    return rng.choice(list(Position.objects.filter(project=project, removed_in=None).order_by("ordinal", "pk")))


def edit_somehow(project: Project, owner: User, rng: random.Random) -> None:
    row = any_position(project, rng)
    what = rng.choice(["change", "change", "change", "add", "delete", "decide"])
    of: dict[str, Any] = {"project_id": project.pk, "actor": owner}
    if what == "add":
        add_position(**of, fields=varied(rng) | {"object_code": "SO 1", "section": f"HSV › {rng.randrange(3)}"})
    elif what == "delete":
        delete_position(**of, lineage=row.lineage, seen=row.pk)
    elif what == "decide":
        open_ = Finding.objects.filter(position__project=project, position__removed_in=None, override=None)
        finding = open_.filter(grade__in=["red", "amber"]).order_by("pk").first()
        if finding is not None:
            override_finding(finding_id=finding.pk, actor=owner, reason="That is how it was agreed.")
    if what in ("change", "decide"):  # a decision alone makes no version
        name = rng.choice(["code", "unit", "unit_price", "quantity", "description"])
        values = [value for value in (varied(rng)[name] for _ in range(20)) if value != getattr(row, name)]
        edit_position(**of, lineage=row.lineage, seen=row.pk, changes={name: values[0]})


@pytest.mark.parametrize("seed", range(8))
def test_after_random_edits_the_rows_are_those_of_a_full_audit(owner: User, seed: int) -> None:
    rng = random.Random(seed)
    project = make_budget(owner, rng, 14)
    audit(project)
    for _ in range(4):
        edit_somehow(project, owner, rng)
        project.refresh_from_db()
        assert compare(project).is_incremental


def test_one_edit_asks_few_positions_and_says_so(owner: User) -> None:
    project = make_budget(owner, random.Random(1), 40)
    first = audit(project)
    assert (first.is_incremental, first.audited_positions, first.positions) == (False, 40, 40)
    row = Position.objects.filter(project=project, code="Pol1").first()
    assert row is not None
    edit_position(
        project_id=project.pk, actor=owner, lineage=row.lineage, seen=row.pk, changes={"description": "Jiný text"}
    )
    run = audit(project)
    assert run.is_incremental
    assert 1 <= run.audited_positions < 10
    assert run.positions == 40
    assert AuditRecord.objects.filter(run=run).exists()


def test_auditing_a_version_again_asks_everything(owner: User) -> None:
    project = make_budget(owner, random.Random(1), 5)
    audit(project)
    assert not audit(project).is_incremental


def test_another_threshold_asks_everything(owner: User) -> None:
    project = make_budget(owner, random.Random(1), 5)
    audit(project)
    set_threshold(name="C02.spread", value=Decimal("0.2"), reason="Our own practice", actor=owner)
    edit_somehow(project, owner, random.Random(2))
    assert not compare(project).is_incremental


def test_a_document_whose_facts_change_asks_everything(owner: User) -> None:
    project = make_budget(owner, random.Random(1), 5)
    audit(project)
    Project.objects.filter(pk=project.pk).update(currency="EUR")
    edit_somehow(project, owner, random.Random(2))
    assert not audit(project).is_incremental


def test_a_restored_version_is_audited_by_what_changed(owner: User) -> None:
    project = make_budget(owner, random.Random(3), 12)
    audit(project)
    for seed in (1, 2):
        edit_somehow(project, owner, random.Random(seed))
    audit(project)
    restore_version(project_id=project.pk, number=1, actor=owner)
    assert compare(project).is_incremental


def test_where_documents_have_positions_is_counted_anew_once_rows_may_have_changed_hands(owner: User) -> None:
    project = make_budget(owner, random.Random(1), 5)
    document = make_document(project, name="second.xlsx", content=b"2")
    audit(project)
    edit_somehow(project, owner, random.Random(2))
    assert Position.objects.filter(project=project, removed_in=None, object_code="SO 0").update(document=document)
    forget_places(project_id=project.pk)
    assert AuditState.objects.get(project=project).places is None
    audit(project)
    kept = AuditState.objects.get(project=project).places
    assert sorted(map(str, kept["rows"])) == sorted(map(str, places_of(project=project).as_json()["rows"]))


def test_kept_places_that_can_not_be_true_are_not_believed(owner: User) -> None:
    project = make_budget(owner, random.Random(1), 5)
    audit(project)
    AuditState.objects.filter(project=project).update(places={"rows": [], "closed": []})
    row = any_position(project, random.Random(1))
    delete_position(project_id=project.pk, actor=owner, lineage=row.lineage, seen=row.pk)
    assert compare(project).is_incremental


def test_what_is_kept_of_an_audit_and_damaged_is_not_believed(owner: User) -> None:
    project = make_budget(owner, random.Random(1), 5)
    audit(project)
    AuditState.objects.filter(project=project).update(content=b"{")
    edit_somehow(project, owner, random.Random(2))
    assert not compare(project).is_incremental


def test_prices_of_other_budgets_are_looked_up_for_what_is_asked(owner: User) -> None:
    for _ in range(4):
        other = make_project(owner, currency="CZK")
        make_positions(other, 1, code="632481213", unit="m2", unit_price=Decimal(10))
    project = make_budget(owner, random.Random(5), 12)
    make_positions(project, 1, code="632481213", unit="m2", unit_price=Decimal(99))
    audit(project)
    row = Position.objects.filter(project=project, code="632481213").order_by("-pk")[0]
    edit_position(
        project_id=project.pk, actor=owner, lineage=row.lineage, seen=row.pk, changes={"unit_price": Decimal(77)}
    )
    assert compare(project).is_incremental
    assert Finding.objects.filter(project=project, rule_id="C04", position__removed_in=None).exists()
