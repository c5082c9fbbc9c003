"""Telling people of assignments and reviews: on whatever page they look at, and of assignments by e-mail too.

Called within the transaction that makes it so; said, and put into the queue, when that is committed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from jobs.events import publish_on_commit
from jobs.services import enqueue, enqueue_batch

from ...models import Assignment
from .access import coaches_of

if TYPE_CHECKING:
    from ...models import SessionNote, TrainingSession

MAIL = "quiz.mail_assignments"
ASSIGNED, DUE, LATE, MOVED = "assigned", "due", "late", "moved"
WORDS = {
    ASSIGNED: ("A call to practise: {}.", "{} calls to practise"),
    DUE: ("Due within a day: {}.", "{} calls are due within a day"),
    LATE: ("Overdue: {}.", "{} calls are overdue"),
    MOVED: ("Due another day: {}.", "{} calls are due another day"),
}


def assigned(rows: Sequence[Assignment]) -> None:
    _tell(rows, ASSIGNED)


def due(rows: Sequence[Assignment], *, is_late: bool) -> None:
    _tell(rows, LATE if is_late else DUE)


def moved(row: Assignment) -> None:
    _tell([row], MOVED)


def withdrawn(row: Assignment) -> None:
    _notify(row.user_id, f"Withdrawn: {row.template}. You need not hold this call any more.", _overview())


def submitted(session: TrainingSession, *, by: User) -> None:
    """To the coaches, without whoever did it."""
    text = f"{by} asks for a review of {_name(session)}."
    for user_id in coaches_of(session.organisation_id):
        if user_id != by.pk:
            _notify(user_id, text, address_of(session))


def noted(session: TrainingSession, note: SessionNote, *, by: User) -> None:
    """To the learner; what the learner notes of a call that waits for a coach, to nobody: it is read there."""
    if session.user_id and session.user_id != by.pk:
        _notify(session.user_id, f"{by} has written about {_name(session)}.", f"{address_of(session)}#note-{note.pk}")


def judged(session: TrainingSession, *, by: User) -> None:
    if session.user_id and session.user_id != by.pk:
        _notify(session.user_id, f"{by} has graded {_name(session)}.", address_of(session))


def closed(session: TrainingSession, *, by: User) -> None:
    if session.user_id and session.user_id != by.pk:
        text = f"The review of {_name(session)} is finished."
        _notify(session.user_id, text, address_of(session), "success")


def named(session: TrainingSession, *, by: User) -> None:
    if session.user_id and session.user_id != by.pk:
        _notify(session.user_id, f"{_name(session)} is now among your calls.", address_of(session))


def address_of(session: TrainingSession) -> str:
    """The path of its page."""
    return reverse("training:session", args=[session.pk])


def mail(*, user_id: str, assignment_ids: list[str], why: str, job_id: UUID) -> bool:
    """One message of those that still wait. False: none does, or the person is gone or sees them no more.

    At least once, as jobs are: sent again after a crash, it has the same Message-ID, by which mail servers know it.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None or not user.is_active:
        return False
    rows = list(
        Assignment.objects.visible_to(user).open().filter(pk__in=assignment_ids, user=user).select_related("template")
    )
    if not rows:
        return False
    message = EmailMessage(
        " ".join(f"Plumbline: {_words(rows, why)}".split()).rstrip("."),  # a header takes no line breaks
        _body(rows, why),
        settings.DEFAULT_FROM_EMAIL,
        [user.email],
        headers={"Message-ID": f"<training-{job_id}@{_host()}>", "Auto-Submitted": "auto-generated"},
    )
    message.send()
    return True


def _tell(rows: Sequence[Assignment], why: str) -> None:
    by_person: defaultdict[UUID, list[Assignment]] = defaultdict(list)
    for row in rows:
        by_person[row.user_id].append(row)
    for user_id, theirs in by_person.items():
        _notify(user_id, _words(theirs, why), _overview(), "warning" if why == LATE else "info")
    params = [
        {"user_id": str(user_id), "assignment_ids": [str(row.pk) for row in theirs], "why": why}
        for user_id, theirs in by_person.items()
    ]
    about = rows[0].template.name if len({row.template_id for row in rows}) == 1 else ""
    if len(params) == 1:
        enqueue(kind=MAIL, params=params[0], about=about)
    elif params:
        enqueue_batch(kind=MAIL, params=params, about=about, message="Telling people of their calls")


def _notify(user_id: UUID, text: str, url: str, level: str = "info") -> None:
    publish_on_commit(f"user:{user_id}", "notification", {"level": level, "text": text, "url": url})


def _words(rows: Sequence[Assignment], why: str) -> str:
    one, many = WORDS[why]
    return one.format(rows[0].template) if len(rows) == 1 else many.format(len(rows))


def _body(rows: Iterable[Assignment], why: str) -> str:
    lines: list[str] = []
    for row in rows:
        lines.append(row.template.name)
        if row.due_at:
            is_past = row.due_at <= timezone.now()
            lines.append(f"{'Was due' if is_past else 'Due'} {row.due_at:%A %d %B %Y, %H:%M} UTC")
        if row.note and why in (ASSIGNED, MOVED):
            lines.append(row.note)
        lines.append("")
    return "\n".join([*lines, f"Your calls: {str(settings.SITE_URL).rstrip('/')}{_overview()}", ""])


def _overview() -> str:
    return reverse("training:overview")


def _name(session: TrainingSession) -> str:
    return f"the call “{session.title}”" if session.title else f"the call of {session.started_at:%d %B %Y, %H:%M} UTC"


def _host() -> str:
    return str(settings.SITE_URL).partition("://")[2].partition("/")[0].partition(":")[0] or "plumbline"
