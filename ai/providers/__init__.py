"""How each provider is spoken to: plain HTTP, one shared client.

No vendor's package: `anthropic` takes two seconds to import, brings an HTTP library of its own and retries by itself
while holding a place; three requests with a handful of fields need none of it.
"""

from __future__ import annotations

from . import anthropic, openai
from .protocol import Dialect, Provider

__all__ = ["Dialect", "Provider", "provider_of"]

_PROVIDERS: dict[str, Provider] = {"anthropic": anthropic.Anthropic(), "openai": openai.OpenAI()}


def provider_of(name: str) -> Provider:
    return _PROVIDERS[name]
