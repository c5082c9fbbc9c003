"""What this process counts of calls to models, for Prometheus."""

from __future__ import annotations

from decimal import Decimal

from prometheus_client import Counter

CALLS = Counter("plumbline_model_calls", "Questions to models, by what came of them.", ["purpose", "result"])
FAULTS = Counter("plumbline_model_faults", "Attempts that gave no usable answer.", ["provider", "code"])
TOKENS = Counter("plumbline_model_tokens", "Tokens read and written.", ["model", "direction"])
COST = Counter("plumbline_model_cost_usd", "Money, by the price list of the settings.", ["model"])


def note_end(
    *, purpose: str, result: str, model: str, tokens_in: int = 0, tokens_out: int = 0, cost_usd: Decimal = Decimal(0)
) -> None:
    CALLS.labels(purpose, result).inc()
    if tokens_in or tokens_out:
        TOKENS.labels(model, "in").inc(tokens_in)
        TOKENS.labels(model, "out").inc(tokens_out)
    if cost_usd:
        COST.labels(model).inc(float(cost_usd))


def note_fault(*, provider: str, code: str) -> None:
    FAULTS.labels(provider, code).inc()
