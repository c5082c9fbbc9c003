"""Subtitles: WebVTT (with <v Speaker>) and SubRip, also as meeting services write them ("Name: text" in a cue)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .plain import Names, prefix_of, squeezed
from .times import clock_seconds
from .turns import Turn, Unreadable

_ARROW = "-->"
_VOICE = re.compile(r"<v(?:\.[^\s>]{0,80})?[ \t]([^<>\n]{0,200})>")
_TAG = re.compile(r"</?(?:v|c|i|b|u|s|lang|ruby|rt|font|\d[\d:.]{0,20})(?:[.\s][^<>\n]{0,200})?>|\{\\an?\d\}", re.I)
_NO_CUES = ("NOTE", "STYLE", "REGION", "X-TIMESTAMP-MAP")


@dataclass(frozen=True, slots=True)
class _Cue:
    start_s: float
    end_s: float
    lines: list[str]


def read_vtt(text: str) -> list[Turn]:
    """Raises Unreadable, with the line's number."""
    lines = text.split("\n")
    if not lines[0].startswith("WEBVTT"):
        raise Unreadable("The file does not begin with WEBVTT.")
    return _turns(list(_cues(lines, start=1)))


def read_srt(text: str) -> list[Turn]:
    """Raises Unreadable, with the line's number."""
    return _turns(list(_cues(text.split("\n"), start=0)))


def _turns(cues: list[_Cue]) -> list[Turn]:
    """A cue that names nobody is said by who spoke in the one before: names stand where they change."""
    names = Names(prefix_of(squeezed(_plain(line))) for cue in cues for line in cue.lines if "<v" not in line)
    turns: list[Turn] = []
    speaker = ""
    for cue in cues:
        for told, said in _said(cue.lines, names):
            speaker = told or speaker
            turns.append(Turn(speaker, said, cue.start_s, cue.end_s))
    return turns


def _cues(lines: list[str], *, start: int) -> Iterator[_Cue]:
    for number, block in _blocks(lines, start):
        timing = next((at for at, line in enumerate(block[:2]) if _ARROW in line), None)
        if timing is not None:
            start_s, end_s = _timing(block[timing], number + timing)
            yield _Cue(start_s, end_s, block[timing + 1 :])
        elif not _is_no_cue(block):
            raise Unreadable(f"Line {number}: a cue without a time ({block[0].strip()[:40]!r}).")


def _blocks(lines: list[str], start: int) -> Iterator[tuple[int, list[str]]]:
    """Lines between blank ones, with the number of their first."""
    block: list[str] = []
    for number, line in enumerate(lines[start:], start + 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []
    if block:
        yield len(lines) - len(block) + 1, block


def _is_no_cue(block: list[str]) -> bool:
    """Notes and styles; further lines of the header; the number of a cue in which nothing is said."""
    first = block[0].strip()
    return first.startswith(_NO_CUES) or (len(block) == 1 and (first.isdigit() or ":" in first))


def _timing(line: str, number: int) -> tuple[float, float]:
    left, _, right = line.partition(_ARROW)
    rest = right.split(maxsplit=1)
    start_s, end_s = clock_seconds(left), clock_seconds(rest[0]) if rest else None
    if start_s is None or end_s is None:
        raise Unreadable(
            f"Line {number}: no times of a cue ({line.strip()[:60]!r}). Written 00:01:02.500 --> 00:01:04."
        )
    if end_s < start_s:
        raise Unreadable(f"Line {number}: the cue ends before it begins ({line.strip()[:60]!r}).")
    return start_s, end_s


def _said(lines: list[str], names: Names) -> Iterator[tuple[str, str]]:
    """(speaker or "", text): parted by <v Speaker>, or by lines that begin with a name."""
    payload = "\n".join(lines)
    voices = list(_VOICE.finditer(payload))
    if voices:
        if before := _plain(payload[: voices[0].start()]):
            yield "", before
        ends = [voice.start() for voice in voices[1:]] + [len(payload)]
        for voice, end in zip(voices, ends, strict=True):
            yield html.unescape(voice[1]).strip(), _plain(payload[voice.end() : end])
        return
    speaker = said = ""
    for line in lines:
        plain = squeezed(_plain(line))
        prefix = prefix_of(plain)
        if prefix and names.believes(prefix.name):
            if said:
                yield speaker, said
            speaker, said = prefix.name, prefix.text
        else:
            said = f"{said} {plain}".strip()
    yield speaker, said


def _plain(markup: str) -> str:
    return html.unescape(_TAG.sub("", markup)).strip()
