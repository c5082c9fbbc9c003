"""Turns in JSON, in the shapes that services and programs write: lists of messages, of utterances, of pairs, of words
in monologues; on top or under a key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .decoding import storable
from .times import seconds_told
from .turns import Turn, Unreadable

# Where the turns lie; the first that is there and holds any counts.
_LISTS = (
    "turns", "messages", "utterances", "segments", "entries", "monologues", "dialogue", "dialog", "conversation",
    "chat_logs", "original", "items", "transcript", "transcription", "results", "data", "messagesOpenAIFormatted",
)  # fmt: skip
_INSIDE = ("artifact", "message", "call", "transcript", "results", "result", "data", "response", "transcription")
_SPEAKERS = (
    "speaker", "speaker_name", "speakerName", "speaker_label", "speakerLabel", "speaker_id", "speakerId", "role",
    "participant", "participant_name", "author", "sender", "from", "who", "name", "user", "channel",
)  # fmt: skip
_TEXTS = ("text", "message", "content", "transcript", "utterance", "sentence", "body", "value", "punctuated", "said")
_STARTS = (
    "start_s", "start", "start_time", "startTime", "start_ms", "startMs", "begin", "from_s", "offset", "offset_ms",
    "secondsFromStart", "timestamp", "ts", "time", "at",
)  # fmt: skip
_ENDS = ("end_s", "end", "end_time", "endTime", "end_ms", "endMs", "to_s", "endTs", "end_ts")
_DURATIONS = ("duration_s", "duration", "duration_ms", "durationMs")
_DEEPEST = 4
_SLOWEST_WPM = 1.0  # slower than any talk: such times are thousandths of seconds
_EPOCH_S = 1e8  # seconds; beyond a call's length, so they count from 1970
_Key = Callable[[Mapping[str, Any]], str]


def turns_in(document: Any) -> list[Turn]:
    """Raises Unreadable: no list of turns in it, or several calls."""
    found = _list_in(document, 0)
    if found is None:
        raise Unreadable(
            "The JSON holds no turns. Write a list of objects with speaker and text, or one under the key “turns”."
        )
    turns = [turn for turn in _turns(found) if turn]
    says_seconds = any(isinstance(entry, dict) and "start_s" in entry for entry in found)
    return turns if says_seconds else with_sensible_times(turns)


def with_sensible_times(turns: list[Turn]) -> list[Turn]:
    """In seconds from the start: thousandths and moments since 1970 are told by what they would mean otherwise."""
    starts = [turn.start_s for turn in turns if turn.start_s is not None]
    if not starts:
        return turns
    factor, first = 1.0, 0.0
    if min(starts) > _EPOCH_S:
        first = min(starts)
        factor = 0.001 if first > 1000 * _EPOCH_S else 1.0
    elif _is_thousandths(turns):
        factor = 0.001
    if (factor, first) == (1.0, 0.0):
        return turns
    return [
        replace(turn, start_s=_moved(turn.start_s, first, factor), end_s=_moved(turn.end_s, first, factor))
        for turn in turns
    ]


def _moved(time: float | None, first: float, factor: float) -> float | None:
    return None if time is None else round((time - first) * factor, 6)


def _is_thousandths(turns: Sequence[Turn]) -> bool:
    """All are whole numbers, and in seconds the talk would be slower than any."""
    timed = [turn for turn in turns if turn.start_s is not None and turn.end_s is not None]
    if not timed or not all(
        float(time).is_integer() for turn in timed for time in (turn.start_s, turn.end_s) if time is not None
    ):
        return False
    seconds = sum(turn.seconds or 0.0 for turn in timed)
    words = sum(len(turn.text.split()) for turn in timed)
    return seconds > 120 and words * 60 / seconds < _SLOWEST_WPM


def _list_in(document: Any, depth: int) -> list[Any] | None:
    if isinstance(document, list):
        return _one_call(document, depth)
    if not isinstance(document, dict) or depth > _DEEPEST:
        return None
    for key in _LISTS:
        if isinstance(document.get(key), list) and (found := _one_call(document[key], depth)) is not None:
            return found
    for key in _INSIDE:
        if isinstance(document.get(key), dict) and (found := _list_in(document[key], depth + 1)) is not None:
            return found
    return None


def _one_call(entries: list[Any], depth: int) -> list[Any] | None:
    """The list itself if it is of turns; None: it is of something else."""
    if not entries:
        return None
    if any(_is_turn(entry) for entry in entries[:50]):
        return entries
    calls = [each for each in entries[:50] if isinstance(each, dict) and _list_in(each, depth + 1)]
    if len(calls) == 1 and len(entries) == 1:
        return _list_in(calls[0], depth + 1)
    if calls:
        raise Unreadable(f"The file holds {len(entries)} calls. Upload each as a file of its own.")
    return None


def _is_turn(entry: Any) -> bool:
    if isinstance(entry, dict):
        return isinstance(entry.get("elements"), list) or _first(entry, _TEXTS) is not None
    return _is_pair(entry)


def _is_pair(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and all(isinstance(part, str) for part in entry)


def _turns(entries: list[Any]) -> list[Turn | None]:
    key = _speaker_key(entries)
    return [_turn(entry, key) for entry in entries]


def _speaker_key(entries: list[Any]) -> _Key:
    """By `id` where that is the only thing that can tell speakers apart, which is when ids come again."""
    dicts = [entry for entry in entries if isinstance(entry, dict)]
    if any(_first(entry, _SPEAKERS) is not None for entry in dicts):
        return lambda entry: _label(_first(entry, _SPEAKERS))
    ids = Counter(entry["id"] for entry in dicts if isinstance(entry.get("id"), str))
    if len(ids) > 1 and len(ids) * 2 <= sum(ids.values()):
        return lambda entry: _label(entry.get("id"))
    return lambda entry: ""


def _turn(entry: Any, speaker_of: _Key) -> Turn | None:
    """None: it is no turn; a list may hold other things in between."""
    if _is_pair(entry):
        return Turn(storable(entry[0]), storable(entry[1]))
    if not isinstance(entry, dict):
        return None
    if isinstance(entry.get("elements"), list):
        return _monologue(entry, speaker_of)
    text = _first(entry, _TEXTS)
    if text is None:
        return None
    times = _Times.of(entry)
    return Turn(storable(speaker_of(entry)), storable(text_in(text)), times.start_s, times.end_s)


def text_in(told: Any) -> str:
    """A string, or the texts of a list of parts ({"type": "text", "text": …})."""
    if isinstance(told, list):
        parts = [part.get("text", "") if isinstance(part, dict) else part for part in told]
        return " ".join(part for part in parts if isinstance(part, str))
    return told if isinstance(told, str) else ""


def _label(told: Any) -> str:
    """Of a speaker: a string, a number, or an object with a name."""
    if isinstance(told, dict):
        told = _first(told, ("name", "label", "display_name", "displayName", "id"))
    if isinstance(told, (str, int)) and not isinstance(told, bool):
        return str(told)[:200]
    return ""


def _first(entry: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """A text that is an object ("message": {…}) is none, nor is one that is a number."""
    of_text = keys is _TEXTS
    for key in keys:
        value = entry.get(key)
        if value is None or (of_text and not isinstance(value, (str, list))):
            continue
        return value
    return None


@dataclass(frozen=True, slots=True)
class _Times:
    start_s: float | None
    end_s: float | None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> _Times:
        start_s = next((time for key in _STARTS if (time := _seconds(entry, key)) is not None), None)
        end_s = next((time for key in _ENDS if (time := _seconds(entry, key)) is not None), None)
        if end_s is None and start_s is not None:
            lasts = next((time for key in _DURATIONS if (time := _seconds(entry, key)) is not None), None)
            end_s = None if lasts is None or lasts < 0 else start_s + lasts
        if start_s is not None and end_s is not None and end_s < start_s:
            end_s = None  # no time at all, rather than a negative one
        return cls(start_s, end_s)


def _seconds(entry: Mapping[str, Any], key: str) -> float | None:
    time = seconds_told(entry.get(key))
    return time / 1000 if time is not None and key.endswith(("_ms", "Ms")) else time


def _monologue(entry: Mapping[str, Any], speaker_of: _Key) -> Turn:
    """A list of words and punctuation: {"speaker": 0, "elements": [{"type": "text", "value", "ts", "end_ts"}]}."""
    elements = [each for each in entry["elements"] if isinstance(each, dict)]
    text = "".join(each["value"] for each in elements if isinstance(each.get("value"), str))
    starts = [time for each in elements if (time := seconds_told(each.get("ts"))) is not None]
    ends = [time for each in elements if (time := seconds_told(each.get("end_ts"))) is not None]
    has_times = bool(starts and ends) and max(ends) >= min(starts)
    start_s, end_s = (min(starts), max(ends)) if has_times else (None, None)
    return Turn(storable(speaker_of(entry)), storable(text), start_s, end_s)
