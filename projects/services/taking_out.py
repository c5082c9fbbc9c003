"""A document leaves the budget with all its positions: a bill uploaded by mistake, or twice in two formats."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from ..exceptions import Refused
from ..models import BudgetVersion, Document, Position
from .access import editable_project, refuse_archived, visible_document
from .auditing import request_audit
from .documents import announce_document
from .versions import close_version, locked_project

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def take_out(*, document_id: UUID, actor: User) -> BudgetVersion:
    """Every current position that came with the document is closed, those that were edited since too, as one version;
    an audit follows. The document stays, and can be read into the budget again.

    Raises Missing, ReadOnly, Refused("made_from_a_model", "not_in_budget").
    """
    document = visible_document(document_id=document_id, user=actor)
    editable_project(project_id=document.project_id, user=actor)
    project = locked_project(project_id=document.project_id)
    refuse_archived(project)
    if document.kind != Document.Kind.BILL:
        raise Refused(
            "Only bills are taken out of a budget. Positions made from a model follow its elements and assumptions.",
            code="made_from_a_model",
        )
    rows = Position.objects.filter(project=project, document=document, removed_in__isnull=True)
    if not rows.update(removed_in=project.version_number + 1):
        raise Refused("Nothing in the budget comes from this document.", code="not_in_budget")
    version = close_version(
        project=project,
        trigger=BudgetVersion.Trigger.DOCUMENT_REMOVED,
        actor_id=actor.pk,
        details={"document": str(document.pk), "filename": document.original_filename},
    )
    announce_document(document)
    request_audit(project=project, actor=actor)
    return version
