"""Folders of the older file store, written from a plain description; and what a project is, without its ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from projects.models import FileProject, Position, Project
from projects.services.rows import CONTENT

ENTRY = {
    "id": "pos-7", "position_number": "1", "code": "131", "name": "Výkop jam", "mj": "m3", "qty": "12,5",
    "unit_price": 100.0, "total_price": 1250.0, "section": "1 Zemní práce", "confidence": 0.875, "tags": ["x", None],
}  # fmt: skip


def entry(number: int, **fields: Any) -> dict[str, Any]:
    """A position with a price and fields that no column knows."""
    return ENTRY | {"position_number": str(number), "id": f"pos-{number}"} | fields


def write_folder(
    store: Path,
    legacy_id: str = "proj_1",
    *,
    project: dict[str, Any] | bytes | None = None,
    positions: Any = None,
    audit: Any = None,
    files: dict[str, bytes] | None = None,
) -> Path:
    """`<store>/<legacy_id>/`; each part that is None is left out, project.json excepted."""
    folder = store / legacy_id
    folder.mkdir(parents=True, exist_ok=True)
    described = {"project_id": legacy_id, "project_name": f"Stavba {legacy_id}", "workflow": "A", "budget_kind": 3}
    parts = {"project.json": described if project is None else project, "positions.json": positions}
    parts["audit_results.json"] = audit
    for name, value in parts.items():
        if value is not None:
            (folder / name).write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    for path, content in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file below, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(_files(folder))}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def state() -> dict[str, Any]:
    """All projects that came from folders as they are now: fields, positions in order, documents, what is kept."""
    return {row.legacy_id: _state(row) for row in FileProject.objects.select_related("project")}


def _state(known: FileProject) -> dict[str, Any]:
    project = known.project
    assert project is not None
    positions = Position.objects.filter(project=project, removed_in=None).order_by("ordinal", "id")
    return {
        "project": {
            name: getattr(project, name)
            for name in ("name", "description", "workflow", "currency", "budget_on", "total_positions", "total_cost")
        }
        | {"archived": project.status == Project.Status.ARCHIVED},
        "positions": list(positions.values_list(*CONTENT)),
        "documents": sorted(
            project.documents.exclude(extracted_data__older_positions=True).values_list(
                "original_filename", "kind", "sha256", "size"
            )
        ),
        "unknown": known.contents.get("unknown"),
    }
