"""Who may look again, and who has to wait longer."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from jobs.models import Job
from jobs.services import rested

pytestmark = pytest.mark.django_db
EVERY = timedelta(hours=6)


def run(subject: UUID, status: str, ended_h: float | None, *, kind: str = "tests.fetch") -> None:
    """The later ones were asked for later."""
    now = timezone.now()
    ended = None if ended_h is None else now - timedelta(hours=ended_h)
    Job.objects.create(
        kind=kind,
        status=status,
        subject_type="thing",
        subject_id=subject,
        finished_at=ended,
        created_at=(ended or now) - timedelta(minutes=1),
    )


def has_rested(subject: UUID) -> bool:
    return rested(kind="tests.fetch", subject_type="thing", subject_ids=[subject], every=EVERY) == {subject}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], True),
        ([("completed", 7.0)], True),
        ([("completed", 5.0)], False),
        ([("completed", 9.0), ("queued", None)], False),
        ([("completed", 9.0), ("retrying", None)], False),
        ([("failed", 7.0)], False),
        ([("failed", 13.0)], True),
        ([("failed", 40.0), ("failed", 23.0)], False),
        ([("failed", 40.0), ("failed", 25.0)], True),
        ([("failed", 40.0), ("completed", 7.0)], True),
        ([("completed", 40.0), ("failed", 30.0), ("cancelled", 7.0)], True),
        ([("failed", float(200 + n)) for n in range(9)] + [("failed", 167.0)], False),
        ([("failed", float(200 + n)) for n in range(9)] + [("failed", 169.0)], True),
    ],
    ids=str,
)
def test_a_subject_rests_after_its_last_run_and_longer_after_failures(
    runs: list[tuple[str, float | None]], expected: bool
) -> None:
    subject = uuid4()
    for status, ended_h in runs:
        run(subject, status, ended_h)
    assert has_rested(subject) is expected


def test_other_kinds_and_other_subjects_do_not_count() -> None:
    one, other = uuid4(), uuid4()
    run(one, "completed", 1, kind="tests.other")
    run(other, "completed", 1)
    assert has_rested(one) and not has_rested(other)


def test_many_are_asked_for_in_one_query(django_assert_num_queries: object) -> None:
    subjects = [uuid4() for _ in range(50)]
    for subject in subjects:
        run(subject, "completed", 7)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert rested(kind="tests.fetch", subject_type="thing", subject_ids=subjects, every=EVERY) == set(subjects)
