"""One position as its page shows it: roles side by side, measure sheet, history. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from ..audit.arithmetic import Problem, evaluate
from ..audit.measure import SheetResult, evaluate_sheet, has_expressions
from ..exceptions import PositionNotFound
from ..models import BudgetVersion, Finding, Position, Project
from ..models.findings import FindingGrade, Role
from ..parsers.bill import MeasureLine
from ..services.rows import measure_lines
from .rules import rule_source, rule_title

COMPARED = ("number", "code", "description", "unit", "quantity", "unit_price", "total", "kind", "billing", "category")
SHEET_TOLERANCE = Decimal("0.0015")  # absolute, and this share of the quantity: as the audit compares sheets
SHEET_SHARE = Decimal("0.0001")
HIDDEN_EVIDENCE = ("related_positions", "precision")


@dataclass(frozen=True, slots=True)
class ShownFinding:
    finding: Finding
    title: str
    source: str
    evidence: list[tuple[str, str]]
    related: list[dict[str, Any]]
    is_decidable: bool

    @property
    def precision(self) -> str:
        return str(self.finding.evidence.get("precision", ""))


@dataclass(frozen=True, slots=True)
class RoleColumn:
    """What one role says. `grade` "" where no rule of the role applies to the position."""

    role: str
    label: str
    grade: str
    findings: list[ShownFinding] = field(default_factory=list)
    gaps: list[ShownFinding] = field(default_factory=list)  # rules that applied but could not run


@dataclass(frozen=True, slots=True)
class ShownLine:
    line: MeasureLine
    value: Decimal | None
    problem: str


@dataclass(frozen=True, slots=True)
class Sheet:
    lines: list[ShownLine]
    result: SheetResult | None
    agrees: bool | None  # with the quantity; None where it could not be evaluated
    value: Decimal | None  # the reading nearest to the quantity


@dataclass(frozen=True, slots=True)
class Chapter:
    """One entry of a lineage's history."""

    number: int
    version: BudgetVersion | None
    what: str  # "added" | "changed" | "deleted"
    changes: list[tuple[str, Any, Any]]
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """All rows of one position, oldest first, and the one that is shown."""

    row: Position
    rows: list[Position]
    is_current: bool

    @property
    def deleted_in(self) -> int | None:
        return self.rows[-1].removed_in


def lineage_of(project: Project, lineage: UUID, number: int | None) -> Lineage:
    """The row live in version `number`; None: the current one, or the last there was. Raises PositionNotFound."""
    found = Position.objects.filter(project=project, lineage=lineage).select_related("document", "verdict")
    rows = list(found.order_by("added_in", "pk"))
    if number is not None:
        live = [row for row in rows if row.added_in <= number and (row.removed_in is None or row.removed_in > number)]
    else:
        live = rows[-1:]
    if not live:
        raise PositionNotFound("There is no such position in this version of the budget.")
    return Lineage(live[-1], rows, live[-1].removed_in is None)


def columns_of(row: Position) -> list[RoleColumn]:
    """The six roles in their order, each with its grade and findings. Two queries."""
    found = Finding.objects.filter(position=row).select_related("override__by", "conflicts_with")
    findings = list(found.order_by("-money_at_stake", "rule_id", "pk"))
    lineages = _lineages_of_related(findings)
    verdict = getattr(row, "verdict", None)
    grades = verdict.roles if verdict else {}
    columns = {role.value: RoleColumn(role.value, role.label, grades.get(role.value, "")) for role in Role}
    for finding in findings:
        shown = _shown(finding, lineages)
        column = columns[finding.role]
        (column.gaps if finding.grade == FindingGrade.NOT_CHECKED else column.findings).append(shown)
    return list(columns.values())


