"""System checks: a model that can't be asked is found at the start, not by the first job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .configuration import BASE_URLS, OFFLINE


@register()
def model_can_be_asked(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """ai.E001-E004."""
    provider = settings.AI_PROVIDER
    if provider == OFFLINE:
        return []
    if provider not in BASE_URLS:
        known = ", ".join((OFFLINE, *BASE_URLS))
        return [Error(f"AI_PROVIDER is {provider!r}.", hint=f"One of: {known}.", id="ai.E001")]
    found: list[CheckMessage] = []
    if not settings.AI_MODEL:
        found.append(Error("AI_MODEL is not set.", hint="The provider's name of the model to ask.", id="ai.E002"))
    if not settings.AI_API_KEY and not settings.AI_BASE_URL:
        hint = "Set AI_API_KEY or AI_API_KEY_FILE; or AI_BASE_URL for a server of your own that wants none."
        found.append(Error(f"AI_PROVIDER is {provider}, and there is no key.", hint=hint, id="ai.E003"))
    missing = [name for name in _limits_of(provider) if name not in settings.JOBS_LIMITS]
    if missing:
        found.append(Error(f"JOBS_LIMITS lacks {', '.join(missing)}.", hint="See docs/ai.md.", id="ai.E004"))
    return found


def _limits_of(provider: str) -> tuple[str, str, str]:
    return f"model:{provider}", f"model:{provider}:tokens", f"model:{provider}:requests"
