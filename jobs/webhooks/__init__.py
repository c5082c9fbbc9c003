"""Webhooks: what we tell others (Standard Webhooks, from an outbox), and what others tell us (stored first).

Higher floors use `declare` and `emit` to tell of what happened, and `register_receiver` to hear from a new sender.
"""

from .emitting import emit
from .event_types import EventType, declare, event_types
from .links import link_to
from .receivers import Receiver, register_receiver

__all__ = ["EventType", "Receiver", "declare", "emit", "event_types", "link_to", "register_receiver"]
