"""What a model says of the tenders that tests make; free of Django, for a model server's own process."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

from tenders.analysis import Assessment

_TITLE = re.compile(r"Resurfacing of road II/\\?(\d+)")


def title_in(body: dict[str, Any]) -> str:
    found = _TITLE.search(json.dumps(body, ensure_ascii=False))
    return found.group() if found else ""


def assessment(body: dict[str, Any]) -> dict[str, Any]:
    """Says of which tender it was asked, and quotes it; makes one fact up."""
    title = title_in(body)
    return Assessment(
        relevance="low",  # contradicts the score
        score=0.9,
        confidence=0.8,
        factors=[{"name": "terms", "weight": 1, "value": 0.9, "why": "Roads.", "quote": title}],
        summary=f"Read by the model: {title}",
        keywords=["road", "milling", "wearing course"],
        risks=[
            {"text": "two stages", "quote": "Works in two stages."},
            {"text": "made up", "quote": "Penalty of a million"},
        ],
        key_dates=[{"what": "start", "on": dt.date(2027, 1, 1), "quote": "never said"}],
    ).model_dump(mode="json")
