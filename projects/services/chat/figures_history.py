"""Computed answers about versions and documents."""

from __future__ import annotations

from typing import Any

from ...models import BudgetVersion, Document, Project
from .phrases import money, number, say, signed, words
from .reply import COMPUTED, Citation, Reply, Table, cite_document, cite_version
from .understanding import Intent

LISTED = 20
FIELDS = {
    "quantity": "Quantity",
    "unit_price": "Unit price",
    "total": "Total",
    "description": "Description",
    "unit": "Unit",
}


def cited_version(project: Project, wanted: int) -> list[Citation]:
    version = BudgetVersion.objects.filter(project=project, number=wanted).defer("changes").first()
    return [cite_version(version)] if version else []


def changes(project: Project, intent: Intent, language: str) -> Reply:
    """What a version did, as it was recorded when it was made."""
    wanted = intent.number if intent.number is not None else project.version_number
    version = BudgetVersion.objects.filter(project=project, number=wanted).first()
    if version is None:
        text = say(language, "no_version", number=wanted, version=project.version_number)
        return Reply(text, COMPUTED, how="the project’s versions")
    counts = {name: number(language, int(version.summary.get(name, 0))) for name in ("added", "removed", "modified")}
    text = say(
        language, "changes", number=version.number, trigger=version.get_trigger_display(),
        delta=signed(language, version.delta_cost, project.currency),
        total=money(language, version.total_cost, project.currency), **counts,
    )  # fmt: skip
    rows = [_row(change, language) for change in version.changes[:LISTED]]
    table = Table(words(language, "Number", "Description", "Change", "Before", "After"), rows) if rows else None
    effects = ", ".join(
        f"{name} {signed(language, getattr(version, f'delta_{name}'))}"
        for name in ("quantity", "price", "scope", "rounding")
    )
    how = f"recorded with version {version.number}; its delta by effect: {effects}"
    if len(version.changes) > len(rows):
        how += f"; {len(rows)} changes listed, the most money first"
    return Reply(text, COMPUTED, [cite_version(version)], how, table)


def _row(change: dict[str, Any], language: str) -> list[str]:
    before, after = change.get("before") or {}, change.get("after") or {}
    if change["change"] == "modified":
        names = [name for name in FIELDS if name in before or name in after]
        sides = [
            ", ".join(f"{words(language, FIELDS[n])[0]}: {_plain(side.get(n))}" for n in names)
            for side in (before, after)
        ]
    else:
        sides = [f"{_plain(side.get('total'))}" if side else "–" for side in (before, after)]
    return [str(change.get("number", "")), str(change.get("description", ""))[:160], change["change"], *sides]


def _plain(value: Any) -> str:
    if value in (None, ""):
        return "–"
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text and text.replace(".", "").lstrip("-").isdigit() else text[:120]


def documents(project: Project, intent: Intent, language: str) -> Reply:
    found = Document.objects.filter(project=project).defer("indexed_content", "extracted_data").order_by("created_at")
    count, shown = found.count(), list(found[:LISTED])
    rows = [[each.original_filename, each.get_kind_display(), each.get_parse_status_display()] for each in shown]
    table = Table(words(language, "Document", "Kind", "State"), rows) if rows else None
    text = say(language, "documents", count=number(language, count))
    return Reply(text, COMPUTED, [cite_document(each) for each in shown], "the project’s documents", table)
