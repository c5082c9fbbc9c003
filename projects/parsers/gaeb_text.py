"""Texts of GAEB DA XML: paragraphs and spans to plain lines."""

from __future__ import annotations

import re

from lxml import etree

from projects.parsers.safexml import child, local_name

_SPACES = re.compile(r"[ \t\r\n\u00a0]+")
_LINES = re.compile(r"\n{3,}")
_BLOCKS = ("p", "div", "li", "tr")
_SKIPPED = ("image", "attachment")


def plain_text(element: etree._Element | None) -> str:
    """Paragraphs and line breaks become line feeds, runs of white space one blank; pictures are left out."""
    if element is None:
        return ""
    pieces: list[str] = []
    _collect(element, pieces)
    lines = (_SPACES.sub(" ", line).strip() for line in "".join(pieces).split("\n"))
    return _LINES.sub("\n\n", "\n".join(lines)).strip()


def _collect(element: etree._Element, pieces: list[str]) -> None:
    for event, node in etree.iterwalk(element, events=("start", "end")):
        tag = local_name(node)
        if event == "start":
            if tag not in _SKIPPED and node.text:
                pieces.append(_SPACES.sub(" ", node.text))
            continue
        if tag == "br" or tag in _BLOCKS:
            pieces.append("\n")
        if node is not element and node.tail:
            pieces.append(
                _SPACES.sub(" ", node.tail) if node.tail.strip() else " " * (" " in node.tail and "\n" not in node.tail)
            )


def short_and_long(item: etree._Element) -> tuple[str, str]:
    """The outline text as one line, and the detailed text, whose first line stands in for a missing outline text."""
    description = child(item, "Description")
    complete = child(description, "CompleteText") if description is not None else None
    source = complete if complete is not None else description
    if source is None:
        return "", ""
    outline = child(source, "OutlineText")
    if outline is None and complete is not None and description is not None:
        outline = child(description, "OutlineText")
    detail = plain_text(child(source, "DetailTxt"))
    short = " ".join(plain_text(outline).split())
    return short or detail.split("\n", 1)[0], detail
