"""What is refused of tenders and their sources."""

from __future__ import annotations

from accounts.exceptions import Conflict, Missing, Refused


class NotANoticeFile(Refused):
    """No format of notices; the message says what was expected."""

    code = "not_a_notice_file"


class SourceMissing(Missing):
    code = "source_not_found"


class SourceBusy(Conflict):
    """Another import of this source is running: two would wait for each other's rows."""

    code = "source_busy"