def _shown(finding: Finding, lineages: dict[int, Position]) -> ShownFinding:
    related = [lineages[key] for key in _related_keys(finding) if key in lineages]
    return ShownFinding(
        finding,
        rule_title(finding.rule_id),
        rule_source(finding.rule_id),
        [(_word(name), _value(value)) for name, value in finding.evidence.items() if name not in HIDDEN_EVIDENCE],
        [{"lineage": other.lineage, "number": other.number, "description": other.description} for other in related],
        finding.grade in (FindingGrade.RED, FindingGrade.AMBER),
    )


def _related_keys(finding: Finding) -> list[int]:
    rows = finding.evidence.get("related_positions") or []
    return [int(row["key"]) for row in rows if str(row.get("key", "")).isdigit()]


def _lineages_of_related(findings: list[Finding]) -> dict[int, Position]:
    keys = {key for finding in findings for key in _related_keys(finding)}
    return Position.objects.only("lineage", "number", "description").in_bulk(keys)


def _word(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _value(value: Any) -> str:
    """Evidence is JSON of any shape: told on one line."""
    if isinstance(value, dict):
        return "; ".join(f"{_word(str(name))}: {_value(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_value(inner) for inner in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None or value == "" else str(value)


def sheet_of(row: Position) -> Sheet | None:
    """The measure sheet line by line, evaluated anew. Figures of other positions are not known here."""
    lines = measure_lines(row.measure)
    if not lines:
        return None
    figures = {line.figure: line.value for line in lines if line.figure and line.value is not None}
    shown = [_evaluated(line, figures) for line in lines]
    if not has_expressions(lines):
        return Sheet(shown, None, None, None)
    result = evaluate_sheet(lines, figures)
    if row.quantity is None or not result.candidates:
        return Sheet(shown, result, None, result.candidates[0] if result.candidates else None)
    quantity = row.quantity
    value = min(result.candidates, key=lambda candidate: abs(candidate - quantity))
    agrees = abs(value - quantity) <= SHEET_TOLERANCE + abs(quantity) * SHEET_SHARE
    return Sheet(shown, result, agrees, value)


def _evaluated(line: MeasureLine, figures: dict[str, Decimal]) -> ShownLine:
    if line.kind != "expression":
        return ShownLine(line, line.value, "")
    value = evaluate(line.text, figures)
    if isinstance(value, Problem):
        return ShownLine(line, None, value.reason)
    return ShownLine(line, value, "")


def history_of(lineage: Lineage, project: Project) -> list[Chapter]:
    """Newest first: when the position was added, what each edit changed, when it was deleted. One query."""
    numbers = {row.added_in for row in lineage.rows} | {row.removed_in for row in lineage.rows if row.removed_in}
    found = BudgetVersion.objects.filter(Q(project=project), number__in=numbers).select_related("created_by")
    versions = {version.number: version for version in found.defer("changes", "summary")}
    chapters = []
    before: Position | None = None
    for row in lineage.rows:
        returned = before is not None and before.removed_in != row.added_in
        if returned and before is not None and before.removed_in is not None:
            chapters.append(Chapter(before.removed_in, versions.get(before.removed_in), "deleted", []))
        what = "added" if before is None else "restored" if returned else "changed"
        changes = _differences(before, row) if before is not None else []
        chapters.append(Chapter(row.added_in, versions.get(row.added_in), what, changes, row.pk == lineage.row.pk))
        before = row
    if lineage.deleted_in is not None:
        chapters.append(Chapter(lineage.deleted_in, versions.get(lineage.deleted_in), "deleted", []))
    return chapters[::-1]


def _differences(before: Position, after: Position) -> list[tuple[str, Any, Any]]:
    pairs = [(name, shown_value(before, name), shown_value(after, name)) for name in COMPARED]
    return [(_word(name), old, new) for name, old, new in pairs if old != new]


def shown_value(row: Position, name: str) -> Any:
    value = getattr(row, name)
    if name in ("kind", "billing"):
        return getattr(row, f"get_{name}_display")()
    return "" if value is None else value
