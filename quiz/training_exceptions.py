"""What is refused of training calls."""

from __future__ import annotations

from accounts.exceptions import Conflict, Missing, Refused


class TemplateMissing(Missing):
    code = "template_not_found"


class RubricMissing(Missing):
    code = "rubric_not_found"


class AssignmentMissing(Missing):
    code = "assignment_not_found"


class SessionMissing(Missing):
    code = "session_not_found"


class NoteMissing(Missing):
    code = "note_not_found"


class CoachesOnly(Refused):
    """It can be seen, and changing it is for coaches and owners."""

    status = 403
    code = "coaches_only"


class OnlyLooksOn(Refused):
    """Those who only look on change nothing, not even of their own calls."""

    status = 403
    code = "read_only"


class NotYourNote(Refused):
    status = 403
    code = "not_your_note"


class BadTemplate(Refused):
    """A template or rubric can't be like that; `extra` holds `errors` by field, those of criteria in their order."""

    code = "invalid"


class BadAssignment(Refused):
    """It can't be assigned like this; `extra` holds `errors` by field."""

    code = "invalid"


class BadReview(Refused):
    """A note or a score can't be like that; `extra` holds `errors` by field."""

    code = "invalid"


class TemplateArchived(Conflict):
    code = "template_archived"


class ChangedMeanwhile(Conflict):
    """Somebody else has changed it since it was opened; `extra` holds `seen`, what it is now."""

    code = "edited_meanwhile"


class AssignmentOver(Conflict):
    """It is completed or withdrawn."""

    code = "assignment_over"


class NotProcessed(Conflict):
    """The call is still being worked on, or could not be; the message says which."""

    code = "not_processed"


class SessionClosed(Conflict):
    """The review is over; a coach can open it again."""

    code = "session_closed"


class NothingToJudgeBy(Conflict):
    """The call has no template, or its template no criteria."""

    code = "no_rubric"


class ConnectionMissing(Missing):
    """There is none, or it is not for this person: connections hold secrets."""

    code = "voice_connection_not_found"


class BadConnection(Refused):
    """A connection can't be like that; `extra` holds `errors` by field."""

    code = "invalid"


class NotATranscript(Refused):
    """The file is no transcript, or none that can be read; the message says what was expected."""

    code = "not_a_transcript"


class NotARecording(Refused):
    code = "not_a_recording"


class FileTooLarge(Refused):
    status = 413
    code = "file_too_large"


class FileMissing(Missing):
    code = "file_not_found"


class LinkExpired(Refused):
    """The link's time has passed, or it is none of ours. A new one is had where the old one was."""

    status = 403
    code = "link_expired"


class CallsNotListed(Refused):
    """The voice service does not tell of its calls; the message says what to look at."""

    code = "calls_not_listed"


class OrganisationMissing(Missing):
    """There is none, or this person is no member of it."""

    code = "organisation_not_found"


class BadPeriod(Refused):
    """Figures can't be asked for like this; `extra` holds `parameter`."""

    code = "invalid"


class BadForm(Refused):
    """A form of a page says what can't be; the message says what."""

    code = "invalid"
