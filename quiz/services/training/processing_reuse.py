"""What was worked out of the very same words before, for another call or for this one."""

from __future__ import annotations

from django.db.models import QuerySet

from ...models import TrainingSession


def twins_of(session: TrainingSession) -> QuerySet[TrainingSession]:
    """Calls of the organisation with the same cleaned transcript and the same side of it, the latest first.

    Of the organisation only: that somebody else has the same words, too, is none of theirs to learn.
    """
    same = TrainingSession.objects.filter(
        clean_hash=session.clean_hash,
        organisation_id=session.organisation_id,
        learner_speaker=session.learner_speaker,
    )
    return same.exclude(pk=session.pk).exclude(clean_hash="").order_by("-created_at")
