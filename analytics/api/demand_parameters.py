"""Parameters of demand's endpoints: bounded, and refused in words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from uuid import UUID

from ..exceptions import BadRequest
from ..streams.trends import SPANS

LIMIT, MOST = 10, 100
_WHOLE = re.compile(r"[0-9]{1,9}\Z")
_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,19}\Z")


def whole(told: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = told.get(name)
    if text is None:
        return default
    if not _WHOLE.match(text) or not least <= int(text) <= most:
        raise BadRequest(f"`{name}` is a whole number from {least} to {most}.", extra={"parameter": name})
    return int(text)


def limit_of(told: Mapping[str, str]) -> int:
    return whole(told, "limit", default=LIMIT, least=1, most=MOST)


def number(told: Mapping[str, str], name: str, *, default: float, least: float, most: float) -> float:
    text = told.get(name)
    if text is None:
        return default
    try:
        value = float(text) if len(text) <= 20 else math.nan
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise BadRequest(f"`{name}` is a number from {least:g} to {most:g}.", extra={"parameter": name})
    return value


def type_of(told: Mapping[str, str]) -> str:
    """ "": any."""
    text = told.get("entity_type", "")
    if text and not _TYPE.match(text):
        raise BadRequest('`entity_type` is a word such as "clause" or "tender".', extra={"parameter": "entity_type"})
    return text


def timeframe_of(told: Mapping[str, str]) -> str:
    text = told.get("timeframe", "7d")
    if text not in SPANS:
        raise BadRequest(f"`timeframe` is one of {', '.join(SPANS)}.", extra={"parameter": "timeframe"})
    return text


def truth(told: Mapping[str, str], name: str) -> bool:
    text = told.get(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise BadRequest(f"`{name}` is true or false.", extra={"parameter": name})
    return text in ("true", "1")


def identity(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadRequest(
            f"{text[:60]!r} is no id of an entity: that looks like 6f9619ff-8b86-d011-b42d-00cf4fc964ff.",
            code="invalid_id",
        ) from None
