"""`audit_results.json` of the older store, in both generations: what it said is history, never today's audit."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

_GRADES = {
    "green": "green", "g": "green", "ok": "green", "amber": "amber", "a": "amber", "yellow": "amber",
    "orange": "amber", "red": "red", "r": "red",
}  # fmt: skip


def read_verdicts(data: bytes) -> dict[str, Any]:
    """`{"generation": 1 | 2 | 0, "counts": {"green": n, …}, "entries": n, "status": "…", "note": "…"}`.

    1: `summary` (or `totals`) and `preview`, each with a `status`; 2: `positions`, each with a `classification`;
    0: neither, or no JSON: said in `note`. Never raises: the file itself is kept whatever it holds.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return _nothing(f"audit_results.json is damaged: {str(error)[:120]}")
    if not isinstance(value, dict):
        return _nothing("audit_results.json holds no object")
    status = value.get("status")
    told = {"status": status[:40] if isinstance(status, str) else ""}
    rows = value.get("positions")
    if isinstance(rows, list) and any(isinstance(row, dict) and "classification" in row for row in rows):
        return told | {"generation": 2, "counts": _counted(rows, "classification"), "entries": len(rows)}
    return told | _first(value)


def _first(value: dict[str, Any]) -> dict[str, Any]:
    summary = next((value[name] for name in ("summary", "totals") if isinstance(value.get(name), dict)), None)
    preview = value.get("preview")
    if summary is None and not isinstance(preview, list):
        return _nothing("audit_results.json is of no generation that is known")
    rows = preview if isinstance(preview, list) else []
    counts: Counter[str] = Counter()
    for name, count in (summary or {}).items():
        grade = _GRADES.get(str(name).lower())
        if grade and type(count) is int:
            counts[grade] += count
    return {"generation": 1, "counts": dict(counts) or _counted(rows, "status"), "entries": len(rows)}


def _counted(rows: list[Any], name: str) -> dict[str, int]:
    said = (str(row.get(name, "")).strip().lower() for row in rows if isinstance(row, dict))
    return dict(Counter(_GRADES.get(word, "not_checked") for word in said))


def _nothing(note: str) -> dict[str, Any]:
    return {"generation": 0, "counts": {}, "entries": 0, "note": note}
