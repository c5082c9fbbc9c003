"""Pictures of questions: told by their content, named in texts by their digest, and found in what files write.

In a text a picture is `<img src="picture:DIGEST" alt="…">` (html) or `![…](picture:DIGEST)` (markdown), and no more.
What can't be taken stays as it was written, and is named by a tag "figure:t-1.svg".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from posixpath import basename
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from .item import Accepted, Choice, Item, Markup, Pair, Range

# SVG is not among them: it can run scripts and load what it likes, and making a bitmap of it takes a browser.
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
LARGEST = 2 * 1024 * 1024
MOST_PIXELS = 40_000_000  # what a phone can unpack
MOST = 20  # of one question
SCHEME = "picture:"
FIGURE = "figure:"

ADDRESS = re.compile(r"picture:([0-9a-f]{64})\b")
START = re.compile(r"<img\b", re.IGNORECASE)
IMAGE = re.compile(r"<img\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
LONGEST_TAG = 2 * LARGEST
MOST_BROKEN = 50  # tags without an end, each of which costs a look at what follows
SOURCE = re.compile(r"(\ssrc\s*=\s*)(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
MARKED = re.compile(r"!\[([^\[\]\n]*)\]\([ ]?<?([^()\[\]\s<>]+)>?(?: \"[^\"\n]*\")?[ ]?\)")
DATA = re.compile(r"data:image/[\w.+-]+(?:;[\w=.+-]+)*?(;base64)?,(.*)\Z", re.IGNORECASE | re.DOTALL)

Find = Callable[[str], "Picture | None"]  # by the address as written


@dataclass(frozen=True)
class Picture:
    """`name`: of the file that it came in, without its folders. Equal where the content is."""

    content: bytes
    name: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picture) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def look(self) -> Look | None:
        return look_of(self.content)

    @property
    def media_type(self) -> str:
        """ "" for what is no picture that is taken."""
        return self.look.media_type if self.look else ""

    @property
    def file_name(self) -> str:
        """Under which it is written into files: no two contents have the same."""
        return f"{self.digest[:16]}.{ENDINGS[self.media_type]}"


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture's first bytes say. Sizes in pixels."""

    media_type: str
    width: int
    height: int


def look_of(content: bytes) -> Look | None:
    """None for what is no PNG, JPEG, GIF or WebP, whatever its name and its sender say."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
            return _look("image/png", *struct.unpack(">II", content[16:24]))
        if content[:6] in (b"GIF87a", b"GIF89a"):
            return _look("image/gif", *struct.unpack("<HH", content[6:10]))
        if content.startswith(b"\xff\xd8\xff"):
            return _look("image/jpeg", *_jpeg_size(content))
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _look("image/webp", *_webp_size(content))
    except (struct.error, ValueError):
        return None
    return None


def problem_of(content: bytes) -> str:
    """Why it is not taken, in words; "" if it is."""
    if len(content) > LARGEST:
        return f"is larger than {LARGEST // 1024 // 1024} MB"
    look = look_of(content)
    if look is None:
        is_svg = b"<svg" in content[:1024].lower()
        return "is an SVG, which can run programs: save it as PNG" if is_svg else "is no PNG, JPEG, GIF or WebP"
    if look.width * look.height > MOST_PIXELS:
        return f"has more than {MOST_PIXELS // 1_000_000} million pixels"
    return ""


def picture_of(content: bytes, name: str = "") -> Picture | None:
    """None where it is not taken (`problem_of`)."""
    return None if problem_of(content) else Picture(content, basename(name.replace("\\", "/"))[:200])


def from_data(address: str) -> Picture | None:
    """Of a data: address."""
    found = DATA.match(address)
    if found is None or len(address) > 2 * LARGEST:
        return None
    try:
        content = base64.b64decode(found[2], validate=False) if found[1] else unquote_to_bytes(found[2])
    except (binascii.Error, ValueError):
        return None
    return picture_of(content)


def with_pictures(item: Item, find: Find | None = None) -> Item:
    """The item with the pictures of its texts taken: those within the text itself, and those that `find` knows."""
    taker = _Taker(find, item.pictures)
    if item.markup is Markup.PLAIN or not _may_have(item):
        return item
    item = over_texts(item, lambda text: taker.taken(text, item.markup))
    return replace(item, pictures=taker.pictures, tags=taker.tags(item.tags))


def taken_from(text: str, markup: Markup, find: Find) -> tuple[str, tuple[Picture, ...]]:
    """As `with_pictures`, of one text: where the same name means another picture in another text."""
    taker = _Taker(find, ())
    return taker.taken(text, markup), taker.pictures


def readdressed(text: str, markup: Markup, address: Callable[[str], str | None]) -> str:
    """The text with `picture:DIGEST` become what `address(digest)` says; None leaves one as it is."""

    def found(match: re.Match[str]) -> str:
        return address(match[1]) or match[0]

    return ADDRESS.sub(found, text) if SCHEME in text and markup is not Markup.PLAIN else text


def digests_in(item: Item) -> tuple[str, ...]:
    """Of the pictures that its texts name, each once, in their order."""
    if item.markup is Markup.PLAIN:
        return ()
    return tuple(dict.fromkeys(found[1] for text in texts_of(item) for found in ADDRESS.finditer(text)))


def texts_of(item: Item) -> Iterator[str]:
    """Those that are in the item's markup."""
    yield item.stem
    yield item.explanation
    for choice in item.choices:
        yield from (choice.text, choice.feedback)
    yield from (each.feedback for each in item.accepted)
    yield from (each.feedback for each in item.ranges)
    for pair in item.pairs:
        yield from (pair.left, pair.right)
    yield from item.sequence


