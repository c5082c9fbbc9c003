"""Connections to voice services: what owners do with them. Every write of a connection is here.

Secrets go in and are never read back: a new one is in the answer to what made it, this once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from accounts.models import Membership, Organisation
from jobs.outbound import AddressForbidden, check_url

from ...models import TrainingTemplate, VoiceConnection
from ...training_exceptions import BadConnection, ConnectionMissing

if TYPE_CHECKING:
    from accounts.models import User

MOST_PER_ORGANISATION = 20
SHORTEST_SECRET, LONGEST_SECRET = 24, 200
USUAL_TIMESTAMP = "x-vapi-timestamp"
EDITABLE = ("name", "method", "header", "timestamp_header", "api_url", "api_key", "template_id", "is_active")
_HEADER = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
Method = VoiceConnection.Method


def visible_connection(*, connection_id: UUID, user: User) -> VoiceConnection:
    """For owners of its organisation; for all others there is none. Raises ConnectionMissing."""
    found: VoiceConnection | None = VoiceConnection.objects.visible_to(user).filter(pk=connection_id).first()
    if found is None:
        raise ConnectionMissing("There is no such connection.")
    return found


def create_connection(
    *, actor: User, organisation_id: UUID | None = None, secret: str = "", values: Mapping[str, Any]
) -> VoiceConnection:
    """A new connection of an organisation that the actor owns; of the only one, unless told. `values`: of EDITABLE, at
    least a name. Its `secret`, made here unless one is given, is to be shown now, and never again.

    Raises ConnectionMissing (not an owner), BadConnection.
    """
    with transaction.atomic():
        organisation = _owned(actor, organisation_id)
        if VoiceConnection.objects.filter(organisation=organisation).count() >= MOST_PER_ORGANISATION:
            raise _bad("name", f"An organisation can have {MOST_PER_ORGANISATION} connections. Remove one first.")
        connection = VoiceConnection(organisation=organisation, created_by=actor, secret=_secret(secret))
        if values.get("method") == Method.HMAC:
            connection.timestamp_header = USUAL_TIMESTAMP
        _take(connection, values)
        connection.save(force_insert=True)
    return connection


def change_connection(*, connection_id: UUID, actor: User, values: Mapping[str, Any]) -> VoiceConnection:
    """Change what is given, of EDITABLE. An `api_key` of "" removes it. Raises ConnectionMissing, BadConnection."""
    with transaction.atomic():
        connection = _locked(connection_id, actor)
        before = connection.api_url
        _take(connection, values)
        if connection.api_url != before:
            connection.reconciled_until = None
        connection.save()
    return connection


def rotate_secret(*, connection_id: UUID, actor: User, secret: str = "") -> VoiceConnection:
    """A new `secret`, to be shown now and never again. The former one counts no more from this moment: what the voice
    service sends until it is told is refused, and found again by reconciling. Raises ConnectionMissing, BadConnection.
    """
    with transaction.atomic():
        connection = _locked(connection_id, actor)
        connection.secret = _secret(secret)
        connection.save(update_fields=["secret"])
    return connection


def remove_connection(*, connection_id: UUID, actor: User) -> None:
    """Its calls stay. Raises ConnectionMissing."""
    with transaction.atomic():
        _locked(connection_id, actor).delete()


def _locked(connection_id: UUID, actor: User) -> VoiceConnection:
    rows = VoiceConnection.objects.select_for_update(of=("self",)).visible_to(actor)
    connection: VoiceConnection | None = rows.filter(pk=connection_id).first()
    if connection is None:
        raise ConnectionMissing("There is no such connection.")
    return connection


def _owned(actor: User, organisation_id: UUID | None) -> Organisation:
    """Locked: two requests at once must not both make the last one."""
    owned = Membership.objects.of(actor).filter(role=Membership.Role.OWNER)
    ids = list(owned.order_by("created_at", "pk").values_list("organisation_id", flat=True)[:2])
    if organisation_id is None and len(ids) > 1:
        raise _bad("organisation", "You own several organisations: say which one.")
    wanted = organisation_id or (ids[0] if ids else None)
    if wanted is None or not owned.filter(organisation_id=wanted).exists():
        raise ConnectionMissing("Only the owner of an organisation can connect a voice service to it.")
    return Organisation.objects.select_for_update().get(pk=wanted)


def _take(connection: VoiceConnection, values: Mapping[str, Any]) -> None:
    for field in EDITABLE:
        if field in values:
            setattr(connection, field, values[field])
    connection.name = " ".join(connection.name.split())
    if not connection.name or len(connection.name) > 80:
        raise _bad("name", "Give it a name of at most 80 characters.")
    if connection.method not in Method.values:
        raise _bad("method", f"Choose one of {', '.join(Method.values)}.")
    for field in ("header", "timestamp_header"):
        setattr(connection, field, _header(field, getattr(connection, field)))
    _check_api(connection)
    if "template_id" in values and connection.template_id is not None:
        _check_template(connection.organisation_id, connection.template_id)


def _check_template(organisation_id: UUID, template_id: UUID) -> None:
    if not TrainingTemplate.objects.filter(organisation_id=organisation_id, pk=template_id).exists():
        raise _bad("template", "There is no such template.")


def _header(field: str, name: str) -> str:
    name = name.strip().lower()
    if name and not _HEADER.fullmatch(name):
        raise _bad(field, "The name of a header has letters, digits and -, such as x-vapi-signature.")
    return name


def _check_api(connection: VoiceConnection) -> None:
    connection.api_url = connection.api_url.strip().rstrip("/")
    if len(connection.api_url) > 300 or any(letter in connection.api_url for letter in "?#"):
        raise _bad("api_url", "Give the address without ? and #, at most 300 characters: https://api.vapi.ai")
    if connection.api_url:
        try:
            check_url(connection.api_url)
        except AddressForbidden as error:
            raise _bad("api_url", str(error)) from error
    connection.api_key = connection.api_key.strip()
    if len(connection.api_key) > 200 or not connection.api_key.isascii() or not connection.api_key.isprintable():
        raise _bad("api_key", "This is no key: at most 200 plain characters.")


def _secret(given: str) -> str:
    """As given, or a new one."""
    if not given:
        return secrets.token_urlsafe(32)
    if not SHORTEST_SECRET <= len(given) <= LONGEST_SECRET or not given.isascii() or not given.isprintable():
        raise _bad("secret", f"A secret has {SHORTEST_SECRET} to {LONGEST_SECRET} plain characters. Leave it empty.")
    return given


def _bad(field: str, message: str) -> BadConnection:
    return BadConnection(message, extra={"errors": {field: [message]}})
