"""Storing what an audit said: verdicts and findings by COPY, the project's counts in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.utils import timezone

from ..audit.findings import AuditFinding, AuditResult, Override
from ..audit.known import Reaudit
from ..audit.registry import all_rules
from ..audit.stored import evidence_of, suggestion_of
from ..audit.view import BudgetView
from ..models import AuditRun, FindingOverride, Position, Project
from .audit_view import standing_overrides
from .counting import COUNTED, by_grade, current_counts
from .grading import regrade

BLOCK = 2000
VERDICTS = "position_id, project_id, version_number, grade, confidence, money_at_stake, roles, not_checked"
FINDINGS = (
    "project_id, position_id, version_number, role, rule_id, rule_version, grade, confidence, reasoning, evidence,"
    " money_at_stake, suggestion, subject, demand, conflicting, resolution, override_id"
)
CURRENT = "(SELECT id FROM projects_position WHERE project_id = %s AND removed_in IS NULL)"


def replace_results(
    *, project: Project, view: BudgetView, result: AuditResult, run: AuditRun, decisions: Sequence[Override]
) -> None:
    """In the caller's transaction, under the project's lock: drop what was said of the current positions, store what is
    said now. Verdicts and findings of rows that left the budget stay as history.

    `decisions` are those the audit knew of; positions decided on since are graded anew."""
    project_id = project.pk
    decided = _override_ids(project_id)  # before COPY: the connection answers no query during one
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM projects_verdict WHERE position_id IN {CURRENT}", [project_id])
        cursor.execute(
            "UPDATE projects_finding SET conflicts_with_id = NULL"
            f" WHERE project_id = %s AND conflicts_with_id IS NOT NULL AND position_id IN {CURRENT}",
            [project_id, project_id],
        )
        cursor.execute(
            f"DELETE FROM projects_finding WHERE project_id = %s AND (position_id IS NULL OR position_id IN {CURRENT})",
            [project_id, project_id],
        )
        _copy(cursor, "projects_verdict", VERDICTS, _verdict_rows(run, view, result))
        _copy(cursor, "projects_finding", FINDINGS, _finding_rows(run, view, result, decided))
        _copy(cursor, "projects_finding", FINDINGS, _not_checked_rows(run, view, result))
    _link_conflicts(view=view, result=result, project_id=project_id)
    _regrade_decided_since(project_id=project_id, known=decisions)
    counts = current_counts(project_id=project_id)
    run.positions = run.audited_positions = len(result.verdicts)
    run.rule_hits = dict(result.hits_by_rule)
    _record(run=run, result=result, counts=counts)
    _count(project=project, run=run, counts=counts)


def replace_some_results(*, project: Project, outcome: Reaudit, run: AuditRun, decisions: Sequence[Override]) -> None:
    """As `replace_results`, of the positions that were asked anew and of the budget as a whole; the rest stands.

    The project's counts are right when this begins (whoever changes what they count keeps them), so they are moved by
    what changed, not counted over all positions.
    """
    view, project_id = outcome.view, project.pk
    keys = [int(key) for key in outcome.keys]
    decided = _override_ids(project_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM projects_verdict WHERE position_id = ANY(%s) RETURNING grade, money_at_stake", [keys]
        )
        earlier = cursor.fetchall()
        said = "project_id = %(project)s AND (position_id IS NULL OR position_id = ANY(%(keys)s))"
        values: dict[str, Any] = {"project": project_id, "keys": keys}
        cursor.execute(
            f"UPDATE projects_finding SET conflicts_with_id = NULL WHERE conflicts_with_id IS NOT NULL AND {said}",
            values,
        )
        cursor.execute(f"DELETE FROM projects_finding WHERE {said}", values)
        _copy(cursor, "projects_verdict", VERDICTS, _verdict_rows(run, view, outcome))
        _copy(cursor, "projects_finding", FINDINGS, _finding_rows(run, view, outcome, decided))
        _copy(cursor, "projects_finding", FINDINGS, _not_checked_rows(run, view, outcome))
    _link_conflicts(view=view, result=outcome, project_id=project_id)
    is_as_asked = not _regrade_decided_since(project_id=project_id, known=decisions)
    counts = _moved_counts(project, earlier, outcome) if is_as_asked else current_counts(project_id=project_id)
    run.positions, run.audited_positions = outcome.known.facts.positions, len(outcome.verdicts)
    run.rule_hits = dict(outcome.known.rule_hits)
    _record(run=run, result=outcome, counts=counts)
    _count(project=project, run=run, counts=counts)


def _moved_counts(project: Project, earlier: list[tuple[str, Any]], outcome: Reaudit) -> dict[str, Any]:
    """The project's counts without these verdicts, and with the new ones in their place."""
    counts = {name: getattr(project, name) for name in COUNTED}
    counts["count_not_checked"] -= len(outcome.verdicts) - len(earlier)  # those without a verdict count as that
    for grade, money in earlier:
        counts[f"count_{grade}"] -= 1
        counts["money_at_stake"] -= money
    for verdict in outcome.verdicts:
        counts[f"count_{verdict.grade.value}"] += 1
        counts["money_at_stake"] += verdict.money_at_stake
    return counts


