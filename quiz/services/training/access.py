"""Finding what a person may look at or change of training calls, or saying that there is no such thing.

What cannot be seen is missing (404); what can be seen and not be changed is refused (403).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from accounts.models import Membership, Organisation

from ...models import Assignment, Category, Clause, SessionNote, TrainingSession, TrainingTemplate
from ...training_exceptions import (
    AssignmentMissing,
    CoachesOnly,
    NoteMissing,
    OnlyLooksOn,
    SessionMissing,
    TemplateMissing,
)
from ...training_querysets import COACHES, organisation_ids_coached_by

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

TELL_COACH = "That is for coaches and owners of the organisation. Ask one of them."


def coached_organisation(*, organisation_id: UUID, user: User) -> Organisation:
    """Raises TemplateMissing (404) for strangers, CoachesOnly (403) for members."""
    found: Organisation | None = Organisation.objects.visible_to(user).filter(pk=organisation_id).first()
    if found is None:
        raise TemplateMissing("You are a member of no such organisation.", code="organisation_not_found")
    if not coaches(user, organisation_id):
        raise CoachesOnly(TELL_COACH)
    return found


def coaches(user: User, organisation_id: UUID) -> bool:
    return bool(organisation_ids_coached_by(user).filter(organisation_id=organisation_id).exists())


def visible_template(*, template_id: UUID, user: User) -> TrainingTemplate:
    """With its category. Raises TemplateMissing (404)."""
    rows = TrainingTemplate.objects.visible_to(user).select_related("category", "user")
    found: TrainingTemplate | None = rows.filter(pk=template_id).first()
    if found is None:
        raise TemplateMissing("There is no such template.")
    return found


def changeable_template(*, template_id: UUID, user: User) -> TrainingTemplate:
    """Raises TemplateMissing (404), CoachesOnly (403)."""
    template = visible_template(template_id=template_id, user=user)
    if not coaches(user, template.organisation_id):
        raise CoachesOnly(TELL_COACH)
    return template


def changeable_assignment(*, assignment_id: UUID, user: User) -> Assignment:
    """With its template. Raises AssignmentMissing (404), CoachesOnly (403)."""
    rows = Assignment.objects.visible_to(user).select_related("template", "user")
    found: Assignment | None = rows.filter(pk=assignment_id).first()
    if found is None:
        raise AssignmentMissing("There is no such assignment.")
    if not coaches(user, found.organisation_id):
        raise CoachesOnly(TELL_COACH)
    return found


def visible_session(*, session_id: UUID, user: User) -> TrainingSession:
    """Raises SessionMissing (404)."""
    found: TrainingSession | None = TrainingSession.objects.visible_to(user).filter(pk=session_id).first()
    if found is None:
        raise SessionMissing("There is no such call, or it is not yours to see.")
    return found


def require_writer(*, session: TrainingSession, user: User) -> None:
    """The learner themself or a coach. Raises OnlyLooksOn (403) for those whose role is to look on."""
    if not TrainingSession.objects.changeable_by(user).filter(pk=session.pk).exists():
        raise OnlyLooksOn("You may look at your calls, not change them. Ask the owner for the role of a member.")


def require_coach(*, session: TrainingSession, user: User) -> None:
    """Raises CoachesOnly (403)."""
    if not coaches(user, session.organisation_id):
        raise CoachesOnly(TELL_COACH)


def visible_note(*, note_id: UUID, user: User) -> SessionNote:
    """Raises NoteMissing (404)."""
    found: SessionNote | None = SessionNote.objects.visible_to(user).filter(pk=note_id).first()
    if found is None:
        raise NoteMissing("There is no such note.")
    return found


def coaches_of(organisation_id: UUID) -> list[UUID]:
    """Whom to tell of what waits for a coach."""
    members = Membership.objects.filter(organisation_id=organisation_id, role__in=COACHES)
    return list(members.order_by("pk").values_list("user_id", flat=True))


def clauses_for(*, user: User, organisation_id: UUID) -> QuerySet[Clause]:
    """What a template of the organisation may name: what the user sees, and all of its members see too."""
    theirs = Q(edition__standard__organisation__isnull=True) | Q(edition__standard__organisation_id=organisation_id)
    rows: QuerySet[Clause] = Clause.objects.visible_to(user).filter(theirs)
    return rows


def categories_for(*, user: User, organisation_id: UUID) -> QuerySet[Category]:
    """As `clauses_for`."""
    theirs = Q(organisation__isnull=True) | Q(organisation_id=organisation_id)
    rows: QuerySet[Category] = Category.objects.visible_to(user).filter(theirs)
    return rows
