"""Limits shared by all workers on all hosts: how many at once, how much per minute. See docs/limits.md.

with limits.get("model:anthropic").hold(timeout_s=60, queue="high") as lease:
    ...
"""

from .bucket import TokenBucket
from .calls import aclose
from .concurrency import ConcurrencyLimit
from .exceptions import LimitBusy, LimitPaused, LimitUnreachable, PlaceLost, TooLarge, UnknownLimit
from .lease import Lease
from .registry import get, get_bucket, states
from .states import BucketState, Holder, LimitState

__all__ = [
    "BucketState",
    "ConcurrencyLimit",
    "Holder",
    "Lease",
    "LimitBusy",
    "LimitPaused",
    "LimitState",
    "LimitUnreachable",
    "PlaceLost",
    "TokenBucket",
    "TooLarge",
    "UnknownLimit",
    "aclose",
    "get",
    "get_bucket",
    "states",
]
