"""Every write of jobs. What other apps call is here; transitions made by workers are in `lifecycle`."""

from .batches import counts_of
from .control import cancel, retry
from .enqueueing import enqueue, enqueue_batch
from .history import estimate_seconds, rested

__all__ = ["cancel", "counts_of", "enqueue", "enqueue_batch", "estimate_seconds", "rested", "retry"]
