"""Calendars in the words of RFC 5545. Free of the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST_LINE = 75  # octets, without the line break (3.1)
CONTENT_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Event:
    """A moment; it takes no time of the day. `changed_at`: when what is told here became so. `remind_days`: before the
    moment; 0: no reminder."""

    uid: str
    sequence: int
    changed_at: datetime
    at: datetime
    summary: str
    description: str
    url: str
    is_cancelled: bool = False
    remind_days: int = 0


def calendar(*, name: str, events: Iterable[Event]) -> bytes:
    """Always the same bytes for the same events."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Plumbline//Tenders//EN",
        "CALSCALE:GREGORIAN",
        f"NAME:{_text(name)}",  # RFC 7986; the next two are what programs knew before it
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for event in events:
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(event: Event) -> list[str]:
    stamp = _moment(event.changed_at)
    summary = f"Cancelled: {event.summary}" if event.is_cancelled else event.summary
    lines = [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{stamp}",  # without a METHOD: the last revision (3.8.7.2)
        f"LAST-MODIFIED:{stamp}",
        f"SEQUENCE:{event.sequence}",
        f"DTSTART:{_moment(event.at)}",
        f"SUMMARY:{_text(summary)}",
        f"DESCRIPTION:{_text(event.description)}",
        f"URL:{event.url}",
        f"STATUS:{'CANCELLED' if event.is_cancelled else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",
    ]
    if event.remind_days and not event.is_cancelled:
        lines += ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(summary)}"]
        lines += [f"TRIGGER:-P{event.remind_days}D", "END:VALARM"]
    lines.append("END:VEVENT")
    return lines


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """3.3.11: line breaks, commas and the like are escaped; other control characters can't be told at all."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(letter for letter in text if letter in "\n\t" or (letter >= " " and letter != "\x7f"))
    for mark in ("\\", ";", ","):
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """Lines of at most 75 octets, each further one begun with a blank; no letter of UTF-8 is cut."""
    parts, rest = [], line.encode("utf-8", "replace")
    room = LONGEST_LINE
    while len(rest) > room:
        end = room
        while rest[end] & 0xC0 == 0x80:  # in the middle of a letter
            end -= 1
        parts.append(rest[:end])
        rest, room = rest[end:], LONGEST_LINE - 1
    return b"\r\n ".join([*parts, rest]) + b"\r\n"
