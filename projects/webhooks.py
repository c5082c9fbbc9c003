"""What organisations' other systems are told of projects. Called in the transaction of what is told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.webhooks import declare, emit, link_to

from .models import AuditRun, BudgetVersion, Document, Project

IMPORTED, VERSION, AUDITED = "document.imported", "project.version_created", "project.audited"
LINK = "https://plumbline.example/projects/b9a3b8f2-3a51-4c64-a6a1-0f6f7a0f3c21/"
PROJECT: dict[str, Any] = {"project_id": "b9a3b8f2-3a51-4c64-a6a1-0f6f7a0f3c21", "project": "Valcha"}

declare(
    IMPORTED,
    description="A bill of quantities was read, and agrees with its own totals.",
    example=PROJECT
    | {
        "document_id": "7a1d5a0e-5b0e-4d0f-9a39-6a8d5d2b9c11",
        "filename": "bill.xlsx",
        "positions": 298,
        "version": 1,
        "link": LINK,
    },
)
declare(
    VERSION,
    description="A budget has a new version: by an import, an edit, or because an earlier one was restored.",
    example=PROJECT
    | {
        "version": 2,
        "trigger": "user_edit",
        "total_positions": 298,
        "total_cost": "1234567.80",
        "delta_cost": "-1200.00",
        "currency": "CZK",
        "link": LINK,
    },
)
declare(
    AUDITED,
    description="A version was audited; with its positions by grade. Not checked is never green.",
    example=PROJECT
    | {
        "version": 2,
        "positions": 298,
        "counts": {"green": 250, "amber": 31, "red": 9, "not_checked": 8},
        "money_at_stake": "48210.50",
        "currency": "CZK",
        "link": LINK,
    },
)


def tell_imported(*, project: Project, document: Document, positions: int) -> None:
    _tell(
        IMPORTED,
        project,
        {
            "document_id": str(document.pk),
            "filename": document.original_filename,
            "positions": positions,
            "version": project.version_number,
        },
    )


def tell_version(*, project: Project, version: BudgetVersion) -> None:
    _tell(
        VERSION,
        project,
        {
            "version": version.number,
            "trigger": version.trigger,
            "total_positions": version.total_positions,
            "total_cost": str(version.total_cost),
            "delta_cost": str(version.delta_cost),
            "currency": project.currency,
        },
    )


def tell_audited(*, project: Project, run: AuditRun) -> None:
    _tell(
        AUDITED,
        project,
        {
            "version": run.version_number,
            "positions": run.positions,
            "counts": run.counts,
            "money_at_stake": str(run.money_at_stake),
            "currency": project.currency,
        },
    )


def _tell(event_type: str, project: Project, data: dict[str, Any]) -> None:
    organisation_id: UUID = project.organisation_id
    named = {"project_id": str(project.pk), "project": project.name}
    emit(
        event_type=event_type,
        organisation_id=organisation_id,
        data=lambda: named | data | {"link": link_to("projects:detail", project.pk)},
    )
