"""What a provider has to know, and the words all of them share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..answer import Question, Reply

Output = Literal["json_schema", "json_object", "words"]


@dataclass(frozen=True)
class Dialect:
    """What a server understands, found out as it refuses: how it is told the schema, and how the length."""

    output: Output = "json_schema"
    length_field: str = "max_tokens"


class NotAReply(ValueError):
    """The server answered 200 with something else."""


class Provider(Protocol):
    path: str
    batches_path: str | None  # None: it takes no batches

    def headers(self, api_key: str) -> dict[str, str]: ...

    def body(self, model: str, question: Question, dialect: Dialect) -> dict[str, Any]: ...

    def reply(self, document: Mapping[str, Any]) -> Reply:
        """Raises NotAReply."""

    def simpler(self, dialect: Dialect, complaint: str) -> Dialect | None:
        """What to try when a request was refused (400, 422) with these words; None: it is not about the dialect."""


def system_of(question: Question, dialect: Dialect) -> str:
    """Where the server does not take a schema, it is told in words."""
    if dialect.output == "json_schema":
        return question.system
    told = (
        "Answer with one JSON object that fits this JSON schema, and with nothing else:\n"
        f"{json.dumps(question.json_schema, ensure_ascii=False)}"
    )
    return f"{question.system}\n\n{told}" if question.system else told


def count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
