"""Commands that change the budget, understood without a model: what is to be done to which positions.

    set the price of 1.12 to 350          nastav cenu položky 1.12 na 350          setze den Preis von 1.12 auf 350
    raise section 2 by 5 %                zvyš oddíl 2 o 5 %                       erhöhe Abschnitt 2 um 5 %
    delete positions 3, 4                 smaž položky 3, 4                        lösche Positionen 3, 4
    change the quantity of 7 to 12.5      změň množství položky 7 na 12,5          ändere die Menge von 7 auf 12,5

Several, one below the other or parted by ";". Free of the database: who is meant is looked up in `targets`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from analytics.search.folding import folded

from . import grammar as g
from .language import FIGURE, figure_of

Operation = Literal["set_price", "set_quantity", "scale_price", "scale_quantity", "delete"]
MOST_COMMANDS = 50
LEAST_PERCENT, MOST_PERCENT = Decimal(-100), Decimal(1000)

_TAIL = rf"\s*(?:{g.CURRENCY}(?:\s*/\s*\w+)?)?\s*[.!]?$"
_SET = re.compile(
    rf"^{g.SET}\s+(?:{g.OF}\s+)?{g.FIELD}\s+(?:{g.OF}\s+)*(?P<target>.+?)\s+{g.TO}\s+(?P<value>{FIGURE}){_TAIL}"
)
_SET_LATER = re.compile(
    rf"^(?:{g.OF}\s+)?{g.FIELD}\s+(?:{g.OF}\s+)*(?P<target>.+?)\s+(?:{g.SET}\s+)?{g.TO}\s+(?P<value>{FIGURE})"
    rf"(?:\s*{g.CURRENCY})?(?:\s+{g.SET})?\s*[.!]?$"
)
_SCALE = re.compile(
    rf"^(?:(?P<up>{g.UP})|(?P<down>{g.DOWN}))\s+(?P<target>.+?)\s+(?:by|o|um)\s+(?P<value>{FIGURE})\s*{g.PERCENT}"
    r"(?:\s+an)?\s*[.!]?$"
)
_DELETE = re.compile(rf"^{g.DELETE}\s+(?:{g.OF}\s+)?(?P<target>.+?)\s*[.!]?$")
_FIELD_FIRST = re.compile(rf"^(?:{g.ALL}\s+)?(?:{g.OF}\s+)*(?:{g.ALL}\s+)?{g.FIELD}(?:\s+|$)(?:{g.OF}\s+)*")
_VERB = re.compile(rf"^(?:{g.SET}|{g.UP}|{g.DOWN}|{g.DELETE})\s")
_POLITE = re.compile(rf"^(?:{g.POLITE})+")
_FROM = re.compile(rf"\s+(?:from|z|ze|von)\s+{FIGURE}\s*$")
_LIST = re.compile(r"\s*(?:,|;|&|\band\b|\bund\b|\ba\b)\s*")
_ALONE = re.compile(r"#?[^\s]*\d[^\s]*|#[0-9a-f]{8}")
REFERENCE = re.compile(r"#([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Target:
    """`kind`: "positions" (each of `names`), "section", "all", or "any": the text does not say what it names. Without
    names, but for "all": nobody is named."""

    kind: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """`value`: the new figure, or by how many percent; None for a deletion. `text`: as it was written."""

    operation: Operation
    target: Target
    value: Decimal | None
    text: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It begins as a command, and what it asks for is not understood."""

    text: str


def commands_in(text: str, language: str) -> list[Command | Unclear]:
    """In order; [] where the message is no command."""
    parts = [part.strip() for part in re.split(r"[;\n]+", text) if part.strip()]
    found = [_command(part, language) for part in parts]
    if not any(found):
        return []
    return [each or Unclear(part) for each, part in zip(found, parts, strict=True)]


def _command(text: str, language: str) -> Command | Unclear | None:
    plain = re.sub(r"\s+", " ", folded(text)).strip()
    polite = _POLITE.match(plain)
    if plain.endswith("?") and not polite:
        return None
    plain = _POLITE.sub("", plain).rstrip("? ")
    if match := _SET.match(plain) or _SET_LATER.match(plain):
        operation: Operation = "set_price" if match["price"] else "set_quantity"
        target = target_of(_FROM.sub("", match["target"]))
        return _valued(operation, target, figure_of(match["value"], language), text)
    if match := _SCALE.match(plain):
        return _scaled(match, text, language)
    if match := _DELETE.match(plain):
        target = target_of(match["target"])
        return Command("delete", target, None, text) if target.names or target.kind == "all" else Unclear(text)
    return Unclear(text) if _VERB.match(plain) else None


def _scaled(match: re.Match[str], text: str, language: str) -> Command | Unclear:
    percent = figure_of(match["value"], language)
    what = match["target"]
    field = _FIELD_FIRST.match(what)
    operation: Operation = "scale_quantity" if field and field["quantity"] else "scale_price"
    target = target_of(what[field.end() :] if field else what)
    if percent is not None and match["down"]:
        percent = -percent
    if percent is None or not LEAST_PERCENT <= percent <= MOST_PERCENT:
        return Unclear(text)
    return _valued(operation, target, percent, text)


def _valued(operation: Operation, target: Target, value: Decimal | None, text: str) -> Command | Unclear:
    is_clear = value is not None and (target.names or target.kind == "all")
    return Command(operation, target, value, text) if is_clear else Unclear(text)


def target_of(text: str) -> Target:
    """Of folded text: "section 2", "positions 3, 4 and 5", "all", "1.12", words of a description."""
    text = text.strip().strip("\"'“”„«»").strip()
    if not text or re.fullmatch(rf"(?:{g.OF}\s+)*{g.ALL}(?:\s+{g.POSITION})?", text):
        return Target("all")
    text = re.sub(rf"^(?:{g.OF}\s+)+", "", text)
    if match := re.match(g.SECTION, text):
        name = text[match.end() :].strip().strip("\"'“”„«»")
        return Target("section", (name or text,))
    kind = "any"
    if match := re.match(g.POSITION, text):
        kind, text = "positions", text[match.end() :].strip()
        text = re.sub(r"^(?:no\.?|nr\.?|c\.|cislo|number|nummer)\s*", "", text)
    pieces = [piece for piece in _LIST.split(text) if piece]
    if len(pieces) > 1 and all(_ALONE.fullmatch(piece) for piece in pieces):
        return Target("positions", tuple(dict.fromkeys(pieces)))
    return Target(kind, (text.strip("\"'“”„«»"),) if text else ())
