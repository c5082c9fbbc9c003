"""What organisations' other systems are told of training calls. Called in the transaction of what is told."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from jobs.webhooks import declare, emit

from .models import SessionGrade, TrainingSession

GRADED = "training.graded"
LINK = "/training/sessions/{}/"

declare(
    GRADED,
    description=(
        "A training call was graded: measured by rules and, where one is configured, judged by a model. `overall` "
        "null: nobody has judged its qualities. `revision` counts reports of the same call that said something else."
    ),
    example={
        "session_id": "8d0b0c1e-1f4a-4a59-8f0f-6b1f2f8f3c55",
        "user_id": "0f2c8a54-8f0b-4f0e-9a55-5a1f6d1b7c11",
        "template": "Bid clarification",
        "revision": 1,
        "overall": "72.50",
        "graders": ["rule", "model"],
        "link": "https://plumbline.example/training/sessions/8d0b0c1e-1f4a-4a59-8f0f-6b1f2f8f3c55/",
    },
)


def tell_graded(session: TrainingSession) -> None:
    """`session`: as it is stored, with its template."""
    current = SessionGrade.objects.current().filter(session=session).order_by("created_at")

    def data() -> dict[str, Any]:
        return {
            "session_id": str(session.pk),
            "user_id": str(session.user_id) if session.user_id else None,
            "template": session.template.name if session.template else None,
            "revision": session.revision,
            "overall": str(session.overall) if session.overall is not None else None,
            "graders": list(current.values_list("grader", flat=True)),
            "link": str(settings.SITE_URL).rstrip("/") + LINK.format(session.pk),
        }

    emit(event_type=GRADED, organisation_id=session.organisation_id, data=data)
