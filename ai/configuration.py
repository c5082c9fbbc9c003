"""Which model is asked, where, and with whose key: from the settings AI_*."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.utils.crypto import salted_hmac

OFFLINE = "offline"
BASE_URLS = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com"}


@dataclass(frozen=True)
class Configuration:
    """`base_url` without /v1 and without a slash at its end."""

    provider: str
    model: str
    base_url: str
    api_key: str = field(repr=False)

    @property
    def limit_name(self) -> str:
        """In JOBS_LIMITS; its buckets are this with `:tokens` and `:requests`."""
        return f"model:{self.provider}"

    @property
    def fingerprint(self) -> str:
        """Changes with the key too, so that a new key is not held up by what was said of the old one."""
        text = "\n".join((self.provider, self.model, self.base_url, self.api_key))
        return salted_hmac("ai.configuration", text, algorithm="sha256").hexdigest()[:32]


def current() -> Configuration | None:
    """None: offline. A provider that is not known is found by the check ai.E001."""
    provider = settings.AI_PROVIDER
    if provider == OFFLINE:
        return None
    base_url = (settings.AI_BASE_URL or BASE_URLS[provider]).rstrip("/").removesuffix("/v1")
    return Configuration(provider, settings.AI_MODEL, base_url, settings.AI_API_KEY)
