"""A call's report as a PDF: what was measured, every grade with its quotes, what the coach wrote. Set by Typst."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from jobs.services import enqueue

from ...models import SessionFile, TrainingSession
from ...training_exceptions import NotProcessed, SessionMissing
from . import files
from .access import visible_session
from .presenting import session_view, whole_session
from .processing_start import SUBJECT
from .reports_content import content_of

if TYPE_CHECKING:
    from jobs.models import Job

REPORT = "quiz.write_call_report"
PAGE = Path(__file__).resolve().parents[2] / "typesetting" / "call.typ"
Report = Callable[[int, int, str], None]
Finishing = Callable[[], AbstractContextManager[Callable[[Any], None]]]


def start_report(*, session_id: UUID, actor: User) -> Job:
    """Of a call that one sees, as it stands; one job a call at a time. Raises SessionMissing, NotProcessed."""
    session = visible_session(session_id=session_id, user=actor)
    if not session.clean:
        raise NotProcessed("This call is still being worked on. Wait until it is graded.")
    return enqueue(
        kind=REPORT,
        params={"session_id": str(session.pk)},
        actor=actor,
        subject=(SUBJECT, session.pk),
        about=str(session),
        dedupe_key=f"{REPORT}:{session.pk}",
    )


def write_report(*, session_id: UUID, actor_id: UUID | None, report: Report, finishing: Finishing) -> None:
    """In the place of the one before. Raises SessionMissing: whoever asked sees the call no more."""
    actor = User.objects.filter(pk=actor_id).first() if actor_id else None
    if actor is None:
        raise SessionMissing("Whoever asked for this report is not here any more.")
    report(0, 2, "Setting the pages")
    session = whole_session(session_id=session_id, user=actor)
    pdf = pdf_of(content_of(session_view(session, actor), at=timezone.now()))
    report(1, 2, "Storing the report")
    row = files.put(
        session_id=session_id,
        kind=SessionFile.Kind.REPORT,
        name=f"{str(session)[:150].replace('/', '-')}.pdf",
        content=ContentFile(pdf),
        content_type="application/pdf",
        size=len(pdf),
        digest=hashlib.sha256(pdf).hexdigest(),
    )
    with files.dropped_unless_stored(row), finishing() as finish:
        _replace(session_id, row)
        finish({"file_id": str(row.pk), "size": row.size})


def pdf_of(content: dict[str, Any]) -> bytes:
    """All text is data to the typesetter, whatever it looks like."""
    import typst  # 60 MB of it, which only the worker that sets a page shall hold

    pdf = typst.compile(str(PAGE), format="pdf", sys_inputs={"call": orjson.dumps(content).decode()})
    assert isinstance(pdf, bytes)
    return pdf


def _replace(session_id: UUID, row: SessionFile) -> None:
    if TrainingSession.objects.select_for_update(of=("self",)).only("id").filter(pk=session_id).first() is None:
        raise SessionMissing("There is no such call any more.")
    before = list(SessionFile.objects.filter(session_id=session_id, kind=SessionFile.Kind.REPORT))
    SessionFile.objects.filter(pk__in=[each.pk for each in before]).delete()
    row.save(force_insert=True)
    for each in before:
        transaction.on_commit(partial(files.drop, each), robust=True)
