"""What searches are tried on: entities of the apps, indexed as a job does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics.models import Entity, EntityTotal
from analytics.services import embeddings, vocabularies
from analytics.services.reindexing import reindex
from quiz.models import Clause
from tests.factories.quiz import make_clause


def make_clauses() -> list[Clause]:
    told = [
        ("4.1.2", "Preheating", "Base metal of A572 is to be preheated to 65 °C before welding."),
        ("4.1.10", "Interpass temperature", "The interpass temperature shall be kept below 260 °C."),
        ("7.3", "Bolts", "High-strength bolts are tightened by turning the nut. Washers go under it."),
        ("8.2", "Inspection of welds", "Visual inspection of all welds shall be done before painting."),
        ("9.1", "Concrete cover", "Reinforcement in foundations needs a concrete cover of 40 mm."),
    ]  # fmt: skip
    return [make_clause(number, title, text=text) for number, title, text in told]


def index() -> None:
    """All of it, and every process-wide memory forgotten: each test has entities of its own."""
    forget()
    reindex()
    forget()


def forget() -> None:
    embeddings.forget()
    vocabularies.forget()


def totals() -> dict[tuple[Any, str], tuple[int, int, int, int]]:
    """As kept: entities, queries, asked for, needing an update; what is all zero is left out."""
    rows = EntityTotal.objects.values_list(
        "organisation_id", "entity_type", "entities", "queries", "with_demand", "needing_update"
    )
    return {(row[0], row[1]): row[2:] for row in rows if any(row[2:])}


def counted() -> dict[tuple[Any, str], tuple[int, int, int, int]]:
    """The same, counted anew from the rows."""
    found: dict[tuple[Any, str], list[int]] = {}
    for entity in Entity.objects.select_related("demand"):
        sums = found.setdefault((entity.organisation_id, entity.entity_type), [0, 0, 0, 0])
        demand = getattr(entity, "demand", None)
        queries = demand.query_count if demand else 0
        for at, value in enumerate((1, queries, int(bool(demand)), int(entity.needs_update))):
            sums[at] += value
    return {key: (sums[0], sums[1], sums[2], sums[3]) for key, sums in found.items()}


Searched = Callable[..., list[str]]
