"""A transcript as a session keeps it before anything is made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from ...calls.turns import Transcript, Turn


def raw_of(transcript: Transcript) -> dict[str, Any]:
    return {"format": transcript.format, "turns": [turn.to_json() for turn in transcript.turns]}


def hash_of(turns: Iterable[Turn]) -> str:
    """Of who said what and when."""
    content = orjson.dumps([[turn.speaker, turn.text, turn.start_s, turn.end_s] for turn in turns])
    return hashlib.sha256(content).hexdigest()[:32]
