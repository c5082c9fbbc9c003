"""Reads calendars as RFC 5545 has them, strictly, and knows nothing of how ours are written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

_LINE = re.compile(r"([A-Z0-9-]+)((?:;[A-Z0-9-]+=(?:\"[^\"]*\"|[^\";:,]*))*):(.*)", re.DOTALL)
_ONCE = ("UID", "DTSTAMP", "DTSTART", "SEQUENCE", "SUMMARY", "DESCRIPTION", "STATUS", "URL", "LAST-MODIFIED")


@dataclass
class Component:
    name: str
    properties: list[tuple[str, str]] = field(default_factory=list)
    inside: list[Component] = field(default_factory=list)

    def get(self, name: str) -> str:
        (value,) = [value for key, value in self.properties if key == name]
        return value

    def text(self, name: str) -> str:
        return unescaped(self.get(name))

    def moment(self, name: str) -> datetime:
        return datetime.strptime(self.get(name), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def parsed(data: bytes) -> Component:
    """The VCALENDAR. AssertionError where it breaks a rule of the standard."""
    assert data.endswith(b"\r\n")
    raw = data[:-2].split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in raw)
    assert all(line.decode() is not None for line in raw), "a letter is cut in two"
    root = Component("")
    stack = [root]
    for line in data[:-2].replace(b"\r\n ", b"").decode().split("\r\n"):
        found = _LINE.fullmatch(line)
        assert found, line
        assert all(letter >= " " or letter == "\t" for letter in line), line
        name, _, value = found.groups()
        if name == "BEGIN":
            stack.append(Component(value))
            stack[-2].inside.append(stack[-1])
        elif name == "END":
            assert stack.pop().name == value
        else:
            stack[-1].properties.append((name, value))
    (calendar,) = root.inside
    assert (calendar.name, calendar.get("VERSION")) == ("VCALENDAR", "2.0")
    assert calendar.get("PRODID")
    for event in calendar.inside:
        names = [name for name, _ in event.properties]
        assert all(names.count(name) <= 1 for name in _ONCE)
        assert {"UID", "DTSTAMP", "DTSTART"} <= set(names)
    uids = [event.get("UID") for event in calendar.inside]
    assert len(set(uids)) == len(uids)
    return calendar


def unescaped(value: str) -> str:
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", value), f"not escaped: {value}"
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)
