"""The step that tells: the learner and the coaches, on whatever page they look at; the learner by e-mail; other systems
by webhook. In the transaction that says that it is done, so each is told once."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import User
from jobs.events import publish_on_commit
from jobs.services import enqueue

from ...models import TrainingSession
from ...training_webhooks import tell_graded
from . import organisation
from .access import coaches_of
from .telling import address_of

MAIL = "quiz.mail_graded_call"
NO_MAIL = ("console", "dummy")  # backends that send none


def tell(session: TrainingSession) -> None:
    session = TrainingSession.objects.select_related("template", "user").get(pk=session.pk)
    organisation.invalidate(session.organisation_id)
    link = address_of(session)
    if session.user_id:
        _notify(session.user_id, f"Your call “{session}” is {_done(session)}.", link)
    whose = f" of {session.user}" if session.user else ""
    for user_id in coaches_of(session.organisation_id):
        if user_id != session.user_id:
            _notify(user_id, f"The call “{session}”{whose} is {_done(session)}.", link)
    if session.user_id and sends_mail():
        enqueue(kind=MAIL, params={"session_id": str(session.pk), "user_id": str(session.user_id)}, about=str(session))
    if session.rubric_id:
        tell_graded(session)


def _done(session: TrainingSession) -> str:
    """Of a call without anything to judge it by nobody says that it was judged."""
    return "graded" if session.rubric_id else "measured"


def sends_mail() -> bool:
    """Is there a way to send any? (EMAIL_URL)"""
    return not any(f".{name}." in str(settings.EMAIL_BACKEND) for name in NO_MAIL)


def mail(*, session_id: UUID, user_id: UUID, job_id: UUID) -> bool:
    """False: the person is gone, or sees the call no more.

    At least once, as jobs are: sent again after a crash, it has the same Message-ID, by which mail servers know it.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None or not user.is_active:
        return False
    session = TrainingSession.objects.visible_to(user).select_related("template").filter(pk=session_id).first()
    if session is None or session.user_id != user.pk:
        return False
    host = str(settings.SITE_URL).partition("://")[2].partition("/")[0].partition(":")[0] or "plumbline"
    message = EmailMessage(
        " ".join(f"Plumbline: your call “{session}” is {_done(session)}".split()),  # a header takes no line breaks
        _body(session),
        settings.DEFAULT_FROM_EMAIL,
        [user.email],
        headers={"Message-ID": f"<call-{job_id}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    message.send()
    return True


def _body(session: TrainingSession) -> str:
    """Neither the words of the call nor its scores: mail is read by others on its way."""
    graded = " and graded" if session.rubric_id else ""
    lines = [f"Your call “{session}” of {session.started_at:%d %B %Y} has been measured{graded}."]
    if session.rubric_id and session.overall is None:
        lines.append("Nobody has judged its qualities yet: you can ask a coach for a review on its page.")
    link = str(settings.SITE_URL).rstrip("/") + address_of(session)
    return "\n".join([*lines, "", f"Look at it: {link}", ""])


def _notify(user_id: UUID, text: str, url: str) -> None:
    publish_on_commit(f"user:{user_id}", "notification", {"level": "info", "text": text, "url": url})
