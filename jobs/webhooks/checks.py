"""System checks of webhooks and of requests to the outside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from ..registry import kinds
from .receivers import registered
from .signing import BadSecret, key_of

NAME = re.compile(r"[a-z0-9_-]{1,40}")


@register()
def networks_are_networks(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """jobs.E020: a network misspelt would only be noticed at the first delivery."""
    found: list[CheckMessage] = []
    for text in settings.OUTBOUND_ALLOWED_NETWORKS:
        try:
            ip_network(text)
        except ValueError as error:
            hint = "Write networks as 10.20.0.0/16 or fd00::/8, separated by commas."
            found.append(Error(f"OUTBOUND_ALLOWED_NETWORKS: {error}", hint=hint, id="jobs.E020"))
    if settings.OUTBOUND_CA_FILE and not Path(settings.OUTBOUND_CA_FILE).is_file():
        hint = "Name a file with certificates in PEM form, or leave it empty."
        found.append(Error("OUTBOUND_CA_FILE names no file.", hint=hint, id="jobs.E020"))
    return found


@register()
def senders_have_secrets(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """jobs.E021: a sender without a proper secret could not be told from anybody else."""
    hint = 'Write {"name": "whsec_…"}: names of a-z, 0-9, _ and -; secrets of 24 to 64 bytes in base64.'
    senders: Any = settings.INCOMING_WEBHOOKS  # whatever JSON the environment has
    if not isinstance(senders, dict):
        return [Error("INCOMING_WEBHOOKS is no JSON object.", hint=hint, id="jobs.E021")]
    taken = {receiver.name for receiver in registered()}
    bad = [
        name
        for name, secrets in senders.items()
        if name in taken or not NAME.fullmatch(name) or not _are_secrets(secrets)
    ]
    return [Error(f"INCOMING_WEBHOOKS: {name!r} is not usable.", hint=hint, id="jobs.E021") for name in bad]


def _are_secrets(secrets: Any) -> bool:
    if not isinstance(secrets, str) or not secrets.split():
        return False
    try:
        return all(key_of(secret) for secret in secrets.split())
    except BadSecret:
        return False


@register()
def receivers_have_handlers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """jobs.E022: messages of such a receiver would be refused when they come."""
    known = {kind.name for kind in kinds()}
    return [
        Error(
            f"Receiver {receiver.name!r} is handled by the unknown kind {receiver.handle_kind!r}.",
            hint="Register the kind in the app's handlers.py.",
            id="jobs.E022",
        )
        for receiver in registered()
        if receiver.handle_kind not in known
    ]