def over_texts(item: Item, change: Callable[[str], str]) -> Item:
    """The item with each of those texts changed."""
    return replace(
        item,
        stem=change(item.stem),
        explanation=change(item.explanation),
        choices=tuple(Choice(change(each.text), each.share, change(each.feedback)) for each in item.choices),
        accepted=tuple(Accepted(each.text, each.share, change(each.feedback)) for each in item.accepted),
        ranges=tuple(Range(each.low, each.high, each.share, change(each.feedback)) for each in item.ranges),
        pairs=tuple(Pair(change(each.left), change(each.right)) for each in item.pairs),
        sequence=tuple(map(change, item.sequence)),
    )


class _Taker:
    """Takes pictures out of one question's texts, at most MOST of them."""

    def __init__(self, find: Find | None, pictures: tuple[Picture, ...]) -> None:
        self._find = find
        self._kept = {each.digest: each for each in pictures}
        self._names: set[str] = set()
        self._left: list[str] = []

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(self._kept.values())

    def taken(self, text: str, markup: Markup) -> str:
        if markup is Markup.HTML and "<" in text:
            return "".join(self._html(text))
        if markup is Markup.MARKDOWN and "![" in text:
            return MARKED.sub(self._marked, text)
        return text

    def tags(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """Without the names of what was taken, with those of what within a text was not."""
        missing = {f"{FIGURE}{name}" for name in self._names}
        return tuple(dict.fromkeys([*(each for each in before if each not in missing), *self._left]))

    def _html(self, text: str) -> Iterator[str]:
        at = broken = 0
        while broken < MOST_BROKEN and (start := START.search(text, at)):
            image = IMAGE.match(text, start.start(), start.start() + LONGEST_TAG)
            yield text[at : start.start()]
            yield SOURCE.sub(self._source, image[0], count=1) if image else start[0]
            at = image.end() if image else start.end()
            broken += image is None
        yield text[at:]

    def _source(self, found: re.Match[str]) -> str:
        written = html.unescape(found[2] or found[3] or found[4] or "")
        address = self._address(written)
        return f'{found[1]}"{address}"' if address else _without_data(found, written)

    def _marked(self, found: re.Match[str]) -> str:
        address = self._address(found[2])
        if address:
            return f"![{found[1]}]({address})"
        return f"![{found[1]}]()" if found[2][:5].lower() == "data:" else found[0]

    def _address(self, written: str) -> str:
        """ "" where the picture is not taken."""
        if ADDRESS.fullmatch(written):
            return written
        is_data = written[:5].lower() == "data:"
        picture = from_data(written) if is_data else self._find(written) if self._find else None
        if picture is None or (picture.digest not in self._kept and len(self._kept) >= MOST):
            if is_data:
                self._left.append(f"{FIGURE}embedded")
            return ""
        self._kept.setdefault(picture.digest, picture)
        name = written.rsplit("/", 1)[-1]
        self._names |= {written, name, unquote(name)}
        return f"{SCHEME}{picture.digest}"


def _without_data(found: re.Match[str], written: str) -> str:
    """What is embedded and can't be taken would only make the text long."""
    return f'{found[1]}""' if written[:5].lower() == "data:" else found[0]


def _may_have(item: Item) -> bool:
    if item.markup is Markup.MARKDOWN:
        return any("![" in text for text in texts_of(item))
    return any("<" in text and START.search(text) for text in texts_of(item))


def _look(media_type: str, width: int, height: int) -> Look | None:
    return Look(media_type, width, height) if width and height else None


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Of the first frame header (ITU-T T.81, B.2.2). ValueError: there is none."""
    at = 2
    while at + 9 < len(content):
        if content[at] != 0xFF:
            raise ValueError("no marker")
        marker = content[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + int(struct.unpack(">H", content[at + 2 : at + 4])[0])
    raise ValueError("no frame")


def _webp_size(content: bytes) -> tuple[int, int]:
    """Of the first chunk (RFC 9649, 2.5 to 2.7). ValueError: it is none of them."""
    kind = content[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8L" and content[20:21] == b"\x2f":
        bits = int.from_bytes(content[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no size")


def object_of_picture(picture: Picture) -> dict[str, Any]:
    """As JSON has it."""
    return {"name": picture.name, "base64": base64.b64encode(picture.content).decode()}
