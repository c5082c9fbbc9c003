"""System checks of the wiring. A server that is half configured must not start: `config/asgi.py` runs these too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register, run_checks
from django.core.exceptions import ImproperlyConfigured

from config.throttling import policy as throttling

TAG = "plumbline"
REQUIRED = {
    "SECRET_KEY": ("plumbline.E001", "Set SECRET_KEY (or SECRET_KEY_FILE) to 50 or more random characters."),
    "ALLOWED_HOSTS": ("plumbline.E002", "Set ALLOWED_HOSTS to the host names this server answers to, comma separated."),
    "DATABASE_URL": ("plumbline.E003", "Set DATABASE_URL, for example postgresql://user:password@host:5432/plumbline."),
    "REDIS_URL": ("plumbline.E004", "Set REDIS_URL, for example redis://host:6379/0."),
}


@register(TAG)
def required_variables(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001-E004: in production nothing is assumed; in development everything has a default."""
    if settings.SETTINGS_MODULE != "config.settings.production":
        return []
    return [
        Error(f"{name} is not set.", hint=hint, id=check_id)
        for name, (check_id, hint) in REQUIRED.items()
        if not (os.environ.get(name) or os.environ.get(f"{name}_FILE"))
    ]


@register(TAG)
def redis_policy_is_known(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E005: a misspelt policy would silently mean one of the two."""
    if settings.JOBS_WHEN_REDIS_IS_DOWN in ("hold", "inline"):
        return []
    hint = "Use hold (jobs wait for Redis) or inline (jobs run in the caller's process)."
    return [Error(f"JOBS_WHEN_REDIS_IS_DOWN is {settings.JOBS_WHEN_REDIS_IS_DOWN!r}.", hint=hint, id="plumbline.E005")]


@register(TAG)
def throttles_can_be_read(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E006: a limit that nobody can read would be found out by the first call."""
    hint = 'Write limits like "100/15 minutes", several separated by semicolons; leave a setting empty for none.'
    return [Error(f"THROTTLES: {what}.", hint=hint, id="plumbline.E006") for what in throttling.misconfigured()]


@register(TAG)
def storage_is_known(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E007: a misspelt storage, or one without a bucket, would be found out by the first upload."""
    if settings.STORAGE == "local" or (settings.STORAGE == "s3" and settings.S3["bucket_name"]):
        return []
    if settings.STORAGE == "s3":
        return [Error("STORAGE is s3, and S3_BUCKET is not set.", hint="Name the bucket.", id="plumbline.E007")]
    hint = "Use local (a folder of this machine) or s3 (a bucket)."
    return [Error(f"STORAGE is {settings.STORAGE!r}.", hint=hint, id="plumbline.E007")]


def refuse_half_configured() -> None:
    """Raise ImproperlyConfigured with every failed check of ours: for processes that run no checks by themselves."""
    failed = [message for message in run_checks(tags=[TAG]) if message.is_serious()]
    if failed:
        raise ImproperlyConfigured("\n".join(f"({m.id}) {m.msg} {m.hint}" for m in failed))
