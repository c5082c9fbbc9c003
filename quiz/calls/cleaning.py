"""A transcript as it is shown, quoted and measured: without what nobody said."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from .speakers import UNKNOWN, is_program, speaker_name, spelled
from .turns import Transcript, Turn, Unreadable

# A breath: the same speaker going on within it has not stopped talking.
PAUSE_S = 1.0
# Joined turns stay short enough to be pointed at.
LONGEST_JOINED_S = 60.0
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u2060\ufeff\u202a-\u202e\u2066-\u2069]"
)
_NO_SPEECH = re.compile(
    r"(?:[\[(<*♪]{1,2}\s*(?:background )?(?:music|silence|noise|applause|laughter|laughs|pause|beep|ringing|ring|"
    r"typing|hold music|blank[_ ]audio|no audio|dial tone)(?: playing)?\s*[\])>*♪]{1,2}|♪+)",
    re.IGNORECASE,
)


def clean(transcript: Transcript) -> Transcript:
    """Doing it twice changes nothing. Raises Unreadable where nothing is left.

    - White space is single, controls and marks of direction are gone; turns that say nothing are left out, and so is
      what programs noted (system, tool, action) and "[music]".
    - Speakers have one spelling each ("CLIENT:" and "Client"), roles of voice services their names.
    - Where all is timed, turns are in the order of their beginnings, and the same speaker going on within a second is
      one turn, of a minute at most. Without times nothing is joined: two messages are two messages.
    """
    turns = [turn for turn in _worded(transcript.turns) if turn.text]
    names = spelled(turn.speaker for turn in turns)
    turns = [replace(turn, speaker=names[speaker_name(turn.speaker).casefold()]) for turn in turns]
    if turns and all(turn.seconds is not None for turn in turns):
        turns.sort(key=lambda turn: turn.start_s or 0.0)  # stable: simultaneous turns stay as they are
        turns = list(_joined(turns))
    if not turns:
        raise Unreadable("Nobody says anything in this call.")
    return Transcript(tuple(turns), transcript.format)


def transcript_hash(turns: Iterable[Turn]) -> str:
    """32 hex digits; the same for the same words, speakers and times (to a thousandth of a second)."""
    told = [[turn.speaker, turn.text, _rounded(turn.start_s), _rounded(turn.end_s)] for turn in turns]
    return hashlib.sha256(json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()[:32]


def _worded(turns: Sequence[Turn]) -> Iterator[Turn]:
    for turn in turns:
        if is_program(turn.speaker):
            continue
        text = _text(turn.text)
        if _NO_SPEECH.fullmatch(text) or not any(_says_something(letter) for letter in text):
            continue
        yield replace(turn, text=text, start_s=_rounded(turn.start_s), end_s=_rounded(turn.end_s))


def _says_something(letter: str) -> bool:
    """A letter, a digit, a sign such as 🙂 or €: no punctuation."""
    return letter.isalnum() or unicodedata.category(letter)[0] == "S"


def _text(told: str) -> str:
    return " ".join(_CONTROLS.sub("", told).split())


def _joined(turns: Iterable[Turn]) -> Iterator[Turn]:
    """Texts are gathered, then joined: a speech in ten thousand pieces takes no longer than its words."""
    held: Turn | None = None
    texts: list[str] = []
    for turn in turns:
        if held is not None and _goes_on(held, turn):
            texts.append(turn.text)
            held = replace(held, end_s=max(held.end_s or 0.0, turn.end_s or 0.0))
            continue
        if held is not None:
            yield replace(held, text=" ".join(texts))
        held, texts = turn, [turn.text]
    if held is not None:
        yield replace(held, text=" ".join(texts))


def _goes_on(before: Turn, turn: Turn) -> bool:
    if before.speaker != turn.speaker or before.speaker == UNKNOWN:
        return False
    start_s, before_end_s = turn.start_s or 0.0, before.end_s or 0.0
    end_s = max(turn.end_s or 0.0, before_end_s)
    return start_s - before_end_s <= PAUSE_S and end_s - (before.start_s or 0.0) <= LONGEST_JOINED_S


def _rounded(time: float | None) -> float | None:
    """-0.0 is 0.0."""
    return None if time is None else round(time, 3) + 0.0
