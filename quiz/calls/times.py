"""Times as transcripts write them, in seconds."""

from __future__ import annotations

import re
from datetime import datetime
from math import isfinite

# 1:02:03.5, 02:03,500, 2:03: hours may be left out, minutes not.
CLOCK = r"(?:\d{1,3}:)?\d{1,3}:\d{2}(?:[.,]\d{1,6})?"
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?:[.,](\d{1,6}))?", re.ASCII)
_NUMBER = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s?(ms|s|sec|seconds?)?", re.ASCII)


def clock_seconds(text: str) -> float | None:
    """Of hh:mm:ss.fff; None: no such time (a second minute of 60, say)."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds, fraction = found.groups()
    if int(seconds) > 59 or (hours is not None and int(minutes) > 59):
        return None
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return round(whole + float(f"0.{fraction or 0}"), 6)


def seconds_told(told: object) -> float | None:
    """A number, "12.5", "12.5s", "800ms", a clock's time, or a moment (ISO 8601: seconds since 1970); None: no time."""
    if isinstance(told, bool) or told is None:
        return None
    if isinstance(told, (int, float)):
        try:
            return float(told) if isfinite(told) else None
        except OverflowError:
            return None
    if not isinstance(told, str) or len(told) > 40:
        return None
    text = told.strip()
    if found := _NUMBER.fullmatch(text):
        return float(found[1]) / (1000 if found[2] == "ms" else 1)
    if (clock := clock_seconds(text)) is not None:
        return clock
    try:
        return datetime.fromisoformat(text).timestamp() if "T" in text else None
    except (ValueError, OverflowError):
        return None
