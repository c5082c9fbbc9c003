"""A stand-in for the provider, and settings that ask it without patience."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, Field

from ai.services import conversation
from jobs.connections import breaker_of, queue_redis, queue_url

from . import stand_in
from .stand_in import StandIn


class Verdict(BaseModel):
    title: str = Field(max_length=40)
    score: float = Field(ge=0, le=1)
    tags: list[str] = Field(min_length=1, max_length=3)


def by_rules() -> Verdict:
    return Verdict(title="By rules", score=0, tags=["none"])


def limits_of(provider: str, **changed: Any) -> dict[str, Any]:
    return {
        f"model:{provider}": {"size": 20, "lease_s": 20, "reserved": {"high": 4}, "raise_after": 1, **changed},
        f"model:{provider}:tokens": {"per_minute": 50_000_000},
        f"model:{provider}:requests": {"per_minute": 1_000_000},
    }


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in.running() as server:
        yield server


@pytest.fixture
def anthropic(server: StandIn, settings: Any) -> StandIn:
    return _configure("anthropic", server, settings)


@pytest.fixture
def openai(server: StandIn, settings: Any) -> StandIn:
    return _configure("openai", server, settings)


def _configure(provider: str, server: StandIn, settings: Any) -> StandIn:
    queue_redis().flushdb()
    breaker_of(queue_url()).worked()
    conversation._dialects.clear()
    settings.AI_PROVIDER = provider
    settings.AI_MODEL = "claude-haiku-4-5"
    settings.AI_API_KEY = "key-of-the-test"
    settings.AI_BASE_URL = server.url
    settings.AI_TIMEOUT_S = 10
    settings.AI_WAIT_S = 60
    settings.AI_BACKOFF_S = (0.01, 0.05)
    settings.AI_DAILY_BUDGET_USD = Decimal(100)
    settings.JOBS_LIMITS = limits_of(provider)
    return server
