"""What can go wrong with demand, in words for people."""

from __future__ import annotations

from accounts.exceptions import Conflict, Missing, Refused


class BadRequest(Refused):
    """A parameter is not what it must be."""

    code = "invalid_parameter"


class EntityNotFound(Missing):
    """There is no such entity, or not for this user."""

    code = "entity_not_found"


class DeadSignalStaysDead(Conflict):
    """It can't be counted now either."""

    code = "signal_impossible"


class SourceMissing(Missing):
    """No app registers entities under this name."""

    code = "source_not_found"


class BadQuestion(Refused):
    """It is empty, too long, or holds what no text holds."""

    code = "invalid_question"


class RefreshNotAllowed(Refused):
    """The person only looks on."""

    status = 403
    code = "refresh_not_allowed"


class SpendingNotVisible(Missing):
    """What models cost is for staff and for owners of organisations."""

    code = "spending_not_found"
