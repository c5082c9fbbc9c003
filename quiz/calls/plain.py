"""Transcripts in plain text: "Speaker: what they say", with or without times, as people and services write them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .times import CLOCK, clock_seconds
from .turns import Turn, Unreadable
from .words import wordlist

_SPACES = re.compile(r"[^\S\n]{2,}|\t")
# [00:01:02] **Jane Doe** (0:05): text. The name is short, and a colon with a space (or the line's end) follows it.
_NAME = r"(?P<name>[^\W_][^\n:：\[\]()<>?!]{0,59}?)"
_LINE = re.compile(
    rf"(?:[-–—•>] {{1,2}})?(?:[\[(]?(?P<before>{CLOCK})[\])]?(?: {{1,2}}[-–—])? {{1,2}})?"
    rf"[*_]{{0,2}}\[?{_NAME}\]?[*_]{{0,2}}(?: {{0,2}}[\[(]?(?P<inside>{CLOCK})[\])]?)?"
    r" {0,2}[:：][*_]{0,2}(?: {1,2}|$)"
)
# As some services write it: the name and the time on a line of their own, the text below.
_HEADING = re.compile(rf"[*_]{{0,2}}{_NAME}[*_]{{0,2}}(?: {{2}}| ?[-–—|(\[] ?)(?P<inside>{CLOCK})[\])]?$")
_MOST_WORDS = 6
# What stands before the first turn, and begins like one.
_HEADERS = wordlist(
    "attachment attendees call created date datum dauer duration end ended event file id language length location "
    "meeting notes organizer organiser ort participants place project recorded recording ref reference session start "
    "started subject teilnehmer template thema time title topic transcript transcription type uhrzeit url version"
)
_NO_NAMES = frozenset({"http", "https", "ftp", "mailto", "note", "nb", "ps", "p.s", "re", "e.g", "i.e", "z.b"})
_PARTICLES = wordlist("al bin da de del della den der di do dos el la le of the und van von")


@dataclass(frozen=True, slots=True)
class Prefix:
    """A line that may begin a turn. `text`: what is said on the same line."""

    name: str
    text: str
    start_s: float | None


class Names:
    """Which beginnings of lines are speakers, by all of a text: those that come again, and those that look like names.

    "We have two options: …" in the middle of a turn is neither.
    """

    def __init__(self, found: Iterable[Prefix | None]) -> None:
        names = [each.name for each in found if each]
        self._counts = Counter(name.casefold() for name in names)
        self._has_sure = any(self._is_sure(name) for name in names)

    def believes(self, name: str) -> bool:
        """A single small word that comes once is one where no other is any surer ("me: …", "client: …")."""
        return self._is_sure(name) or (not self._has_sure and len(name.split()) == 1)

    def _is_sure(self, name: str) -> bool:
        return self._counts[name.casefold()] > 1 or _looks_like_name(name)

    def is_header(self, name: str) -> bool:
        return self._counts[name.casefold()] == 1 and name.split()[0].casefold() in _HEADERS


def read_text(text: str) -> list[Turn]:
    """Raises Unreadable where no line says who speaks."""
    lines = [squeezed(line) for line in text.split("\n")]
    turns = list(_turns(lines, [prefix_of(line) or _heading_of(line) for line in lines]))
    if not turns:
        raise Unreadable("No line says who speaks. Begin each turn with a name and a colon: “Client: Good morning.”")
    return turns


def squeezed(line: str) -> str:
    """Of a run of spaces two are left: that much a heading's name and time are apart."""
    return _SPACES.sub("  ", line).strip()


def prefix_of(line: str) -> Prefix | None:
    """What stands before a line's colon, if it could be a name. `line` is squeezed: the pattern relies on it."""
    found = _LINE.match(line)
    if found is None or not _may_be_name(found["name"]):
        return None
    clock = found["before"] or found["inside"]
    return Prefix(found["name"].strip(), line[found.end() :].strip(), clock_seconds(clock) if clock else None)


def _turns(lines: list[str], prefixes: list[Prefix | None]) -> Iterator[Turn]:
    names = Names(prefixes)
    begun: Prefix | None = None
    said: list[str] = []
    for line, prefix in zip(lines, prefixes, strict=True):
        if prefix and names.believes(prefix.name) and (begun or not names.is_header(prefix.name)):
            if begun:
                yield Turn(begun.name, " ".join(filter(None, said)), begun.start_s)
            begun, said = prefix, [prefix.text]
        else:
            said.append(line)
    if begun:
        yield Turn(begun.name, " ".join(filter(None, said)), begun.start_s)


def _heading_of(line: str) -> Prefix | None:
    found = _HEADING.match(line)
    if found is None or not _may_be_name(found["name"]):
        return None
    return Prefix(found["name"].strip(), "", clock_seconds(found["inside"]))


def _may_be_name(told: str) -> bool:
    name = told.strip()
    return (
        len(name.split()) <= _MOST_WORDS
        and name.casefold().rstrip(".") not in _NO_NAMES
        and not name.endswith((",", ";"))
    )


def _looks_like_name(name: str) -> bool:
    """Its words begin as names do (in scripts without capitals all do)."""
    words = [word for word in name.split() if word.casefold() not in _PARTICLES]
    return all(word[0].lower() == word[0].upper() or word[0].isupper() for word in words)
