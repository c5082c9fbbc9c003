"""Computed answers about what the audit found."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Sum

from ...audit.registry import all_rules
from ...models import Finding, Project, Verdict
from ...querysets import FindingQuerySet
from .phrases import money, number, say, word, words
from .reply import COMPUTED, Reply, Table, cite_finding, cite_position
from .scope import narrowed, not_alone, position_or_reply
from .understanding import Intent

LISTED = 20
ORDER = ("-money_at_stake", "id")


def findings(project: Project, intent: Intent, language: str) -> Reply:
    """Open ones, most money at stake first; of a grade, a section, with words. Green ones do not exist: a green
    position has none."""
    if project.audited_version is None:
        return Reply(say(language, "not_audited"), COMPUTED, how="findings of the newest audit")
    scope = narrowed(project, intent, language)
    if isinstance(scope, Reply):
        return scope
    rows = Finding.objects.of_current_positions(project.pk).open()
    if intent.grade:
        rows = rows.filter(grade=intent.grade)
    else:
        rows = rows.filter(grade__in=["red", "amber"])
    if intent.section or intent.words:
        rows = rows.filter(position__in=scope.rows.values("pk"))
    return _listed(project, rows, intent.grade, scope.where, scope.how, language)


def _listed(project: Project, rows: FindingQuerySet, grade: str, where: str, how: str, language: str) -> Reply:
    count = rows.count()
    touched = rows.filter(position__isnull=False).values("position_id")
    stake = Verdict.objects.filter(position__in=touched).aggregate(sum=Sum("money_at_stake"))["sum"]
    said = f" ({word(language, grade)})" if grade else ""
    text = say(
        language, "findings", count=number(language, count), grade=said, where=where,
        stake=money(language, stake or Decimal(0), project.currency),
    )  # fmt: skip
    shown = list(rows.select_related("position").order_by(*ORDER)[:LISTED])
    what = f"open findings {'of the grade ' + grade if grade else 'that are red or amber'}{how}"
    note = f"{what}, most money at stake first, {len(shown)} listed; money counted once a position"
    return Reply(
        text, COMPUTED, [cite_finding(row) for row in shown], note, _table(shown, project, language) if shown else None,
        remark=_age(project, language),
    )  # fmt: skip


def _table(rows: list[Finding], project: Project, language: str) -> Table:
    cells = [
        [
            row.rule_id,
            word(language, row.grade),
            row.position.number if row.position else "–",
            row.reasoning[:240],
            money(language, row.money_at_stake, project.currency),
        ]
        for row in rows
    ]
    return Table(words(language, "Rule", "Grade", "Position", "Reason", "At stake"), cells, [4])


def _age(project: Project, language: str) -> str:
    if project.is_audited:
        return ""
    return say(language, "audit_is_old", audited=project.audited_version, version=project.version_number)


def rule(project: Project, intent: Intent, language: str) -> Reply:
    """What a rule says, and where it hit."""
    known = next((each for each in all_rules() if each.id == intent.target), None)
    if known is None:
        return Reply(say(language, "no_rule", rule=intent.target), COMPUTED, how="the rules of the audit")
    rows = Finding.objects.of_current_positions(project.pk).filter(rule_id=known.id).select_related("position")
    shown = list(rows.order_by(*ORDER)[:LISTED])
    text = say(language, "rule", rule=known.id, title=known.title, count=number(language, rows.count()))
    how = f"findings of {known.id} on current positions, {len(shown)} listed; the rule’s source: {known.source}"
    table = _table(shown, project, language) if shown else None
    return Reply(text, COMPUTED, [cite_finding(row) for row in shown], how, table, remark=_age(project, language))


def why(project: Project, intent: Intent, language: str) -> Reply:
    """A position's grade, and the findings that it is from."""
    row = position_or_reply(project, intent.target, language)
    if isinstance(row, Reply):
        return row
    if isinstance(row, list):
        return not_alone(project, row, intent.target, language)
    verdict = Verdict.objects.filter(position=row).first()
    if verdict is None:
        return Reply(say(language, "not_audited"), COMPUTED, [cite_position(row)], "the newest audit’s verdict")
    shown = list(Finding.objects.filter(position=row).select_related("position").order_by(*ORDER)[:LISTED])
    text = say(language, "why", number=row.number, grade=word(language, verdict.grade), count=len(shown))
    citations = [cite_position(row), *(cite_finding(each) for each in shown)]
    table = _table(shown, project, language) if shown else None
    return Reply(text, COMPUTED, citations, "the newest audit’s verdict and findings on it", table)