def _regrade_decided_since(*, project_id: UUID, known: Sequence[Override]) -> bool:
    """A person who decides while an audit runs must not find the position graded as if nothing had been said. Returns
    whether anybody did."""
    now = standing_overrides(project_id=project_id)
    changed = {decision.position_identity for decision in set(known) ^ set(now)}
    if changed:
        rows = Position.objects.filter(project_id=project_id, removed_in__isnull=True, lineage__in=changed)
        regrade(position_ids=rows.values_list("pk", flat=True))
    return bool(changed)


def _copy(cursor: Any, table: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _verdict_rows(run: AuditRun, view: BudgetView, result: AuditResult | Reaudit) -> Iterator[tuple[Any, ...]]:
    project_id, number = str(run.project_id), run.version_number
    roles_json: dict[tuple[tuple[str, str], ...], str] = {}
    for verdict in result.verdicts:
        key = tuple(verdict.roles.items())
        roles = roles_json.get(key)
        if roles is None:
            roles = roles_json[key] = orjson.dumps(verdict.roles).decode()
        yield (
            view.positions[verdict.index].key,
            project_id,
            number,
            verdict.grade.value,
            verdict.confidence,
            verdict.money_at_stake,
            roles,
            orjson.dumps(verdict.not_checked).decode(),
        )


def _finding_rows(
    run: AuditRun, view: BudgetView, result: AuditResult | Reaudit, decided: dict[tuple[str, str], int]
) -> Iterator[tuple[Any, ...]]:
    project_id, number = str(run.project_id), run.version_number
    for finding in result.findings:
        position = view.positions[finding.index] if finding.index >= 0 else None
        override = decided.get((position.key, finding.rule_id)) if position else None
        yield (
            project_id,
            position.key if position else None,
            number,
            finding.role.value,
            finding.rule_id,
            finding.rule_version,
            finding.grade.value,
            finding.confidence,
            finding.reasoning,
            orjson.dumps(evidence_of(finding, view)).decode(),
            finding.money_at_stake,
            _suggestion(finding),
            finding.subject,
            finding.demand,
            orjson.dumps(finding.conflicts_with).decode(),
            finding.resolution,
            override,
        )


def _not_checked_rows(run: AuditRun, view: BudgetView, result: AuditResult | Reaudit) -> Iterator[tuple[Any, ...]]:
    """What could not be checked is shown beside what was, with its reason."""
    project_id, number = str(run.project_id), run.version_number
    roles = {rule.id: rule.role.value for rule in all_rules()}
    for gap in result.not_checked:
        key, version = view.positions[gap.index].key, result.rules[gap.rule_id]
        yield (
            project_id, key, number, roles[gap.rule_id], gap.rule_id, version, "not_checked", 0, gap.reason, "{}", 0,
            None, "", "", "[]", "", None,
        )  # fmt: skip


def _suggestion(finding: AuditFinding) -> str | None:
    said = suggestion_of(finding)
    return None if said is None else orjson.dumps(said).decode()


def _override_ids(project_id: UUID) -> dict[tuple[str, str], int]:
    """Standing decisions by (position row, rule), where the content is what was decided on."""
    decisions = FindingOverride.objects.filter(project_id=project_id, withdrawn_at__isnull=True)
    by_lineage = {(o.lineage, o.content_hash, o.rule_id): o.pk for o in decisions}
    lineages = {lineage for lineage, _, _ in by_lineage}
    rows = Position.objects.filter(project_id=project_id, removed_in__isnull=True, lineage__in=lineages)
    keys = {(lineage, digest): str(pk) for pk, lineage, digest in rows.values_list("pk", "lineage", "content_hash")}
    return {
        (keys[lineage, digest], rule_id): pk
        for (lineage, digest, rule_id), pk in by_lineage.items()
        if (lineage, digest) in keys
    }


def _link_conflicts(*, view: BudgetView, result: AuditResult | Reaudit, project_id: UUID) -> None:
    pairs = [
        (view.positions[finding.index].key, finding.rule_id, finding.conflicts_with[0])
        for finding in result.findings
        if finding.conflicts_with and finding.index >= 0
    ]
    if not pairs:
        return
    keys, rules, others = (list(values) for values in zip(*pairs, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE projects_finding f SET conflicts_with_id = other.id"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS pair(position, rule, other_rule),"
            " projects_finding other WHERE f.project_id = %s AND f.position_id = pair.position"
            " AND f.rule_id = pair.rule AND other.position_id = pair.position AND other.rule_id = pair.other_rule",
            [[int(key) for key in keys], rules, others, project_id],
        )


def _record(*, run: AuditRun, result: AuditResult | Reaudit, counts: dict[str, Any]) -> None:
    run.finished_at = timezone.now()
    run.counts = by_grade(counts)
    run.inputs_sha256 = result.inputs_sha256
    run.money_at_stake = counts["money_at_stake"]
    run.rules = dict(result.rules)
    run.not_checked_rules = [[row.rule_id, row.title, row.reason] for row in result.not_checked_rules]
    run.thresholds = {name: str(value) for name, value in result.thresholds.items()}
    run.save(force_insert=True)


def _count(*, project: Project, run: AuditRun, counts: dict[str, Any]) -> None:
    """The project's aggregates, of the version that was audited, which is the current one under the lock."""
    now = timezone.now()
    Project.objects.filter(pk=project.pk).update(
        audited_version=run.version_number,
        **counts,
        progress=100,
        completed_at=now,
        updated_at=now,
    )
