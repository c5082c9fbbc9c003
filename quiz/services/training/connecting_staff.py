"""What staff of this site do with an organisation's connections, in the admin: its owners have `connecting`."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from ...models import VoiceConnection
from ...training_exceptions import BadConnection
from .connecting import LONGEST_SECRET, SHORTEST_SECRET


def switch_connection(*, connection_id: UUID, is_active: bool) -> None:
    """Off, reports of it are refused like those of an unknown one. Whether the actor may is for the admin to know."""
    VoiceConnection.objects.filter(pk=connection_id).update(is_active=is_active)


def set_secret(*, connection_id: UUID, secret: str) -> None:
    """Another one, agreed with the voice service elsewhere; the former counts no more. Raises BadConnection."""
    is_plain = secret.isascii() and secret.isprintable()
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET or not is_plain:
        told = f"A secret has {SHORTEST_SECRET} to {LONGEST_SECRET} plain characters."
        raise BadConnection(told, extra={"errors": {"secret": [told]}})
    with transaction.atomic():
        connection = VoiceConnection.objects.select_for_update().get(pk=connection_id)
        connection.secret = secret
        connection.save(update_fields=["secret"])
