"""The only door to language models: a schema in, a validated object out. See docs/ai.md.

    answer = ai.ask(Assessment, prompt, purpose="tenders.assess", fallback=by_rules)

Names are looked up when they are used: this package is imported before the tables of its app may be.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import prompts, redaction
    from .answer import Answer
    from .exceptions import (
        AnswerInvalid,
        BatchesMissing,
        BatchUnderWay,
        BudgetSpent,
        ModelDeclined,
        ModelUnavailable,
        ProviderMissing,
        ProviderRefused,
        RequestRejected,
    )
    from .prompts import Prompt, data
    from .services.asking import ask
    from .services.status import State, state

__all__ = [
    "Answer",
    "AnswerInvalid",
    "BatchUnderWay",
    "BatchesMissing",
    "BudgetSpent",
    "ModelDeclined",
    "ModelUnavailable",
    "Prompt",
    "ProviderMissing",
    "ProviderRefused",
    "RequestRejected",
    "State",
    "ask",
    "data",
    "prompts",
    "redaction",
    "state",
]

_HOMES = {
    "Answer": ".answer",
    "Prompt": ".prompts",
    "State": ".services.status",
    "ask": ".services.asking",
    "data": ".prompts",
    "state": ".services.status",
}
_MODULES = ("prompts", "redaction")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, ".exceptions"), __name__), name)
