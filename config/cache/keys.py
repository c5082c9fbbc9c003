"""Names of what is kept: one for each list of parts, and no two alike."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from config.redis_access import key

from .policy import namespace_of

Part = str | int | bool | None | UUID | Decimal | date | datetime
LONGEST = 120  # characters; what is longer is hashed


def cache_key(namespace: str, *parts: Part) -> str:
    """The key in Redis, below the site's prefix; it holds the shape of the namespace, not what is stale (`store` does).

    Parts are told apart by place and type: ("a", "bc") is not ("ab", "c"), 1 is not "1", None is not "".
    TypeError: a part of another type, whose text might be another's. KeyError: undeclared.
    """
    told = namespace_of(namespace)
    text = ",".join(_spelled(part) for part in parts)
    if len(text) > LONGEST:
        text = "#" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return key("cache", told.name, str(told.shape), text)


def _spelled(part: Part) -> str:
    """A letter for the type, and the length of what could contain a comma."""
    match part:
        case None:
            return "n"
        case bool():
            return f"b{part:d}"
        case int():
            return f"i{part}"
        case str():
            return f"s{len(part)}:{part}"
        case UUID():
            return f"u{part.hex}"
        case Decimal():
            return f"d{part}"
        case datetime():
            return f"t{part.isoformat()}"
        case date():
            return f"o{part.isoformat()}"
    raise TypeError(f"A part of a key is text, a number, a date, an id or None, not {type(part).__name__}.")
