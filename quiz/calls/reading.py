"""A transcript out of a file, whatever it is: JSON, WebVTT, SubRip, plain text. Or why it cannot be read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from . import vapi
from .cues import read_srt, read_vtt
from .decoding import MAX_BYTES, storable, text_of
from .plain import read_text
from .shapes import turns_in
from .turns import Transcript, Turn, Unreadable

__all__ = ["FORMATS", "MAX_BYTES", "MOST_TURNS", "VAPI_LEARNER", "Unreadable", "read", "read_vapi"]

FORMATS: Final = {"json": "JSON", "vtt": "WebVTT", "srt": "SubRip", "text": "Plain text"}
MOST_TURNS: Final = 20_000  # six hours of talk have a third of it
VAPI_LEARNER: Final = vapi.LEARNER
_SUFFIXES = {
    ".json": "json",
    ".vtt": "vtt",
    ".webvtt": "vtt",
    ".srt": "srt",
    ".txt": "text",
    ".text": "text",
    ".md": "text",
}
_SRT_HEAD = re.compile(r"\s*(?:\d{1,9}[^\S\n]*\n)?\d{1,3}:\d\d:\d\d[.,]\d{1,3} *-->")
_BINARY = (
    (b"%PDF", "a PDF"), (b"PK\x03\x04", "a Word, Excel or ZIP file"), (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"RIFF", "a recording"), (b"ID3", "a recording"), (b"OggS", "a recording"), (b"fLaC", "a recording"),
    (b"{\\rtf", "an RTF file"), (b"\x1f\x8b", "a packed file"),
)  # fmt: skip


def read(data: bytes, *, name: str = "", format: str = "") -> Transcript:
    """The turns in their order, as the file has them.

    name: of the file, whose ending is a hint. format: of FORMATS; empty: found out. At most 2 MB and 20,000 turns.
    Raises Unreadable, never anything else, whatever the bytes are.
    """
    for head, kind in _BINARY:
        if data.startswith(head):
            raise Unreadable(f"This is {kind}. Upload the transcript as text, JSON, WebVTT or SubRip.")
    text = text_of(data)
    chosen = format or _format_of(text, name)
    if chosen == "json":
        return _from_json(text)
    readers = {"vtt": read_vtt, "srt": read_srt, "text": read_text}
    if chosen not in readers:
        raise Unreadable(f"There is no format {chosen[:40]!r}. There are {', '.join(FORMATS)}.")
    return _checked(readers[chosen](text), chosen)


def read_vapi(artifact: Mapping[str, Any]) -> Transcript:
    """The turns of a report's `artifact`; the learner is `VAPI_LEARNER`. Raises Unreadable."""
    return _checked(vapi.turns_of(artifact), "vapi")


def _format_of(text: str, name: str) -> str:
    """By what is in it; by the name's ending only where that leaves it open."""
    head = text[:2000].lstrip()
    if text.startswith("WEBVTT"):
        return "vtt"
    suffix = _SUFFIXES.get(PurePath(name).suffix.lower(), "")
    if suffix == "json" or (head[:1] in ("[", "{") and suffix != "text" and _is_json(head)):
        return "json"
    if _SRT_HEAD.match(head):
        return "srt"
    return suffix or "text"


def _is_json(head: str) -> bool:
    """[00:01] Client: … and [Client] … begin with a bracket too."""
    return re.match(r"\{\s*[\"}]|\[\s*[\[{\"\]]", head) is not None


def _from_json(text: str) -> Transcript:
    try:
        document = json.loads(text, parse_constant=lambda name: None)
    except RecursionError as error:
        raise Unreadable("The JSON is nested too deeply to be a transcript.") from error
    except ValueError as error:
        where = f" (line {error.lineno}: {error.msg})" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"The file is no JSON{where}.") from error
    artifact = _artifact_in(document)
    if artifact is not None:
        return read_vapi(artifact)
    return _checked(turns_in(document), "json")


def _artifact_in(document: Any) -> Mapping[str, Any] | None:
    """Of a report as it is sent, of a call as it is asked for, or a bare list of messages."""
    if isinstance(document, list):
        listed = {"messages": document}
        return listed if vapi.is_artifact(listed) else None
    if not isinstance(document, dict):
        return None
    message = document.get("message")
    for holder in (document, message if isinstance(message, dict) else {}):
        for found in (holder.get("artifact"), holder):
            if vapi.is_artifact(found):
                return found
    return None


def _checked(turns: list[Turn], format: str) -> Transcript:
    if len(turns) > MOST_TURNS:
        raise Unreadable(f"The transcript has {len(turns):,} turns; a call has {MOST_TURNS:,} at most.")
    kept = tuple(turn if turn.text.isprintable() else _stored(turn) for turn in turns)
    if not any(turn.text.strip() for turn in kept):
        raise Unreadable("The transcript holds no turns: nobody says anything in it.")
    return Transcript(kept, format)


def _stored(turn: Turn) -> Turn:
    return Turn(storable(turn.speaker), storable(turn.text), turn.start_s, turn.end_s)
