"""Opening, renaming, archiving projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from accounts.models import Membership, Organisation

from ..entities import tell_project
from ..exceptions import Refused
from ..models import Project
from .access import editable_project, visible_project
from .activity import activity_of
from .filestore.mirroring import mirror

if TYPE_CHECKING:
    from accounts.models import User

EDITABLE_FIELDS = ("name", "description", "currency", "budget_on", "workflow")


def open_project(
    *,
    actor: User,
    name: str,
    description: str = "",
    organisation_id: UUID | None = None,
    currency: str = "",
    workflow: str = Project.Workflow.BILL_GIVEN,
    metadata: dict[str, Any] | None = None,
) -> Project:
    """A new, empty project of the organisation, by default of the first one in which the actor may write.

    `metadata` is kept with it as it is: where it comes from, for whoever opened it.
    """
    name = name.strip()
    if not name:
        raise Refused("Give the project a name.", code="name_missing")
    memberships = Membership.objects.of(actor).exclude(role=Membership.Role.VIEWER).order_by("created_at", "pk")
    if organisation_id is not None:
        memberships = memberships.filter(organisation_id=organisation_id)
    organisation = Organisation.objects.filter(pk__in=memberships.values("organisation_id")[:1]).first()
    if organisation is None:
        raise Refused("You belong to no organisation in which you may open projects.", code="no_organisation")
    project = Project.objects.create(
        owner=actor,
        organisation=organisation,
        name=name[:200],
        description=description,
        currency=_currency(currency),
        workflow=workflow,
        metadata=metadata or {},
    )
    tell_project(project.pk)
    return project


def _currency(code: str) -> str:
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise Refused("A currency has three letters, such as CZK or EUR.", code="bad_currency")
    return code.upper()


def change_project(*, project_id: UUID, actor: User, changes: dict[str, Any]) -> Project:
    """Set name, description, currency, budget date or workflow. Other keys are refused."""
    unknown = sorted(set(changes) - set(EDITABLE_FIELDS))
    if unknown:
        raise Refused(f"These can't be changed: {', '.join(unknown)}.", code="not_editable")
    if "currency" in changes:
        changes = changes | {"currency": _currency(changes["currency"])}
    project = editable_project(project_id=project_id, user=actor)
    for name, value in changes.items():
        setattr(project, name, value)
    with transaction.atomic():
        project.save(update_fields=[*changes, "updated_at"])
        tell_project(project.pk)
        mirror(project_id=project.pk)
    return project


def archive_project(*, project_id: UUID, actor: User) -> Project:
    """Nothing is deleted: an archived project reads as before, and takes no changes."""
    project = editable_project(project_id=project_id, user=actor)
    project.status = Project.Status.ARCHIVED
    with transaction.atomic():
        project.save(update_fields=["status", "updated_at"])
        mirror(project_id=project.pk)
    return project


@transaction.atomic
def unarchive_project(*, project_id: UUID, actor: User) -> Project:
    visible_project(project_id=project_id, user=actor)
    project: Project | None = (
        Project.objects.editable_by(actor).select_for_update(of=("self",)).filter(pk=project_id).first()
    )
    if project is None or project.status != Project.Status.ARCHIVED:
        raise Refused("This project is not in the archive, or not yours to change.", code="not_archived")
    project.status = activity_of(project)
    project.save(update_fields=["status", "updated_at"])
    mirror(project_id=project.pk)
    return project
