"""What is refused of quizzes."""

from __future__ import annotations

from accounts.exceptions import Conflict, Missing, Refused


class CategoryMissing(Missing):
    code = "category_not_found"


class ClauseMissing(Missing):
    code = "clause_not_found"


class AttemptMissing(Missing):
    code = "attempt_not_found"


class BadQuiz(Refused):
    """It can't be asked for like this; `extra` holds `errors` by field."""

    code = "invalid"


class NothingToAsk(Conflict):
    """There is no question for it now; the message says when there will be, or what to pick instead."""

    code = "nothing_to_ask"


class AnswerRefused(Refused):
    """The answer does not fit the question; the message says what it takes."""

    code = "bad_answer"


class AlreadyAnswered(Conflict):
    """Another answer was given before, and counts."""

    code = "already_answered"


class AttemptOver(Conflict):
    """It has been handed in: nothing can be answered any more."""

    code = "attempt_over"


class TimeIsOver(Conflict):
    """The answer came after the exam's end, by the server's clock, and does not count."""

    code = "time_is_over"


class BankMissing(Missing):
    code = "bank_not_found"


class BankBusy(Conflict):
    """It is being read right now: two runs would take each other's changes for their own."""

    code = "bank_busy"


class BankRefused(Refused):
    """The bank can't be like that, or not be read like this; the message says what it takes."""

    code = "bank_refused"


class TooManyVanished(Refused):
    """More questions are gone than are believed without being told; nothing was changed."""

    status = 409
    code = "too_many_vanished"


class NotAQuestionFile(Refused):
    """No file of questions, or one without a single one that could be read; the message says what was expected."""

    code = "not_a_question_file"


class RejectionMissing(Missing):
    code = "rejection_not_found"


class StillUnreadable(Refused):
    """What was mended can't be read either; the message says why."""

    code = "still_unreadable"


class StatisticsMissing(Missing):
    """There is none, or it is not for this person."""

    code = "statistics_not_found"


class EditionMissing(Missing):
    """There is no such edition, or taking questions over to it is not for this person."""

    code = "edition_not_found"


class EditionRefused(Refused):
    """These editions can't be compared, or questions not taken over like this; the message says why."""

    code = "edition_refused"


class PictureMissing(Missing):
    """There is none, or it is not for this person."""

    code = "picture_not_found"


class QuestionMissing(Missing):
    """There is none, or it is not this person's to change."""

    code = "question_not_found"


class KeptElsewhere(Conflict):
    """Its keeper would write over what is changed here; the message says where to change it."""

    code = "kept_elsewhere"


class EditedMeanwhile(Conflict):
    """Somebody else has changed the question since it was opened."""

    code = "edited_meanwhile"


class NotAQuestion(Refused):
    """It can't be asked like this; `extra` holds `field` and the message."""

    code = "not_a_question"
