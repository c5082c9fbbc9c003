"""What people may look for (entities), what they asked for (demand), and what could not be counted."""

from .demand import (
    AppliedBatch,
    AskedQuestion,
    DeadSignal,
    DemandBucket,
    DemandClock,
    DemandDay,
    DemandProof,
    EntityDemand,
)
from .entity import EmbeddingModel, Entity, EntityTotal
from .search import StoredVocabulary

__all__ = [
    "AppliedBatch",
    "AskedQuestion",
    "DeadSignal",
    "DemandBucket",
    "DemandClock",
    "DemandDay",
    "DemandProof",
    "EmbeddingModel",
    "Entity",
    "EntityDemand",
    "EntityTotal",
    "StoredVocabulary",
]
