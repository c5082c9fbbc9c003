"""Transcripts as other programs write them: what is read again must be the same."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

from quiz.calls.turns import Turn


def as_json(turns: Sequence[Turn]) -> bytes:
    return json.dumps({"turns": [turn.to_json() for turn in turns]}).encode()


def as_text(turns: Sequence[Turn]) -> bytes:
    return "\n\n".join(f"{turn.speaker}: {turn.text}" for turn in turns).encode()


def as_vtt(turns: Sequence[Turn]) -> bytes:
    cues = [
        f"{number}\n{clock(turn.start_s)} --> {clock(turn.end_s)} align:start\n"
        f"<v {html.escape(turn.speaker)}>{html.escape(turn.text)}</v>"
        for number, turn in enumerate(turns, 1)
    ]
    return "\n\n".join(["WEBVTT - a call", "NOTE written by a test", *cues, ""]).encode()


def as_srt(turns: Sequence[Turn]) -> bytes:
    cues = [
        f"{number}\n{clock(turn.start_s).replace('.', ',')} --> {clock(turn.end_s).replace('.', ',')}\n"
        f"{turn.speaker}: {turn.text}"
        for number, turn in enumerate(turns, 1)
    ]
    return "\r\n\r\n".join(cues).replace("\n", "\r\n").encode("utf-8-sig")


def as_vapi(turns: Sequence[Turn], *, epoch_ms: int = 1_764_000_000_000) -> dict[str, Any]:
    """The artifact of an end-of-call report, with the instructions and tools that such reports hold too."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "message": "You are a client.", "time": epoch_ms, "secondsFromStart": 0},
        {"role": "tool_calls", "toolCalls": [], "message": "look up", "time": epoch_ms, "secondsFromStart": 0},
    ]
    for turn in turns:
        assert turn.start_s is not None
        assert turn.end_s is not None
        messages.append(
            {
                "role": {"Assistant": "bot", "User": "user"}[turn.speaker],
                "message": turn.text,
                "time": epoch_ms + turn.start_s * 1000,
                "endTime": epoch_ms + turn.end_s * 1000,
                "secondsFromStart": turn.start_s,
            }
        )
    return {"messages": messages, "transcript": "AI: not read where there are messages"}


def clock(seconds: float | None) -> str:
    assert seconds is not None
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
