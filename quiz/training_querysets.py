"""Who may see what of training calls.

A learner sees their own calls and assignments; coaches and owners those of their organisations. Templates are seen by
all members. Connections hold secrets: owners only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import Membership
from accounts.querysets import organisation_ids_of, organisation_ids_owned_by

if TYPE_CHECKING:
    from accounts.models import User

    from .models import (  # noqa: F401 - ruff does not see names in QuerySet["…"]
        Assignment,
        Rubric,
        SessionFile,
        SessionGrade,
        SessionNote,
        TrainingSession,
        TrainingTemplate,
        VoiceConnection,
    )

COACHES = (Membership.Role.OWNER, Membership.Role.COACH)


def organisation_ids_coached_by(user: User | AnonymousUser) -> models.QuerySet[Any, Any]:
    return Membership.objects.of(user).filter(role__in=COACHES).values("organisation_id")


def own_or_coached(user: User | AnonymousUser, prefix: str = "") -> Q:
    """One's own while one is a member, and everybody's of the organisations that one coaches."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    own = Q(**{f"{prefix}user_id": user.pk, f"{prefix}organisation_id__in": organisation_ids_of(user)})
    return own | Q(**{f"{prefix}organisation_id__in": organisation_ids_coached_by(user)})


class TrainingTemplateQuerySet(models.QuerySet["TrainingTemplate"]):
    def visible_to(self, user: User | AnonymousUser) -> TrainingTemplateQuerySet:
        return self.filter(organisation_id__in=organisation_ids_of(user))

    def changeable_by(self, user: User | AnonymousUser) -> TrainingTemplateQuerySet:
        return self.filter(organisation_id__in=organisation_ids_coached_by(user))

    def in_use(self) -> TrainingTemplateQuerySet:
        return self.filter(archived_at__isnull=True)


class RubricQuerySet(models.QuerySet["Rubric"]):
    def visible_to(self, user: User | AnonymousUser) -> RubricQuerySet:
        return self.filter(template__organisation_id__in=organisation_ids_of(user))


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def visible_to(self, user: User | AnonymousUser) -> AssignmentQuerySet:
        return self.filter(own_or_coached(user))

    def changeable_by(self, user: User | AnonymousUser) -> AssignmentQuerySet:
        return self.filter(organisation_id__in=organisation_ids_coached_by(user))

    def open(self) -> AssignmentQuerySet:
        return self.filter(completed_at__isnull=True, withdrawn_at__isnull=True)


class VoiceConnectionQuerySet(models.QuerySet["VoiceConnection"]):
    def visible_to(self, user: User | AnonymousUser) -> VoiceConnectionQuerySet:
        return self.filter(organisation_id__in=organisation_ids_owned_by(user))


class TrainingSessionQuerySet(models.QuerySet["TrainingSession"]):
    def visible_to(self, user: User | AnonymousUser) -> TrainingSessionQuerySet:
        return self.filter(own_or_coached(user))

    def listed_for(self, user: User | AnonymousUser) -> TrainingSessionQuerySet:
        """As `visible_to`, put so that an index gives the newest first. One query more.

        "Own or coached" is two indexes, so all rows are sorted; whoever coaches all or none of their organisations,
        which is nearly everybody, needs one of the two only.
        """
        if not user.is_authenticated:
            return self.none()
        roles = dict(Membership.objects.of(user).values_list("organisation_id", "role"))
        coached = {organisation_id for organisation_id, role in roles.items() if role in COACHES}
        if coached and len(coached) == len(roles):
            return self.filter(organisation_id__in=coached)
        if not coached:
            return self.filter(user_id=user.pk, organisation_id__in=list(roles))
        return self.visible_to(user)

    def coached_by(self, user: User | AnonymousUser) -> TrainingSessionQuerySet:
        return self.filter(organisation_id__in=organisation_ids_coached_by(user))

    def changeable_by(self, user: User | AnonymousUser) -> TrainingSessionQuerySet:
        """What a learner does with their own: coaches too; not those who only look on."""
        writing = organisation_ids_of(user, may_write=True)
        return self.visible_to(user).filter(organisation_id__in=writing)

    def to_review(self) -> TrainingSessionQuerySet:
        """The coaches' queue, longest waiting first."""
        return self.filter(submitted_for_review=True, closed_at__isnull=True).order_by("submitted_at", "id")

    def without_words(self) -> TrainingSessionQuerySet:
        """For lists: transcripts are long."""
        return self.defer("raw", "clean", "measures", "summary")


class GradeQuerySet(models.QuerySet["SessionGrade"]):
    def visible_to(self, user: User | AnonymousUser) -> GradeQuerySet:
        return self.filter(own_or_coached(user, "session__"))

    def current(self) -> GradeQuerySet:
        return self.filter(is_current=True)


class NoteQuerySet(models.QuerySet["SessionNote"]):
    def visible_to(self, user: User | AnonymousUser) -> NoteQuerySet:
        return self.filter(own_or_coached(user, "session__"))


class SessionFileQuerySet(models.QuerySet["SessionFile"]):
    def visible_to(self, user: User | AnonymousUser) -> SessionFileQuerySet:
        return self.filter(own_or_coached(user, "session__"))
