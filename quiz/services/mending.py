"""A record of a file that could not be taken, mended by hand and read again."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from ..exceptions import NotAQuestionFile, RejectionMissing, StillUnreadable
from ..exchange import NotReadable, Rejected, read
from ..models import Bank, SyncRejection, SyncRun
from . import files

if TYPE_CHECKING:
    from accounts.models import User

LONGEST = 100_000


def read_again(*, rejection_id: UUID, actor: User, text: str) -> SyncRun:
    """Read the mended text, one question or several, into the edition that it came for; all of it or nothing.

    Raises RejectionMissing, StillUnreadable, BankBusy.
    """
    banks = Bank.objects.changeable_by(actor).exclude(kind=Bank.Kind.AIRTABLE)
    open_ones = SyncRejection.objects.unresolved().filter(bank__in=banks)
    rejection = open_ones.select_related("bank", "run").filter(pk=rejection_id).first()
    if rejection is None:
        raise RejectionMissing("There is no such open rejection of a file. Mend records of Airtable there, and retry.")
    content = text[:LONGEST].encode()
    _check(content)
    run = SyncRun(bank=rejection.bank, kind=SyncRun.Kind.RETRY, filename=rejection.run.filename, started_by=actor)
    try:
        files.import_file(
            bank=rejection.bank,
            stream=io.BytesIO(content),
            filename=f"{rejection.record_id} mended",  # of which nothing was rejected before
            edition=rejection.run.edition,
            actor_id=actor.pk,
            run=run,
            replaces_edits=True,  # a person has read it
        )
    except NotAQuestionFile as error:
        raise StillUnreadable(str(error)) from error
    rejection.resolved_at, rejection.resolved_by = timezone.now(), actor
    rejection.save(update_fields=["resolved_at", "resolved_by"])
    return run


def _check(content: bytes) -> None:
    try:
        for found in read(io.BytesIO(content)):
            if isinstance(found, Rejected):
                raise StillUnreadable(found.reason)
    except NotReadable as error:
        raise StillUnreadable(str(error)) from error
