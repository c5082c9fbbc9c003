"""Demand and entities in the admin."""

from . import demand, entities, loop

__all__ = ["demand", "entities", "loop"]
