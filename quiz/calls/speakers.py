"""Speakers as transcripts name them, and as we do."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 80
UNKNOWN = "Unknown"
ASSISTANT, USER = "Assistant", "User"

_ASSISTANTS = frozenset({"assistant", "bot", "ai", "ai assistant", "voice assistant", "agent (ai)", "model"})
_USERS = frozenset({"user", "human"})
# What takes no part in the talk: instructions, calls of programs, what a desk's software did.
_NO_SPEAKERS = frozenset({"system", "developer", "tool", "function", "action", "event", "log"})
_PROGRAM = re.compile(r"(?:tool|function)[ _-]?(?:call|result|call[ _-]?result|use|response)s?", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:speaker|spk|spkr|channel|ch)?[ _#-]*0*(\d{1,4})", re.IGNORECASE)
_DECORATION = " *_:：-"
_ENCLOSED = {"[": "]", "(": ")", "<": ">"}


def speaker_name(told: str) -> str:
    """A speaker's name as it is shown: "bot" is Assistant, "SPEAKER_01" is Speaker 1, " **Jane  Doe:** " Jane Doe."""
    name = _bare(" ".join(told.split())[: 2 * LONGEST])
    name = _bare(name[:LONGEST])
    if not name:
        return UNKNOWN
    key = name.casefold()
    if key in _ASSISTANTS:
        return ASSISTANT
    if key in _USERS:
        return USER
    if numbered := _NUMBERED.fullmatch(name):
        return f"Speaker {int(numbered[1])}"
    return name


def speaker_key(told: str) -> str:
    """The same for all spellings of a speaker."""
    return speaker_name(told).casefold()


def is_program(told: str) -> bool:
    """It is no person's or assistant's turn, but what a program noted."""
    name = _bare(told).casefold()
    return name in _NO_SPEAKERS or _PROGRAM.fullmatch(name) is not None


def spelled(names: Iterable[str]) -> dict[str, str]:
    """By key, how a speaker is spelled in a transcript: as at first."""
    found: dict[str, str] = {}
    for told in names:
        name = speaker_name(told)
        found.setdefault(name.casefold(), name)
    return found


def _bare(told: str) -> str:
    """Without stars, colons, brackets around it."""
    name = told.strip(_DECORATION)
    while name and _ENCLOSED.get(name[0]) == name[-1]:
        name = name[1:-1].strip(_DECORATION)
    return name
