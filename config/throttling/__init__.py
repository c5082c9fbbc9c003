"""How often one may ask: windows counted in Redis (`windows`), their figures (`policy`), who is counted (`addresses`),
attempts to sign in (`attempts`). The API's side is `config/api/throttles.py`."""

from .addresses import client_address, place_of
from .attempts import Attempt, begin_attempt, forget_attempts
from .policy import is_enabled, limits_of
from .windows import Standing, Verdict, Window, count

__all__ = [
    "Attempt",
    "Standing",
    "Verdict",
    "Window",
    "begin_attempt",
    "client_address",
    "count",
    "forget_attempts",
    "is_enabled",
    "limits_of",
    "place_of",
]
