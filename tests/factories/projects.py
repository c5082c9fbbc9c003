"""Projects as they look after an import and an audit, written straight into the tables: minimal, never random."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from projects.models import AuditRun, BudgetVersion, Document, Finding, Position, Project, Verdict

GRADES = ("red", "amber", "green", "not_checked")
SECTION = "HSV Práce a dodávky HSV › 1 Zemní práce"


def make_project(owner: User, name: str = "Valcha", organisation: Organisation | None = None, **fields: Any) -> Project:
    """An empty project of the owner's organisation."""
    if organisation is None:
        organisation = Organisation.objects.filter(memberships__user=owner).order_by("memberships__pk").first()
    if organisation is None:
        organisation = Organisation.objects.create(name="Stavby Novák")
        Membership.objects.create(organisation=organisation, user=owner, role=Membership.Role.OWNER)
    return Project.objects.create(owner=owner, organisation=organisation, name=name, **fields)


def make_document(project: Project, name: str = "bill.xlsx", content: bytes = b"content", **fields: Any) -> Document:
    """A bill that has been read, unless `fields` say otherwise."""
    values: dict[str, Any] = {
        "original_filename": name,
        "size": len(content),
        "sha256": uuid4().hex * 2,
        "parse_status": Document.ParseStatus.COMPLETED,
        "parser": "kros_xlsx",
        "extracted_data": {"header": {"dialect_label": 'KROS "Export Komplet"'}, "warnings": []},
    }
    document = Document(project=project, **(values | fields))
    document.file.save(name, ContentFile(content), save=False)
    document.save(force_insert=True)
    return document


def make_positions(
    project: Project, how_many: int, /, *, document: Document | None = None, **fields: Any
) -> list[Position]:
    """Current positions 1 … how_many with unit price 10 × i, as version 1 (made if the project has none yet)."""
    if project.version_number == 0:
        make_version(project)
    before = Position.objects.filter(project=project).count()
    rows = []
    for i in range(before + 1, before + how_many + 1):
        values: dict[str, Any] = {
            "project": project,
            "document": document,
            "lineage": uuid4(),
            "added_in": project.version_number,
            "ordinal": i * 1024,
            "number": str(i),
            "object_code": "SO 1",
            "object_name": "Main building",
            "section": SECTION,
            "code": f"27432{i:04d}",
            "catalogue": "ÚRS",
            "description": f"Concrete foundation strip no. {i}",
            "unit": "m3",
            "quantity": Decimal(2),
            "unit_price": Decimal(10 * i),
            "total": Decimal(20 * i),
            "source": f"SO 1!A{i + 10}",
            "content_hash": f"{i:032x}",
        }
        rows.append(Position(**(values | fields)))
    made = Position.objects.bulk_create(rows)
    recount(project)
    return made


def make_position(project: Project, **fields: Any) -> Position:
    return make_positions(project, 1, **fields)[0]


def make_version(project: Project, **fields: Any) -> BudgetVersion:
    """The project's next version, with the totals as they are."""
    project.version_number += 1
    project.save(update_fields=["version_number"])
    values: dict[str, Any] = {
        "number": project.version_number,
        "trigger": BudgetVersion.Trigger.INITIAL if project.version_number == 1 else BudgetVersion.Trigger.USER_EDIT,
        "created_by": project.owner,
        "total_positions": project.total_positions,
        "total_cost": project.total_cost,
        "summary": {"added": 0, "removed": 0, "modified": 0},
    }
    return BudgetVersion.objects.create(project=project, **(values | fields))


def make_verdict(position: Position, grade: str = "red", **fields: Any) -> Verdict:
    values: dict[str, Any] = {
        "project_id": position.project_id,
        "version_number": position.added_in,
        "grade": grade,
        "confidence": Decimal("0.9"),
        "money_at_stake": position.total if grade in ("red", "amber") else Decimal(0),
        "roles": {"validator": grade, "cost": "green"},
    }
    verdict = Verdict.objects.create(position=position, **(values | fields))
    recount(position.project)
    return verdict


def make_finding(position: Position | None, project: Project | None = None, **fields: Any) -> Finding:
    """A red finding of V06 (negative quantity or price), of a position or, without one, of the whole budget."""
    owner = position.project if position else project
    assert owner is not None
    values: dict[str, Any] = {
        "project": owner,
        "position": position,
        "version_number": owner.version_number,
        "role": "validator",
        "rule_id": "V06",
        "rule_version": 1,
        "grade": "red",
        "confidence": Decimal(1),
        "reasoning": "The unit price is negative outside a deduction.",
        "evidence": {"unit_price": "-10", "threshold": "0"},
        "money_at_stake": position.total if position else Decimal(0),
        "suggestion": {"action": "Ask the author.", "benefit": "A true total.", "risk": "Paid twice."},
    }
    return Finding.objects.create(**(values | fields))


def make_audit(project: Project, **fields: Any) -> AuditRun:
    """A finished audit of the current version; the project counts as audited."""
    recount(project)
    now = timezone.now()
    values: dict[str, Any] = {
        "version_number": project.version_number,
        "started_at": now,
        "finished_at": now,
        "positions": project.total_positions,
        "counts": {grade: getattr(project, f"count_{grade}") for grade in GRADES},
        "money_at_stake": project.money_at_stake,
        "rules": {"V06": 1},
        "rule_hits": {"V06": 1},
        "not_checked_rules": [["C04", "Price differs from the catalogue", "no catalogue is loaded"]],
    }
    run = AuditRun.objects.create(project=project, **(values | fields))
    Project.objects.filter(pk=project.pk).update(
        audited_version=project.version_number, status=Project.Status.COMPLETED, progress=100
    )
    project.refresh_from_db()
    return run


def make_audited_project(owner: User, positions: int = 4, **fields: Any) -> Project:
    """Positions graded red, amber, green, not checked in turn; each red one with a finding."""
    project = make_project(owner, currency="CZK", **fields)
    document = make_document(project)
    for index, position in enumerate(make_positions(project, positions, document=document)):
        grade = GRADES[index % 4]
        make_verdict(position, grade)
        if grade == "red":
            make_finding(position)
    BudgetVersion.objects.filter(project=project).update(
        total_positions=project.total_positions, total_cost=project.total_cost
    )
    make_audit(project)
    return project


def recount(project: Project) -> None:
    """The cached aggregates, as services keep them."""
    live = Position.objects.filter(project=project, removed_in__isnull=True)
    rows = list(live.values_list("total", "billing", "verdict__grade", "verdict__money_at_stake"))
    counted = [total for total, billing, _, _ in rows if billing not in Position.UNCOUNTED_BILLINGS]
    values: dict[str, Any] = {f"count_{grade}": sum(1 for row in rows if row[2] == grade) for grade in GRADES}
    values |= {
        "total_positions": len(rows),
        "total_cost": sum(counted, Decimal(0)),
        "money_at_stake": sum((row[3] or Decimal(0) for row in rows), Decimal(0)),
    }
    Project.objects.filter(pk=project.pk).update(**values)
    project.refresh_from_db()
