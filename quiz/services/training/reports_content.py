"""What a call's report says, in the words and figures that are set on its pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...calls.measure import LABELS
from ...models import SessionGrade

GRADERS = dict(SessionGrade.Grader.choices)
MOST_QUOTES = 3
WHY_NO_OVERALL = "it was measured, and nobody has judged its qualities."


def content_of(view: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """Of `presenting.session_view`, as quiz/typesetting/call.typ takes it."""
    overall = view["overall"]
    return {
        "title": view["title"],
        "facts": _facts(view),
        "overall": None if overall is None else f"{overall:.0f}",
        "overall_by": _overall_by(view),
        "why_no_overall": WHY_NO_OVERALL,
        "summary": view["summary"],
        "next_step": view["next_step"],
        "summarised_by": "rules, which only quote and count" if view["summarised_by"] == "rules" else "a model",
        "speakers": _speakers(view["measures"]),
        "measures": _measures(view["measures"]),
        "criteria": [_criterion(each, view["turns"]) for each in view["criteria"]],
        "feedback": [{"who": each["name"], "text": each["feedback"]} for each in view["grades"] if each["feedback"]],
        "notes": [_note(each) for each in view["notes"]],
        "footer": f"Plumbline · as of {at:%d %B %Y, %H:%M} UTC",
    }


def _facts(view: Mapping[str, Any]) -> list[list[str]]:
    found = [
        ["Learner", _name(view["user"]) or "not known yet"],
        ["Template", view["template"]["name"] if view["template"] else ""],
        ["Held", f"{view['started_at']:%d %B %Y, %H:%M} UTC"],
        ["Length", _length(view["duration_s"])],
        ["Reported", f"{view['revision']} times" if view["revision"] > 1 else ""],
        ["Rubric", f"version {view['rubric']['number']}" if view["rubric"] else ""],
        ["Review", f"closed {view['closed_at']:%d %B %Y}" if view["closed_at"] else ""],
    ]
    return [each for each in found if each[1]]


def _overall_by(view: Mapping[str, Any]) -> str:
    graders = {each["grader"]: each for each in view["grades"]}
    if (human := graders.get(SessionGrade.Grader.HUMAN)) and human["overall"] is not None:
        return f"as {_name(human['author']) or 'a coach'} has graded it"
    return "as a model has judged it"


def _speakers(measures: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": each["speaker"],
            "is_learner": each["is_learner"],
            "share": each["share"],
            "shown": f"{each['share'] * 100:.0f} %",
        }
        for each in measures.get("speakers") or []
        if each.get("share") is not None
    ]


def _measures(measures: Mapping[str, Any]) -> list[dict[str, str]]:
    found = [measures[name] for name in LABELS if isinstance(measures.get(name), dict)]
    return [
        {
            "label": each["label"],
            "shown": each["shown"],
            "note": ". ".join(part.rstrip(".") for part in (each.get("basis") or "", each.get("why") or "") if part),
        }
        for each in found
    ]


def _criterion(told: Mapping[str, Any], turns: list[dict[str, Any]]) -> dict[str, Any]:
    scores = [_score(grader, told["scores"][grader], turns) for grader in GRADERS if grader in told["scores"]]
    kind = "measured" if told["kind"] == "behaviour" else "judged"
    return {"name": told["name"], "kind": kind, "weight": told["weight"], "scores": scores}


def _score(grader: str, told: Mapping[str, Any], turns: list[dict[str, Any]]) -> dict[str, Any]:
    score = told["score"]
    level = f"{told['level']}. " if told["level"] else ""
    return {
        "grader": GRADERS[grader],
        "kind": grader,
        "share": (score or 0) / 100,
        "shown": "not judged" if score is None else str(score),
        "reason": f"{level}{told['reason']}".strip(),
        "quotes": [_quote(each, turns) for each in told["evidence"][:MOST_QUOTES]],
    }


def _quote(told: Mapping[str, Any], turns: list[dict[str, Any]]) -> dict[str, Any]:
    number = told["turn"]
    speaker = turns[number]["speaker"] if 0 <= number < len(turns) else ""
    return {"turn": number + 1, "speaker": speaker, "text": told["quote"]}


def _note(told: Mapping[str, Any]) -> dict[str, str]:
    return {
        "author": _name(told["author"]) or "Somebody who has left",
        "about": "the whole call" if told["turn"] is None else f"turn {told['turn'] + 1}",
        "when": f"{told['created_at']:%d %B %Y}",
        "text": told["text"],
    }


def _name(person: Mapping[str, Any] | None) -> str:
    return str(person["name"]) if person else ""


def _length(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
