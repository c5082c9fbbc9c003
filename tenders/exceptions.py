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


class BadFilter(Refused):
    """A search that can't be carried out; `extra` holds `errors` by field."""

    code = "invalid"


class FileTooLarge(Refused):
    status = 413
    code = "file_too_large"


class TenderMissing(Missing):
    code = "tender_not_found"


class BadProfile(Refused):
    """The profile can't say that; the message says what it takes."""

    code = "bad_profile"


class NoOrganisation(Refused):
    """What was asked is an organisation's, and the person belongs to none."""

    code = "no_organisation"


class OrganisationMissing(Missing):
    code = "organisation_not_found"


class OnlyReads(Refused):
    status = 403
    code = "read_only"


class DecisionRefused(Refused):
    code = "decision_refused"


class ImportMissing(Missing):
    code = "import_not_found"


class SourceRefused(Refused):
    """The source can't be like that; the message says what it takes."""

    code = "source_refused"


class ColumnsRefused(Refused):
    """The columns of a table can't be chosen like that; the message says what it takes."""

    code = "columns_refused"


class NotFetched(Refused):
    """The publisher's server answered that there is nothing here, or not for us: asking again will not help."""

    code = "not_fetched"


class RejectionMissing(Missing):
    code = "rejection_not_found"


class StillUnreadable(Refused):
    """What was mended can't be read either; the message says why."""

    code = "still_unreadable"


class SearchMissing(Missing):
    code = "saved_search_not_found"


class SearchExists(Refused):
    """The search can't be saved like this; the message says why."""

    code = "saved_search_exists"


class ExportMissing(Missing):
    code = "export_not_found"


class ExportRefused(Refused):
    """It can't be exported like this; the message says why."""

    code = "export_refused"


class CalendarMissing(Missing):
    code = "calendar_not_found"


class DocumentMissing(Missing):
    code = "tender_document_not_found"


class NothingToFetch(Refused):
    """The publisher names no document that could be fetched."""

    code = "nothing_to_fetch"
