"""The report of a version as a PDF: totals, traffic light, findings by role with their money, what was not checked.

Bounded: the findings with most money of each role, the dearest sections, and how many there are besides. Set by Typst.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from django.db.models import Count, Q, Sum
from django.utils import timezone

from ..audit.registry import all_rules
from ..exports.source import ExportError
from ..models import (
    AuditRecord,
    AuditRun,
    BudgetVersion,
    Document,
    Finding,
    FindingOverride,
    Position,
    Project,
    Verdict,
)
from ..models.budget import SECTION_SEPARATOR
from ..models.findings import FindingGrade, Grade, Role

PAGE = Path(__file__).resolve().parents[1] / "typesetting" / "budget.typ"
Report = Callable[[int, int, str], None]
FINDINGS_SHOWN = 12  # of each role
SECTIONS_SHOWN = 15
OBJECTS_SHOWN = 30
RULES_SHOWN = 60
LONGEST_TEXT = 400
_WORDS = {
    Grade.GREEN: "green", Grade.AMBER: "amber", Grade.RED: "red", Grade.NOT_CHECKED: "not checked",
}  # fmt: skip


def write_pdf(*, path: Path, project: Project, version: int, report: Report) -> dict[str, Any]:
    """Raises ExportError. What the report says is of the moment it is written; its audit is named in it."""
    report(0, 2, "Gathering what the report says")
    content = content_of(project=project, version=version)
    report(1, 2, "Setting the pages")
    pdf = pdf_of(content)
    if not pdf.startswith(b"%PDF-"):
        raise ExportError("The pages could not be set. Please report it.", code="not_set")
    path.write_bytes(pdf)
    return {
        "positions": content["positions_count"], "total": content["total_plain"], "audited": content["is_audited"],
        "findings": content["findings_count"], "findings_shown": content["findings_shown"],
    }  # fmt: skip


def pdf_of(content: dict[str, Any]) -> bytes:
    """All text is data to the typesetter, whatever it looks like."""
    import typst  # 60 MB of it, which only the process that sets a page shall hold

    pdf = typst.compile(str(PAGE), format="pdf", sys_inputs={"budget": orjson.dumps(content).decode()})
    assert isinstance(pdf, bytes)
    return pdf


def content_of(*, project: Project, version: int) -> dict[str, Any]:
    """As projects/typesetting/budget.typ takes it. A fixed number of queries, whatever the budget's size."""
    row = BudgetVersion.objects.get(project=project, number=version)
    audit = AuditRun.objects.filter(project=project, version_number=version).order_by("-finished_at").first()
    is_audited = audit is not None and project.version_number == version
    rows = Position.objects.filter(project=project).of_version(version)
    money = _Money(project.currency)
    now = timezone.now()
    findings = _findings(project, money) if is_audited else {"roles": [], "count": 0, "shown": 0}
    return {
        "title": project.name,
        "facts": _facts(project, row, audit),
        "total": money(row.total_cost),
        "total_plain": str(row.total_cost),
        "positions_count": row.total_positions,
        "is_audited": is_audited,
        "why_not_audited": _why_not(project, version, audit),
        "grades": _grades(rows) if is_audited else [],
        "at_stake": money(audit.money_at_stake) if is_audited and audit else "",
        "roles": findings["roles"],
        "findings_count": findings["count"],
        "findings_shown": findings["shown"],
        "sections": _sections(rows, money),
        "objects": _objects(rows, money),
        "not_checked": _not_checked(audit) if is_audited else [],
        "certificate": _certificate(audit, project) if audit is not None and is_audited else [],
        "footer": f"Plumbline · version {version} · as of {now:%d %B %Y, %H:%M} UTC",
    }


class _Money:
    def __init__(self, currency: str) -> None:
        self._currency = currency

    def __call__(self, amount: Decimal | None) -> str:
        figures = f"{amount or Decimal(0):,.2f}".replace(",", "\u202f")
        return f"{figures} {self._currency}".strip()


def _facts(project: Project, row: BudgetVersion, audit: AuditRun | None) -> list[list[str]]:
    names = Document.objects.filter(project=project, parse_status=Document.ParseStatus.COMPLETED)
    files = [f"{d.original_filename} (SHA-256 {d.sha256[:16]}…)" for d in names.order_by("-created_at")[:5]]
    found = [
        ["Version", f"{row.number} of {project.version_number}, {row.created_at:%d %B %Y, %H:%M} UTC"],
        ["Positions", f"{row.total_positions:,}".replace(",", "\u202f")],
        ["Budget date", f"{project.budget_on:%d %B %Y}" if project.budget_on else ""],
        ["Catalogue", f"{project.catalogue} {project.catalogue_edition}".strip()],
        ["Audited", f"{audit.finished_at:%d %B %Y, %H:%M} UTC" if audit else ""],
        ["Files", ", ".join(files)],
    ]
    return [each for each in found if each[1]]


def _why_not(project: Project, version: int, audit: AuditRun | None) -> str:
    if project.version_number != version:
        return "Findings are kept of the current version; this is an earlier one. Its totals stand, its audit does not."
    return "" if audit else "This version has not been audited: nothing in it is known to be right."


