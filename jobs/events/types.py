"""What is said on the channels: one TypedDict for each type of event. Also documented, for clients, in docs/jobs.md."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

EventType = Literal[
    "progress",
    "job_complete",
    "job_failed",
    "job_cancelled",
    "position_updated",
    "document_uploaded",
    "budget_recalculated",
    "chat_message",
    "chat_delta",
    "notification",
    "demand_moved",
    "presence",
]


class JobState(TypedDict):
    """The full state of a job as pages draw it: in snapshots, and the base of every event about a job."""

    job_id: str
    kind: str
    title: str
    status: str
    attempt: int
    batch_id: str | None
    subject_type: str
    subject_id: str | None
    about: str  # the subject's name, for people
    progress: float  # 0-1
    done: int
    total: int
    message: str  # "Auditing position 15/53: Beton C30/37"
    eta_seconds: float | None
    detail: dict[str, Any]  # whatever else the handler reported: {"green": 12, …}


class ProgressData(JobState):
    """`progress`: also when a job starts, and when it waits for its next attempt (status "retrying")."""


class JobCompleteData(JobState):
    result: Any


class JobFailedData(JobState):
    error: str  # for people
    code: str


class JobCancelledData(JobState):
    """`job_cancelled`."""


class PositionUpdatedData(TypedDict):
    project_id: str
    position_ids: list[str]
    version: NotRequired[int]


class DocumentUploadedData(TypedDict):
    project_id: str
    document_id: str
    name: str
    status: NotRequired[str]


class BudgetRecalculatedData(TypedDict):
    project_id: str
    version: int
    total: str  # decimal
    currency: str


class ChatMessageData(TypedDict):
    """`chat_message`: one has come, or is another now (answered, failed, its proposal decided)."""

    project_id: str
    message_id: str
    question_id: str | None  # of an answer
    author: str  # user or assistant
    status: str
    proposal: str
    text: str  # how it begins


class ChatDeltaData(TypedDict):
    """`chat_delta`: how far an answer is; `text` is all of it so far."""

    project_id: str
    message_id: str
    step: str
    text: str


class NotificationData(TypedDict):
    level: Literal["info", "success", "warning", "error"]
    text: str
    url: NotRequired[str]


class DemandMovedData(TypedDict):
    """`demand_moved`: figures of these entities are others now. None: of those that everybody sees."""

    organisation_id: str | None


class Event(TypedDict):
    """One frame as clients get it. `seq` grows by one per channel; `timestamp` is ISO 8601, UTC."""

    type: EventType
    channel: str
    seq: int
    timestamp: str
    data: dict[str, Any]
