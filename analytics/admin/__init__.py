"""Demand and entities in the admin."""

from . import demand, entities

__all__ = ["demand", "entities"]
