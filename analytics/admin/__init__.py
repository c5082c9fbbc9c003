"""Demand and entities in the admin."""

from . import demand

__all__ = ["demand"]
