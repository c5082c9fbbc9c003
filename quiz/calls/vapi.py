"""The report of a voice service in Vapi's shape: {"messages": [{role, message, time, endTime, secondsFromStart}]}.

The learner is the one who called, `User`; the service's assistant plays the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .decoding import storable
from .plain import read_text
from .shapes import text_in, turns_in
from .speakers import USER, is_program, speaker_name
from .times import seconds_told
from .turns import Turn, Unreadable
from .words import count_words

LEARNER = USER
_SLOWEST_WPM = 20.0  # of talk: where `duration` in seconds would make it slower, it is in thousandths


def is_artifact(document: Any) -> bool:
    """It holds messages as Vapi times them, or says by its keys that it is one."""
    if not isinstance(document, dict):
        return False
    messages = document.get("messages")
    if isinstance(messages, list) and any(isinstance(each, dict) and "secondsFromStart" in each for each in messages):
        return True
    return isinstance(document.get("messagesOpenAIFormatted"), list)


def turns_of(artifact: Mapping[str, Any]) -> list[Turn]:
    """By the timed messages, else those without times, else the transcript as text. What the assistant was told
    (`system`) and its tools are left out. Raises Unreadable."""
    messages = artifact.get("messages")
    if isinstance(messages, list) and (turns := _timed(messages)):
        return turns
    plain = artifact.get("messagesOpenAIFormatted")
    if isinstance(plain, list) and (turns := [turn for turn in _untimed(plain) if turn.text.strip()]):
        return turns
    transcript = artifact.get("transcript")
    if isinstance(transcript, str) and transcript.strip():
        return read_text(storable(transcript))
    if isinstance(transcript, list):
        return turns_in(transcript)
    raise Unreadable("The report holds no messages and no transcript: nothing was said in this call.")


def _timed(messages: list[Any]) -> list[Turn]:
    spoken = [each for each in messages if _is_spoken(each)]
    first_ms = next((time for each in spoken if (time := seconds_told(each.get("time"))) is not None), None)
    unit_s = _unit_s(spoken)
    return [_turn(each, first_ms, unit_s) for each in spoken]


def _unit_s(spoken: list[Mapping[str, Any]]) -> float:
    """Of `duration`: seconds by the service's description, thousandths in what it sends."""
    lasting = [each for each in spoken if (seconds_told(each.get("duration")) or 0) > 0]
    seconds = sum(seconds_told(each.get("duration")) or 0.0 for each in lasting)
    words = sum(count_words(text_in(each.get("message"))) for each in lasting)
    return 0.001 if seconds and words * 60 / seconds < _SLOWEST_WPM else 1.0


def _is_spoken(message: Any) -> bool:
    if not isinstance(message, dict) or not text_in(message.get("message")).strip():
        return False
    role = message.get("role")
    return isinstance(role, str) and not is_program(role)


def _turn(message: Mapping[str, Any], first_ms: float | None, unit_s: float) -> Turn:
    start_s, time_ms = seconds_told(message.get("secondsFromStart")), seconds_told(message.get("time"))
    if start_s is None and time_ms is not None and first_ms is not None:
        start_s = (time_ms - first_ms) / 1000
    lasts_s = _lasts_s(message, time_ms, unit_s)
    is_timed = start_s is not None and start_s >= 0
    return Turn(
        speaker=speaker_name(storable(str(message["role"]))),
        text=storable(text_in(message["message"])),
        start_s=round(start_s, 3) if start_s is not None and is_timed else None,
        end_s=round(start_s + lasts_s, 3) if start_s is not None and is_timed and lasts_s is not None else None,
    )


def _lasts_s(message: Mapping[str, Any], time_ms: float | None, unit_s: float) -> float | None:
    end_ms = seconds_told(message.get("endTime"))
    if time_ms is not None and end_ms is not None and end_ms >= time_ms:
        return (end_ms - time_ms) / 1000
    lasts = seconds_told(message.get("duration"))
    return None if lasts is None or lasts < 0 else lasts * unit_s


def _untimed(messages: list[Any]) -> list[Turn]:
    return [
        Turn(speaker_name(storable(each["role"])), storable(text_in(each.get("content"))))
        for each in messages
        if isinstance(each, dict) and isinstance(each.get("role"), str) and not is_program(each["role"])
    ]
