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
from .loop import DemandSpike, RefreshSetback
from .search import StoredVocabulary

__all__ = [
    "AppliedBatch",
    "AskedQuestion",
    "DeadSignal",
    "DemandBucket",
    "DemandClock",
    "DemandDay",
    "DemandProof",
    "DemandSpike",
    "EmbeddingModel",
    "Entity",
    "EntityDemand",
    "EntityTotal",
    "RefreshSetback",
    "StoredVocabulary",
]
