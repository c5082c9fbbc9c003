"""What goes wrong with a limit. All but misuse is temporary: the job that met it is tried again."""

from __future__ import annotations

from accounts.exceptions import PlumblineError, Refused, Temporary


class LimitBusy(Temporary):
    """No place, or not enough of a bucket, became free while the caller was willing to wait."""

    code = "limit_busy"


class LimitPaused(LimitBusy):
    """Nobody gets a place before the pause ends, which is later than the caller would wait; `retry_after_s` is set."""

    code = "limit_paused"


class PlaceLost(Temporary):
    """The lease ran out while its holder was stopped or cut off from Redis; the place may be another's by now."""

    code = "limit_place_lost"


class LimitUnreachable(Temporary):
    """Redis, which counts for all workers, can't be reached: nobody knows whether there is room."""

    code = "limit_unreachable"


class TooLarge(Refused):
    """More than the bucket ever holds: waiting would never help."""

    code = "limit_request_too_large"


class UnknownLimit(PlumblineError):
    """The settings have no limit of this name and sort."""

    status = 500
    code = "limit_unknown"