def _grades(rows: Any) -> list[dict[str, Any]]:
    counts = dict(rows.order_by().values_list("verdict__grade").annotate(many=Count("id")))
    counts[Grade.NOT_CHECKED.value] = counts.get(Grade.NOT_CHECKED.value, 0) + counts.pop(None, 0)
    whole = sum(counts.values()) or 1
    return [
        {
            "kind": grade.value, "words": _WORDS[grade], "count": counts.get(grade.value, 0),
            "share": counts.get(grade.value, 0) / whole,
        }
        for grade in (Grade.RED, Grade.AMBER, Grade.NOT_CHECKED, Grade.GREEN)
    ]  # fmt: skip


def _findings(project: Project, money: _Money) -> dict[str, Any]:
    """Open red and amber ones by role, the dearest first; how many there are besides is said."""
    told = Finding.objects.of_current_positions(project.pk).open()
    graded = told.filter(grade__in=[FindingGrade.RED, FindingGrade.AMBER])
    sums = {
        row["role"]: row
        for row in graded.order_by().values("role").annotate(
            red=Count("id", filter=Q(grade=FindingGrade.RED)), many=Count("id"), stake=Sum("money_at_stake")
        )
    }  # fmt: skip
    titles = {rule.id: rule.title for rule in all_rules()}
    roles, shown = [], 0
    for role in Role:
        if role.value not in sums:
            continue
        row = sums[role.value]
        found = graded.filter(role=role).select_related("position").order_by("-money_at_stake", "id")[:FINDINGS_SHOWN]
        listed = [_finding(finding, titles, money) for finding in found]
        shown += len(listed)
        roles.append(
            {
                "name": role.label, "red": row["red"], "amber": row["many"] - row["red"], "stake": money(row["stake"]),
                "findings": listed, "left": row["many"] - len(listed),
            }
        )  # fmt: skip
    return {"roles": roles, "count": sum(row["many"] for row in sums.values()), "shown": shown}


def _finding(finding: Finding, titles: dict[str, str], money: _Money) -> dict[str, Any]:
    position = finding.position
    where = "The whole budget"
    if position is not None:
        where = " · ".join(part for part in (position.object_code, position.number, position.code) if part)
    suggestion = finding.suggestion or {}
    return {
        "rule": finding.rule_id,
        "title": titles.get(finding.rule_id, ""),
        "kind": finding.grade,
        "where": where,
        "text": _short(position.description) if position else "",
        "reason": _short(finding.reasoning),
        "action": _short(str(suggestion.get("action", ""))),
        "stake": money(finding.money_at_stake) if finding.money_at_stake else "",
    }


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST_TEXT else plain[: LONGEST_TEXT - 1] + "…"


def _sections(rows: Any, money: _Money) -> dict[str, Any]:
    """The dearest innermost sections as bars."""
    found = [row for row in rows.sections() if row["cost"]]
    found.sort(key=lambda row: -abs(row["cost"]))
    most = abs(found[0]["cost"]) if found else Decimal(1)
    listed = [
        {
            "name": _short(" · ".join(part for part in (row["object_code"], _last(row["section"])) if part) or "–"),
            "share": float(max(row["cost"], Decimal(0)) / most),
            "shown": money(row["cost"]),
        }
        for row in found[:SECTIONS_SHOWN]
    ]
    rest = sum((row["cost"] for row in found[SECTIONS_SHOWN:]), Decimal(0))
    return {"rows": listed, "left": max(0, len(found) - SECTIONS_SHOWN), "left_cost": money(rest)}


def _last(section: str) -> str:
    return section.rsplit(SECTION_SEPARATOR, 1)[-1]


def _objects(rows: Any, money: _Money) -> dict[str, Any]:
    counted = ~Q(billing__in=Position.UNCOUNTED_BILLINGS)
    found = list(
        rows.order_by().values("object_code").annotate(
            many=Count("id"), cost=Sum("total", filter=counted, default=0)
        ).order_by("-cost", "object_code")
    )  # fmt: skip
    listed = [[row["object_code"] or "–", f"{row['many']:,}", money(row["cost"])] for row in found[:OBJECTS_SHOWN]]
    return {"rows": listed, "left": max(0, len(found) - OBJECTS_SHOWN)}


def _not_checked(audit: AuditRun | None) -> list[list[str]]:
    if audit is None:
        return []
    return [[str(part) for part in rule[:3]] for rule in audit.not_checked_rules[:RULES_SHOWN]]


def _certificate(audit: AuditRun, project: Project) -> list[list[str]]:
    decided = FindingOverride.objects.filter(project=project, withdrawn_at__isnull=True)
    verdicts = Verdict.objects.filter(project=project, version_number=audit.version_number).count()
    lines = [
        ["Rules that ran", str(len(audit.rules))],
        ["Findings decided on by people", str(decided.count())],
        ["Verdicts of this audit", f"{verdicts:,}"],
        ["SHA-256 of what the rules read", audit.inputs_sha256],
        ["SHA-256 of the certificate", _certified(audit)],
    ]
    return [line for line in lines if line[1]]


def _certified(audit: AuditRun) -> str:
    """Of the certificate's content, as the audit's page names it; a report can be made before one is asked for."""
    record = AuditRecord.objects.filter(run=audit).exclude(certificate="").only("certificate_sha256").first()
    return record.certificate_sha256 if record else "not made yet: ask for it on the audit's page"
