"""Webhooks: what we tell others (Standard Webhooks, from an outbox), and what others tell us (stored first).

Higher floors use `declare` and `emit` to tell of what happened, and `register_receiver`, or
`register_connected` where each organisation has its own, to hear from a new sender.
"""

from .emitting import emit, emit_each, listening_organisations
from .event_types import EventType, declare, event_types
from .links import link_to
from .receivers import Receiver, register_connected, register_receiver

__all__ = [
    "EventType",
    "Receiver",
    "declare",
    "emit",
    "emit_each",
    "event_types",
    "link_to",
    "listening_organisations",
    "register_connected",
    "register_receiver",
]
