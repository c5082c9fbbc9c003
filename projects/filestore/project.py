"""`project.json` of the older store, in the spellings it had, and the way back into it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from projects.filestore.places import StoreError, check_id
from projects.filestore.snapshot import PROJECT

_ID, _NAME = ("id", "project_id"), ("name", "project_name")
_WORKFLOW = ("workflow", "selected_workflow", "requested_workflow")
_CREATED = ("created_at", "uploaded_at")
_KNOWN = {
    *_ID, *_NAME, "workflow", *_CREATED, "description", "currency", "budget_on", "budget_date", "status", "files",
}  # fmt: skip
_WORKFLOWS = {
    "a": "workflow_a", "workflow_a": "workflow_a", "workflow a": "workflow_a",
    "b": "workflow_b", "workflow_b": "workflow_b", "workflow b": "workflow_b",
}  # fmt: skip
ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class OlderProject:
    legacy_id: str
    name: str
    workflow: str  # "workflow_a" | "workflow_b"
    description: str = ""
    currency: str = ""  # ISO 4217, or ""
    budget_on: date | None = None
    created_at: datetime | None = None
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class ReadProject:
    project: OlderProject
    kinds: dict[str, str]  # file name: its kind, as the folder's list of files says
    unknown: dict[str, Any]  # fields that no column has a place for
    notes: tuple[str, ...]  # what was not understood, or filled in


def parse_object(data: bytes, path: str) -> dict[str, Any]:
    """Raises StoreError("damaged") for what is no JSON object."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is damaged: {str(error)[:160]}.", code="damaged") from error
    if not isinstance(value, dict):
        raise StoreError(f"{path} holds no object: expected is {{…}}.", code="damaged")
    return value


def read_project(data: bytes, folder: str) -> ReadProject:
    """Raises StoreError("damaged" | "bad_id")."""
    value = parse_object(data, PROJECT)
    notes: list[str] = []
    legacy_id = _text(value, _ID) or folder
    if legacy_id != folder:
        notes.append(f"The folder is called {folder}, its id is {legacy_id}.")
    elif not _text(value, _ID):
        notes.append("project.json names no id; the folder's name is taken.")
    name = _text(value, _NAME)
    if not name:
        notes.append("The project has no name; its id is taken.")
    project = OlderProject(
        legacy_id=check_id(legacy_id),
        name=(name or legacy_id)[:200],
        workflow=_workflow(value, notes),
        description=_text(value, ("description",)),
        currency=_currency(value, notes),
        budget_on=_moment(value, ("budget_on", "budget_date"), notes, date.fromisoformat),
        created_at=_moment(value, _CREATED, notes, _utc),
        is_archived=_text(value, ("status",)).lower() == ARCHIVED,
    )
    unknown = {key: item for key, item in value.items() if key not in _KNOWN}
    return ReadProject(project, _kinds(value), unknown, tuple(notes))


def written_project(data: bytes | None, project: OlderProject, added: list[dict[str, Any]]) -> bytes:
    """`project.json` that says this: the bytes as they came where nothing differs, else every other field kept.

    `added`: entries for its list of files."""
    value: dict[str, Any] = parse_object(data, PROJECT) if data is not None else {"project_id": project.legacy_id}
    before = read_project(data, project.legacy_id).project if data is not None else None
    if data is not None and before == replace(project, created_at=before.created_at if before else None) and not added:
        return data
    if before is None or before.name != project.name:
        value[_key(value, _NAME)] = project.name
    if before is None or before.workflow != project.workflow:
        value[_key(value, _WORKFLOW)] = "B" if project.workflow == "workflow_b" else "A"
    if before is None or before.budget_on != project.budget_on:
        value.pop("budget_date", None)
        value["budget_on"] = project.budget_on.isoformat() if project.budget_on else None
    for field in ("description", "currency"):
        if before is None or getattr(before, field) != getattr(project, field):
            value[field] = getattr(project, field)
    if (before.is_archived if before else False) != project.is_archived:
        value["status"] = ARCHIVED if project.is_archived else "draft"
    if before is None and project.created_at:
        value["uploaded_at"] = project.created_at.astimezone(UTC).isoformat()
    if added:
        listed = value.get("files")
        value["files"] = [*(listed if isinstance(listed, list) else []), *added]
    return dumped(value)


def dumped(value: Any) -> bytes:
    """As people read it; escaped throughout where it holds half characters, which UTF-8 can't."""
    try:
        return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(value, indent=2) + "\n").encode()


def _key(value: dict[str, Any], names: tuple[str, ...]) -> str:
    """The name under which the file has it: the one that reading looks at first."""
    return next((name for name in names if _plain(value.get(name))), names[-1] if names is _NAME else names[0])


def _text(value: dict[str, Any], names: tuple[str, ...]) -> str:
    found = next((text for name in names if (text := _plain(value.get(name)))), "")
    return found.encode("utf-8", "replace").decode().replace("\x00", "")


def _plain(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list, bool)) else str(value).strip()


def _workflow(value: dict[str, Any], notes: list[str]) -> str:
    said = _text(value, _WORKFLOW)
    known = _WORKFLOWS.get(said.lower().replace("-", "_"))
    if known is None and said:
        notes.append(f"The workflow {said[:40]!r} is not known; A is taken.")
    return known or "workflow_a"


def _currency(value: dict[str, Any], notes: list[str]) -> str:
    code = _text(value, ("currency",)).upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        notes.append(f"The currency {code[:20]!r} has not three letters; none is taken.")
        return ""
    return code


def _moment(value: dict[str, Any], names: tuple[str, ...], notes: list[str], parse: Any) -> Any:
    said = _text(value, names)
    try:
        return parse(said) if said else None
    except (ValueError, OverflowError):
        notes.append(f"{names[0]}: {said[:40]!r} is no ISO 8601 time; it is left out.")
        return None


def _utc(text: str) -> datetime:
    """The older system wrote local times of servers in UTC, without saying so."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _kinds(value: dict[str, Any]) -> dict[str, str]:
    listed = value.get("files")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return {_plain(row.get("filename")): _plain(row.get("file_type")) for row in rows}
