"""How often one may ask: windows counted in Redis (`windows`), their figures (`policy`), who is counted (`addresses`),
attempts to sign in (`attempts`). The API's side is `config/api/throttles.py`."""

from .addresses import client_address, place_of, stated_address
from .attempts import Attempt, begin_attempt, forget_attempts
from .headers import LimitHeaders
from .policy import is_enabled, limits_of
from .windows import ACQUIRE, Standing, Verdict, Window, arguments_of, count, keys_of, verdict_of

__all__ = [
    "ACQUIRE",
    "Attempt",
    "LimitHeaders",
    "Standing",
    "Verdict",
    "Window",
    "arguments_of",
    "begin_attempt",
    "client_address",
    "count",
    "forget_attempts",
    "is_enabled",
    "keys_of",
    "limits_of",
    "place_of",
    "stated_address",
    "verdict_of",
]
