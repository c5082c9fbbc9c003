"""Texts and numbers as files write them, made what a question may hold: no control characters, one kind of line end."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from .item import Markup

BLANK = "_____"
SHARE_PLACES = Decimal("0.0000001")  # as Moodle rounds: a third is 0.3333333
MOST_DIGITS = 40

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_TAG = re.compile(
    r"</?(?:p|br|b|i|u|em|strong|div|span|img|a|ul|ol|li|sub|sup|code|pre|table|tr|td|th|h[1-6]|blockquote)\b[^<>]*>",
    re.IGNORECASE,
)
_CLAUSE = r"§*\s*\d+(?:[.-]\d+)*[a-z]?(?:\([\w-]+\))*"
_CLAUSES = re.compile(rf"\s*{_CLAUSE}(?:\s*,\s*(?:{_CLAUSE}|(?:\([\w-]+\))+))+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and how it is written."""

    text: str
    markup: Markup = Markup.PLAIN


def clean(text: str) -> str:
    """Without characters that neither XML nor PostgreSQL can hold, without lone surrogates; lines end with one \\n."""
    if text.isprintable():  # most are, and no pattern is as quick
        return text.strip()
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def looks_like_html(text: str) -> bool:
    return bool(_TAG.search(text))


def in_one_markup(parts: Iterable[Marked]) -> Markup:
    """The markup that all parts can be written in: markdown holds html, html holds escaped text."""
    found = {part.markup for part in parts if part.text}
    for markup in (Markup.MARKDOWN, Markup.HTML):
        if markup in found:
            return markup
    return Markup.PLAIN


def as_markup(part: Marked, markup: Markup) -> str:
    """The part's text in an item of this markup: text that was plain is escaped in html."""
    if markup is Markup.HTML and part.markup is Markup.PLAIN:
        return html.escape(part.text, quote=False).replace("\n", "<br>")
    return part.text


def number_of(text: str) -> Decimal | None:
    """ "3.14", "-2", "1e3", "3,14" (a decimal comma); None for what is no number or one of absurd size."""
    written = text.strip().replace("\u2212", "-").replace("\u00a0", "").replace(" ", "")
    if len(written) > MOST_DIGITS:
        return None
    if written.count(",") == 1 and "." not in written:
        written = written.replace(",", ".")
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= MOST_DIGITS else None


def plain_number(number: Decimal) -> str:
    """As people write it: no exponent, no zeros after the last digit of a fraction."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


def share_of(text: str, *, whole: int = 100) -> Decimal | None:
    """A share of the mark from a percentage ("33.33333" is 0.3333333); None for what is none."""
    number = number_of(text)
    if number is None or abs(number) > whole:
        return None
    return (number / whole).quantize(SHARE_PLACES).normalize() + 0


def equal_share(count: int) -> Decimal:
    return (Decimal(1) / count).quantize(SHARE_PLACES).normalize() + 0


def percent(share: Decimal) -> str:
    return plain_number(share * 100)


def references_of(text: str) -> tuple[str, ...]:
    """The clauses that a cell names, one each: "[97.305(a), (c); 97.1]" is 97.305(a), 97.305(c) and 97.1.

    Commas part clauses only between clause numbers: "AWS D1.1, clause 4" stays whole.
    """
    text = one_line(text)
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    found: list[str] = []
    for part in re.split(r"[;\n]", text):
        is_list = _CLAUSES.fullmatch(part) is not None
        for piece in map(str.strip, part.split(",") if is_list else [part]):
            if is_list and piece.startswith("("):
                found.append(section_of(found[-1]) + piece)
            elif piece:
                found.append(piece)
    return tuple(dict.fromkeys(found))


def section_of(reference: str) -> str:
    """The section that a reference is in: "97.119" of "97.119(b)(2)", "97.5" of "97.5a"."""
    match = re.match(r"§*\s*(\d+(?:[.-]\d+)*)", reference)
    return match[1] if match else reference


def path_of(text: str) -> tuple[str, ...]:
    """A category's path from Moodle's spelling: "$course$/top/Welding/Fillet welds"; a slash in a name is doubled."""
    parts = [part.replace("\x00", "/").strip() for part in text.replace("//", "\x00").split("/")]
    while parts and (re.fullmatch(r"\$\w+\$", parts[0]) or parts[0] in ("top", "")):
        parts.pop(0)
    return tuple(clean(part) for part in parts if clean(part))


def path_text(path: Sequence[str]) -> str:
    return "/".join(["$course$", "top", *(part.replace("/", "//") for part in path)])


# What formats without fields for them carry among the tags.
_REFERENCE, _DIFFICULTY = "ref:", "difficulty:"


def tags_with(*, tags: Sequence[str], references: Sequence[str], difficulty: Decimal | None) -> list[str]:
    found = [*tags, *(_REFERENCE + reference for reference in references)]
    return found + ([_DIFFICULTY + plain_number(difficulty)] if difficulty is not None else [])


def parted_tags(texts: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...], Decimal | None]:
    """(tags, references, difficulty), as `tags_with` wrote them."""
    tags: list[str] = []
    references: list[str] = []
    difficulty: Decimal | None = None
    for text in map(one_line, texts):
        number = number_of(text.removeprefix(_DIFFICULTY)) if text.startswith(_DIFFICULTY) else None
        if number is not None and 0 <= number <= 1:
            difficulty = number
        elif text.startswith(_REFERENCE) and len(text) > len(_REFERENCE):
            references.append(text.removeprefix(_REFERENCE))
        elif text and text not in tags:
            tags.append(text)
    return tuple(tags), tuple(references), difficulty
