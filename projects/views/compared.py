"""What an audit compared the budget with, and what it could not check, in words, with where that can be mended."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.urls import reverse

from ..audit.registry import all_rules
from ..models import AuditRun, Project

# What a rule needs -> the page where it is given, and what to do there.
WHERE = {
    "catalogue": ("projects:references", "Choose a price catalogue"),
    "prices": ("projects:references", "Choose a price catalogue"),
    "blank": ("projects:references", "Choose the unpriced file"),
    "file_facts": ("projects:documents", "Have the file read again"),
}
UNDATED = ("projects:settings", "Give the budget its date")


def compared_with(audit: AuditRun | None) -> list[dict[str, Any]]:
    """[{name, value, problem, sha256}] of `AuditRun.references`, as they were then. [] for none."""
    said = audit.references if audit else {}
    found: list[dict[str, Any]] = []
    if catalogue := said.get("catalogue"):
        found.append(_row("Price catalogue", f"{catalogue.get('name', '')} {catalogue.get('edition', '')}".strip()))
    if index := said.get("price_index"):
        reach = " to ".join(_month(index[end]) for end in ("first", "last") if index.get(end))
        found.append(_row("Price index", " · ".join(part for part in (index.get("series", ""), reach) if part)))
    if history := said.get("history"):
        found.append(_row("Own history", str(history)))
    if blank := said.get("blank"):
        found.append(
            _row("Unpriced file", blank.get("filename", ""))
            | {"problem": blank.get("problem", ""), "sha256": blank.get("sha256", "")}
        )
    return found


def not_run(project: Project, audit: AuditRun | None) -> list[dict[str, Any]]:
    """[{id, title, reason, url, action}] of the rules that could not run; no url where nothing can be given."""
    needs = {rule.id: rule.needs for rule in all_rules()}
    found = []
    for rule_id, title, reason in audit.not_checked_rules if audit else []:
        name, action = WHERE.get(needs.get(rule_id, ""), ("", ""))
        if not name and reason == "the budget has no date":
            name, action = UNDATED
        url = reverse(name, args=[project.pk]) if name else ""
        found.append({"id": rule_id, "title": title, "reason": reason, "url": url, "action": action})
    return found


def _row(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "problem": "", "sha256": ""}


def _month(text: str) -> str:
    try:
        return f"{date.fromisoformat(text):%Y-%m}"
    except ValueError:
        return text
