"""What stops a job, and what is refused of one."""

from __future__ import annotations

from accounts.exceptions import Conflict, Missing, PlumblineError, Refused


class JobStopped(BaseException):
    """Ends a handler from outside. Not an `Exception`: a handler's own `except Exception` must not swallow it."""


class Cancelled(JobStopped):
    """Somebody asked for the job to be cancelled; raised by the next `report()` or `checkpoint()`."""


class LeaseLost(JobStopped):
    """The row belongs to another attempt now (or to nobody): whatever this one still writes must not count."""


class HandedBack(JobStopped):
    """This worker is told to stop: the job goes back to the queue; raised by the next `report()` or `checkpoint()`."""


class TimedOut(JobStopped):
    """The handler ran longer than its kind may."""


class JobMissing(Missing):
    code = "job_not_found"


class NotChangeable(Refused):
    """Visible to this user, but not theirs to change."""

    status = 403
    code = "job_read_only"


class TaskMissing(Missing):
    """The schedule lists no task of that name."""

    code = "task_not_found"


class WrongState(Conflict):
    code = "job_wrong_state"


class UnknownKind(Refused):
    code = "job_kind_unknown"


class Crashed(PlumblineError):
    """The process of an isolated job ended without a word."""

    status = 500
    code = "job_crashed"


class OutOfTime(PlumblineError):
    status = 500
    code = "job_timed_out"


class OutOfMemory(PlumblineError):
    status = 500
    code = "job_out_of_memory"


class WorkerLost(PlumblineError):
    """The worker's heartbeat stopped: killed, or cut off from the database."""

    status = 500
    code = "job_worker_lost"
