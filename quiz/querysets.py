"""Named reads of quizzes, and who may see what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.querysets import organisation_ids_of

if TYPE_CHECKING:
    from accounts.models import User

    from .models import (  # noqa: F401 - ruff does not see names in QuerySet["…"]
        Answer,
        Attempt,
        Bank,
        Category,
        Clause,
        Edition,
        ExamGoal,
        ExamStatistics,
        ItemStatistics,
        Picture,
        Question,
        QuestionVersion,
        ReviewCard,
        Standard,
        SyncRejection,
        SyncRun,
    )


def shared_or_own(user: User | AnonymousUser, prefix: str = "") -> Q:
    """What belongs to nobody, which anyone may see, and what belongs to one's organisations.

    `prefix` is the path to what has the organisation: "bank__".
    """
    shared = Q(**{f"{prefix}organisation__isnull": True})
    if not user.is_authenticated:
        return shared
    return shared | Q(**{f"{prefix}organisation_id__in": organisation_ids_of(user)})


def kept_by(user: User | AnonymousUser, permission: str, prefix: str = "") -> Q:
    """What a person may change: their organisations' where they may write; shared things are the staff's."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    if user.is_staff and user.has_perm(permission):
        return Q()
    return Q(**{f"{prefix}organisation_id__in": organisation_ids_of(user, may_write=True)})


class StandardQuerySet(models.QuerySet["Standard"]):
    def visible_to(self, user: User | AnonymousUser) -> StandardQuerySet:
        return self.filter(shared_or_own(user))


class EditionQuerySet(models.QuerySet["Edition"]):
    def visible_to(self, user: User | AnonymousUser) -> EditionQuerySet:
        return self.filter(shared_or_own(user, "standard__"))


class ClauseQuerySet(models.QuerySet["Clause"]):
    def visible_to(self, user: User | AnonymousUser) -> ClauseQuerySet:
        return self.filter(shared_or_own(user, "edition__standard__"))


class BankQuerySet(models.QuerySet["Bank"]):
    def visible_to(self, user: User | AnonymousUser) -> BankQuerySet:
        return self.filter(shared_or_own(user))

    def changeable_by(self, user: User | AnonymousUser) -> BankQuerySet:
        return self.filter(kept_by(user, "quiz.change_bank"))

    def writable_by(self, user: User | AnonymousUser) -> BankQuerySet:
        """Whose questions a person may write."""
        may_add = user.has_perm("quiz.add_question")
        return self.filter(kept_by(user, "quiz.add_question" if may_add else "quiz.change_question"))


class CategoryQuerySet(models.QuerySet["Category"]):
    def visible_to(self, user: User | AnonymousUser) -> CategoryQuerySet:
        return self.filter(shared_or_own(user))


class RunQuerySet(models.QuerySet["SyncRun"]):
    def visible_to(self, user: User | AnonymousUser) -> RunQuerySet:
        """Reports are for those who keep the bank."""
        return self.filter(kept_by(user, "quiz.view_syncrun", "bank__"))


class SyncRejectionQuerySet(models.QuerySet["SyncRejection"]):
    def visible_to(self, user: User | AnonymousUser) -> SyncRejectionQuerySet:
        return self.filter(kept_by(user, "quiz.view_syncrejection", "bank__"))

    def unresolved(self) -> SyncRejectionQuerySet:
        return self.filter(resolved_at__isnull=True)


class QuestionQuerySet(models.QuerySet["Question"]):
    def visible_to(self, user: User | AnonymousUser) -> QuestionQuerySet:
        return self.filter(shared_or_own(user, "bank__"))

    def changeable_by(self, user: User | AnonymousUser) -> QuestionQuerySet:
        return self.filter(kept_by(user, "quiz.change_question", "bank__"))

    def live(self) -> QuestionQuerySet:
        """Those that are asked."""
        return self.filter(retired_at__isnull=True, current__isnull=False)

    def for_exams(self) -> QuestionQuerySet:
        return self.live().filter(flag="")

    def flagged(self) -> QuestionQuerySet:
        """Kept out of exams until somebody decides."""
        return self.live().exclude(flag="")


class VersionQuerySet(models.QuerySet["QuestionVersion"]):
    def visible_to(self, user: User | AnonymousUser) -> VersionQuerySet:
        return self.filter(shared_or_own(user, "question__bank__"))


class PictureQuerySet(models.QuerySet["Picture"]):
    def visible_to(self, user: User | AnonymousUser) -> PictureQuerySet:
        """As their banks; staff who look at all questions see all of their pictures."""
        if user.is_staff and user.has_perm("quiz.view_question"):
            return self.all()
        return self.filter(shared_or_own(user, "bank__"))


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def visible_to(self, user: User | AnonymousUser) -> AttemptQuerySet:
        """One's own: nobody looks over a learner's shoulder."""
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()


class AnswerQuerySet(models.QuerySet["Answer"]):
    def visible_to(self, user: User | AnonymousUser) -> AnswerQuerySet:
        return self.filter(attempt__user_id=user.pk) if user.is_authenticated else self.none()


class CardQuerySet(models.QuerySet["ReviewCard"]):
    def visible_to(self, user: User | AnonymousUser) -> CardQuerySet:
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()


class GoalQuerySet(models.QuerySet["ExamGoal"]):
    def visible_to(self, user: User | AnonymousUser) -> GoalQuerySet:
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()


class ItemStatisticsQuerySet(models.QuerySet["ItemStatistics"]):
    def visible_to(self, user: User | AnonymousUser) -> ItemStatisticsQuerySet:
        """Made of everybody's answers, over all organisations: for staff whom the site lets see them."""
        return self.filter() if may_see_statistics(user) else self.none()


class ExamStatisticsQuerySet(models.QuerySet["ExamStatistics"]):
    def visible_to(self, user: User | AnonymousUser) -> ExamStatisticsQuerySet:
        return self.filter() if may_see_statistics(user) else self.none()


def may_see_statistics(user: User | AnonymousUser) -> bool:
    return user.is_authenticated and user.has_perm("quiz.view_itemstatistics")


def may_migrate(user: User | AnonymousUser) -> bool:
    """Take questions over to another edition: of all banks, for a standard knows no organisation's bounds."""
    return user.is_authenticated and user.is_staff and user.has_perm("quiz.change_question")
