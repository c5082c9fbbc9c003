"""What happened in a project, newest first: who changed what, and why. Read from what each change left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.urls import reverse

from accounts.models import User

from ..exceptions import Refused
from ..models import AuditRun, BudgetVersion, ChatMessage, Document, FindingOverride, Position, Project, ProjectExport

PAGE = 50
# Of each kind no more rows are read than a page has: (kind, table, when, who, key, condition).
BRANCHES = (
    ("version", "projects_budgetversion", "created_at", "created_by_id", "id", "true"),
    ("decision", "projects_findingoverride", "at", "by_id", "id", "true"),
    ("withdrawal", "projects_findingoverride", "withdrawn_at", "by_id", "id", "withdrawn_at IS NOT NULL"),
    ("document", "projects_document", "created_at", "uploaded_by_id", "id", "true"),
    ("audit", "projects_auditrun", "finished_at", "NULL::uuid", "id", "true"),
    ("export", "projects_projectexport", "created_at", "created_by_id", "id", "true"),
    ("proposal", "projects_chatmessage", "decided_at", "decided_by_id", "id", "decided_at IS NOT NULL"),
)
KINDS = {
    "version": "Changes of the budget",
    "decision": "Decisions on findings",
    "withdrawal": "Decisions withdrawn",
    "document": "Documents",
    "audit": "Audits",
    "export": "Exports",
    "proposal": "Proposals of the chat",
}


@dataclass(slots=True)
class Happening:
    """One entry. `what` in a line, `why` as the person gave it, `url` of what it is about ("" if that is gone)."""

    kind: str
    at: datetime
    key: str
    actor: str
    what: str = ""
    why: str = ""
    url: str = ""
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def cursor(self) -> str:
        return f"{self.at.isoformat()}~{self.kind}~{self.key}"


def timeline(
    *, project: Project, kind: str = "", actor_id: UUID | None = None, before: str = "", limit: int = PAGE
) -> tuple[list[Happening], str]:
    """A page, and the cursor of the next one ("": that was all). The caller has checked who may see the project.

    Raises Refused("bad_cursor" | "bad_kind").
    """
    if kind and kind not in KINDS:
        raise Refused(f"`kind` is one of {', '.join(KINDS)}.", code="bad_kind")
    rows = _rows(project, kind, actor_id, _read_cursor(before), limit + 1)
    names = _names({row[2] for row in rows[:limit]})
    listed = [Happening(row[0], row[1], row[3], names.get(row[2], "")) for row in rows[:limit]]
    for told in KINDS:
        mine = {happening.key: happening for happening in listed if happening.kind == told}
        if mine:
            _TELLERS[told](project, mine)
    return listed, listed[-1].cursor if len(rows) > limit else ""


def actors_of(project: Project) -> list[tuple[UUID, str]]:
    """(id, name) of all who changed anything, by name. One query."""
    parts = [
        f"SELECT {who} AS who FROM {table} WHERE project_id = %(project)s AND {who} IS NOT NULL"
        for _, table, _, who, _, _ in BRANCHES
        if not who.startswith("NULL")
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ".join(parts), {"project": project.pk})
        ids = {row[0] for row in cursor.fetchall()}
    return sorted(_names(ids).items(), key=lambda pair: pair[1].casefold())


def _rows(project: Project, kind: str, actor_id: UUID | None, before: Any, limit: int) -> list[tuple[Any, ...]]:
    told = {"project": project.pk, "actor": actor_id, "limit": limit}
    if before:
        told |= {"at": before[0], "key": before[2]}
    parts = []
    for name, table, at, who, key, condition in BRANCHES:
        if kind in ("", name):
            mine = f" AND {who} = %(actor)s" if actor_id is not None else ""
            known = f" AND {_after(before[1], name, at, key)}" if before else ""
            parts.append(
                f"(SELECT '{name}' AS kind, {at} AS at, {who} AS who, {key}::text AS key FROM {table} "
                f"WHERE project_id = %(project)s AND {condition}{mine}{known} ORDER BY {at} DESC, {key}::text DESC "
                "LIMIT %(limit)s)"
            )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT kind, at, who, key FROM ({' UNION ALL '.join(parts)}) happened "
            "ORDER BY at DESC, kind DESC, key DESC LIMIT %(limit)s",
            told,
        )
        return list(cursor.fetchall())


def _after(cursor: str, kind: str, at: str, key: str) -> str:
    """Condition of what comes after the cursor in a branch: of one moment there may be more rows than a page has."""
    if kind == cursor:
        return f"({at}, {key}::text) < (%(at)s, %(key)s)"
    return f"{at} {'<=' if kind < cursor else '<'} %(at)s"


def _read_cursor(text: str) -> tuple[datetime, str, str] | None:
    if not text:
        return None
    parts = text.split("~")
    try:
        at = datetime.fromisoformat(parts[0])
        if len(parts) != 3 or parts[1] not in KINDS or at.tzinfo is None or "\x00" in text:
            raise ValueError
    except ValueError:
        raise Refused("`before` is not a cursor that was told. Begin again without it.", code="bad_cursor") from None
    return at, parts[1], parts[2]


def _names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    people = User.objects.filter(pk__in={each for each in ids if each is not None})
    return {person.pk: person.get_full_name() or person.email for person in people}


# --- what each kind says of itself: one query a kind ------------------------------------------------------------------


def _versions(project: Project, mine: dict[str, Happening]) -> None:
    for version in BudgetVersion.objects.filter(pk__in=mine).defer("changes"):
        told = mine[str(version.pk)]
        counts = ", ".join(f"{count} {word}" for word, count in version.summary.items() if count)
        told.what = f"Version {version.number}: {version.get_trigger_display().lower()}" + (
            f" ({counts})" * bool(counts)
        )
        told.why = str(version.trigger_details.get("reason") or "")
        told.url = reverse("projects:version", args=[project.pk, version.number])
        told.figures = {"version": version.number, "delta_cost": version.delta_cost, "total_cost": version.total_cost}


def _decisions(project: Project, mine: dict[str, Happening]) -> None:
    rows = list(FindingOverride.objects.filter(pk__in=mine))
    numbers = _numbers(project, {row.lineage for row in rows})
    for row in rows:
        told = mine[str(row.pk)]
        of = numbers.get(row.lineage)
        words = row.get_decision_display().partition(":")[0].lower()
        withdrawn = told.kind == "withdrawal"
        told.what = f"{row.rule_id} {'no longer ' if withdrawn else ''}{words}" + (f" on position {of}" if of else "")
        told.why = "" if withdrawn else row.reason
        told.url = reverse("projects:position", args=[project.pk, row.lineage]) if of is not None else ""
        told.figures = {"rule": row.rule_id, "lineage": str(row.lineage)}


def _numbers(project: Project, lineages: set[UUID]) -> dict[UUID, str]:
    rows = Position.objects.filter(project=project, lineage__in=lineages, removed_in__isnull=True)
    return {lineage: number or description[:40] for lineage, number, description in rows.values_list(
        "lineage", "number", "description"
    )}  # fmt: skip


def _documents(project: Project, mine: dict[str, Happening]) -> None:
    rows = Document.objects.filter(pk__in=mine).defer("indexed_content", "extracted_data")
    for document in rows:
        told = mine[str(document.pk)]
        told.what = f"{document.original_filename} was uploaded ({document.get_parse_status_display().lower()})"
        told.why = document.parse_error
        told.url = reverse("projects:documents", args=[project.pk])
        told.figures = {"document": str(document.pk), "size": document.size}


def _audits(project: Project, mine: dict[str, Happening]) -> None:
    for run in AuditRun.objects.filter(pk__in=mine).only("version_number", "counts", "money_at_stake"):
        told = mine[str(run.pk)]
        words = {"red": "red", "amber": "amber", "green": "green", "not_checked": "not checked"}
        counts = ", ".join(f"{run.counts[key]} {word}" for key, word in words.items() if run.counts.get(key))
        told.what = f"Version {run.version_number} was audited: {counts or 'no positions'}"
        told.url = reverse("projects:audit", args=[project.pk])
        told.figures = {"version": run.version_number, "money_at_stake": run.money_at_stake, "counts": run.counts}


def _exports(project: Project, mine: dict[str, Happening]) -> None:
    for export in ProjectExport.objects.filter(pk__in=mine):
        told = mine[str(export.pk)]
        told.what = f"{export} ({export.get_status_display().lower()})"
        told.why = export.error
        told.figures = {"version": export.version_number, "export": str(export.pk)}


def _proposals(project: Project, mine: dict[str, Happening]) -> None:
    for message in ChatMessage.objects.filter(pk__in=mine).select_related("question"):
        told = mine[str(message.pk)]
        into = f" as version {message.applied_version}" if message.applied_version else ""
        told.what = f"A proposal of the chat was {message.get_proposal_display().lower()}{into}"
        told.why = (message.question.message if message.question else "")[:200]
        told.figures = {"version": message.applied_version}
        if message.applied_version:
            told.url = reverse("projects:version", args=[project.pk, message.applied_version])


_TELLERS: dict[str, Callable[[Project, dict[str, Happening]], None]] = {
    "version": _versions,
    "decision": _decisions,
    "withdrawal": _decisions,
    "document": _documents,
    "audit": _audits,
    "export": _exports,
    "proposal": _proposals,
}
