"""What comes back: from `ask` to its caller, and from a provider to us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A valid `value` in any case; `method` says whose.

    The figures are of this question, all its attempts together, also where the fallback stood in in the end. From the
    cache: no tokens, no cost. `model`: as the provider named it. `prompt_hash`: of the prompt's file, or of the text
    where there is none. `adjusted`: what was moved into the schema's bounds ("score: 1.2 to 1"). `error`: "" or
    "code: why the fallback stood in". `call_id`: the row of ModelCall, if the provider was asked.
    """

    value: T
    method: Literal["model", "fallback"]
    provider: str
    model: str = ""
    prompt_name: str = ""
    prompt_version: int = 0
    prompt_hash: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)
    is_price_known: bool = True
    latency_ms: int = 0
    attempts: int = 0
    is_cached: bool = False
    adjusted: tuple[str, ...] = ()
    error: str = ""
    call_id: UUID | None = None


class Stop(StrEnum):
    """Why the model stopped."""

    END = "end"
    TRUNCATED = "truncated"
    DECLINED = "declined"


@dataclass(frozen=True)
class Reply:
    """A provider's answer, whatever its protocol. `tokens_*`: None where the provider does not say."""

    text: str
    stop: Stop
    model: str
    tokens_in: int | None
    tokens_out: int | None


@dataclass(frozen=True)
class Turn:
    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Question:
    """What a provider is asked. `json_schema`: strict, see `schemas.strict`."""

    system: str
    turns: tuple[Turn, ...]
    schema_name: str
    json_schema: Mapping[str, Any]
    max_tokens: int
