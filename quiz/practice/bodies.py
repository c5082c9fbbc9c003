"""The stored body of a question (`QuestionVersion.body`), typed. Shares and numbers are strings."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class ChoiceBody(TypedDict):
    id: str
    text: str
    share: str
    feedback: NotRequired[str]


class AcceptedBody(TypedDict):
    text: str
    share: str
    feedback: NotRequired[str]


class RangeBody(TypedDict):
    low: str
    high: str
    share: str
    feedback: NotRequired[str]


class PairBody(TypedDict):
    """An empty `left` is a distractor among the rights."""

    id: str
    left: str
    right: str


class PartBody(TypedDict):
    id: str
    text: str


class Body(TypedDict, total=False):
    """Only what the question's kind needs."""

    choices: list[ChoiceBody]
    accepted: list[AcceptedBody]
    is_case_sensitive: bool
    ranges: list[RangeBody]
    pairs: list[PairBody]
    sequence: list[PartBody]


class Given(TypedDict, total=False):
    """An answer, by ids of the body: single and true_false give `choice`, multiple `choices`, short and numeric `text`,
    matching `pairs` (id of a left to id of a right), ordering `sequence`."""

    choice: str
    choices: list[str]
    text: str
    pairs: dict[str, str]
    sequence: list[str]
