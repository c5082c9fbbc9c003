"""Choosing what a project's audits compare its budget with: catalogue and edition, price index, the blank file."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from ..exceptions import Refused
from ..models import CatalogueItem, PriceIndex, Project
from .access import editable_project
from .auditing import request_audit
from .blank import choices_for
from .versions import locked_project

if TYPE_CHECKING:
    from accounts.models import User

FIELDS = ("catalogue", "catalogue_edition", "price_index", "blank_document_id")


@transaction.atomic
def choose_references(
    *,
    project_id: UUID,
    actor: User,
    catalogue: str = "",
    edition: str = "",
    price_index: str = "",
    blank_document_id: UUID | None = None,
) -> tuple[Project, bool]:
    """Set all four; empty: none. A budget is audited again if something has changed, which is returned too.

    Raises ProjectNotFound, ReadOnly, Refused("catalogue_unknown" | "price_index_unknown" | "blank_unknown").
    """
    editable_project(project_id=project_id, user=actor)
    project = locked_project(project_id=project_id)
    chosen = (catalogue, edition, price_index, blank_document_id)
    if chosen == tuple(getattr(project, name) for name in FIELDS):
        return project, False
    items = CatalogueItem.objects.of(project.organisation_id)
    if (catalogue or edition) and not items.filter(catalogue=catalogue, edition=edition).exists():
        name = f"{catalogue} {edition}".strip()
        raise Refused(f"There is no price catalogue {name}. Import it first.", code="catalogue_unknown")
    months = PriceIndex.objects.of(project.organisation_id)
    if price_index and not months.filter(series=price_index).exists():
        raise Refused(f'There is no price index "{price_index}". Import it first.', code="price_index_unknown")
    if blank_document_id and blank_document_id not in {one.pk for one in choices_for(project=project)}:
        raise Refused("The unpriced file must be a bill of this project that has been read.", code="blank_unknown")
    for name, value in zip(FIELDS, chosen, strict=True):
        setattr(project, name, value)
    project.save(update_fields=[*FIELDS[:3], "blank_document", "updated_at"])
    if project.version_number and project.total_positions:
        request_audit(project=project, actor=actor)
    return project, True
