"""Who may send to us, and how we know that it was them. `POST /api/webhooks/in/{name}` finds its receiver here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson
from django.conf import settings

from . import signing
from .exceptions import UnknownReceiver, WrongSignature

Headers = Mapping[str, str]  # by lower-case name

STANDARD_KIND = "jobs.note_webhook"


def no_event_type(headers: Headers, body: bytes) -> str:
    return ""


@dataclass(frozen=True)
class Receiver:
    """How one sender is understood. All functions get the headers by lower-case name and the raw body.

    verify: raises WrongSignature; compares in constant time and refuses old messages. event_id: the sender's own number
    of the message, by which a repetition is known; only asked after `verify`. handle_kind: the kind of job that handles
    a stored message, with `{"received_id": …}`. event_type: for people; "" where there is none.
    """

    name: str
    verify: Callable[[Headers, bytes], None]
    event_id: Callable[[Headers, bytes], str]
    handle_kind: str
    event_type: Callable[[Headers, bytes], str] = no_event_type


@dataclass(frozen=True)
class ConnectedReceiver:
    """Many senders under one name, each with a connection that says how we know it. `receiver_of(connection)` gives the
    receiver of one; of an unknown one, a receiver that refuses whatever comes as it would a wrong signature.

    /api/webhooks/in/{name} is not opened: who knows no connection knows no sender. The app has an address of its own,
    which calls `receiving.receive_by`.
    """

    name: str
    receiver_of: Callable[[str], Receiver]
    handle_kind: str


_receivers: dict[str, Receiver] = {}
_connected: dict[str, ConnectedReceiver] = {}


def register_receiver(
    name: str,
    *,
    verify: Callable[[Headers, bytes], None],
    event_id: Callable[[Headers, bytes], str],
    handle_kind: str,
    event_type: Callable[[Headers, bytes], str] = no_event_type,
) -> None:
    """Open `/api/webhooks/in/{name}`; in `AppConfig.ready`. Registered twice: ValueError."""
    _refuse_second(name)
    _receivers[name] = Receiver(name, verify, event_id, handle_kind, event_type)


def register_connected(name: str, *, receiver_of: Callable[[str], Receiver], handle_kind: str) -> ConnectedReceiver:
    """Receivers that differ by connection; in `AppConfig.ready`. Registered twice: ValueError."""
    _refuse_second(name)
    _connected[name] = ConnectedReceiver(name, receiver_of, handle_kind)
    return _connected[name]


def _refuse_second(name: str) -> None:
    if name in _receivers or name in _connected:
        raise ValueError(f"Receiver {name!r} is registered twice.")


def receiver_named(name: str) -> Receiver:
    """Registered, or a sender of INCOMING_WEBHOOKS. Raises UnknownReceiver."""
    found = _receivers.get(name)
    if found is None and name in settings.INCOMING_WEBHOOKS:
        found = standard_receiver(name, settings.INCOMING_WEBHOOKS[name].split())
    if found is None:
        raise UnknownReceiver("Nothing is received under this name.")
    return found


def handle_kind_of(source: str) -> str:
    """The kind of job that handles what this receiver has stored. Raises UnknownReceiver."""
    return _connected[source].handle_kind if source in _connected else receiver_named(source).handle_kind


def registered() -> list[Receiver | ConnectedReceiver]:
    found: list[Receiver | ConnectedReceiver] = [*_receivers.values(), *_connected.values()]
    return sorted(found, key=lambda each: each.name)


def standard_receiver(name: str, secrets: list[str], *, handle_kind: str = STANDARD_KIND) -> Receiver:
    """A sender that signs as Standard Webhooks has it; several secrets while one is being changed."""

    def verify(headers: Headers, body: bytes) -> None:
        try:
            signing.verify(secrets, headers=headers, body=body, now=time.time())
        except signing.BadSignature as error:
            raise WrongSignature(str(error)) from None

    return Receiver(name, verify, lambda headers, body: headers[signing.ID], handle_kind, type_in_body)


def type_in_body(headers: Headers, body: bytes) -> str:
    """The member `type` of a JSON object; "" of anything else."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    found = message.get("type") if isinstance(message, dict) else None
    return found if isinstance(found, str) else ""
