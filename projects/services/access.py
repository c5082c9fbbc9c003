"""Finding what a person may work on, or saying that there is no such thing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from ..exceptions import Missing, ProjectNotFound, Refused
from ..models import Document, Project
from .filestore.modes import check_writable

if TYPE_CHECKING:
    from accounts.models import User


def visible_project(*, project_id: UUID, user: User) -> Project:
    """Raises ProjectNotFound (404), for strangers too."""
    project: Project | None = Project.objects.visible_to(user).filter(pk=project_id).first()
    if project is None:
        raise ProjectNotFound("There is no such project.")
    return project


def editable_project(*, project_id: UUID, user: User) -> Project:
    """As `visible_project`; for those who may only look on: Refused (403), since they see it anyway."""
    project = visible_project(project_id=project_id, user=user)
    if not Project.objects.editable_by(user).filter(pk=project_id).exists():
        raise ReadOnly("You may look at this project, not change it. Ask its owner for the role of a member.")
    refuse_archived(project)
    check_writable(project_id=project.pk)
    return project


def refuse_archived(project: Project) -> None:
    """Again under the project's lock, where a version is made: it may have been archived since it was looked up."""
    if project.status == Project.Status.ARCHIVED:
        raise Refused("This project is archived. Take it out of the archive to change it.", code="project_archived")


def visible_document(*, document_id: UUID, user: User) -> Document:
    document: Document | None = Document.objects.visible_to(user).filter(pk=document_id).first()
    if document is None:
        raise Missing("There is no such document.", code="document_not_found")
    return document


class ReadOnly(Refused):
    status = 403
    code = "read_only"
