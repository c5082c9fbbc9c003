"""XML read as a stream, with nothing fetched, nothing expanded, and limits on depth and text.

A document type declaration is refused outright: no bill format has one, and every known attack through XML starts
there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from lxml import etree

from projects.parsers.bill import ParseError

MAX_BYTES = 1 << 30
_PROLOG_BYTES = 1 << 20
_PIECE = 1 << 14


@dataclass(frozen=True, slots=True)
class Prolog:
    """What stands before the content: the root element, its namespace, its attributes."""

    root: str = ""  # local name; "" when it is not XML
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    has_doctype: bool = False


class _Found(Exception):
    pass


def read_prolog(path: Path) -> Prolog:
    """Reads as far as the root element's start. Never raises for bad XML: the root is "" then."""
    parser = expat.ParserCreate(namespace_separator="|")
    found: list[Prolog] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition("|")
        found.append(Prolog(local, namespace, attributes))
        raise _Found

    def doctype(*_: object) -> None:
        found.append(Prolog(has_doctype=True))
        raise _Found

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    try:
        with path.open("rb") as file:
            for _ in range(_PROLOG_BYTES // _PIECE):
                if not (piece := file.read(_PIECE)):
                    break
                parser.Parse(piece, False)
    except (_Found, expat.ExpatError, LookupError, ValueError):
        pass
    return found[0] if found else Prolog()


def refuse_doctype(prolog: Prolog) -> None:
    if prolog.has_doctype:
        raise ParseError(
            "The XML file has a document type declaration (<!DOCTYPE …>), through which a file can pull in others or "
            "grow without end; bills of quantities never have one. Export the bill again, or delete the declaration.",
            code="xml_forbidden",
        )


def iterate(
    path: Path, tags: frozenset[str], starts: frozenset[str] = frozenset()
) -> Iterator[tuple[str, etree._Element]]:
    """Yields ("end", element) for the elements whose local name is in `tags`, ("start", element) for those in `starts`,
    in the order of the file. The caller drops what it has read with `forget`.

    Raises ParseError("xml_forbidden" | "damaged" | "too_large"), with the line.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ParseError(f"The XML file is larger than {MAX_BYTES >> 20:,} MB. Split the bill.", code="too_large")
    refuse_doctype(read_prolog(path))
    try:
        with path.open("rb") as file:
            # Without huge_tree libxml2 itself stops at a depth of 256 and at 10 MB of text in a node. The tags are
            # matched there too: a hundred thousand positions have millions of elements that no one asks for.
            context = etree.iterparse(
                file, events=("start", "end"), tag=[f"{{*}}{name}" for name in sorted(tags | starts)],
                resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
                remove_comments=True, remove_pis=True,
            )  # fmt: skip
            for event, element in context:
                if local_name(element) in (starts if event == "start" else tags):
                    yield event, element
            if context.root is not None and context.root.getroottree().docinfo.doctype:
                refuse_doctype(Prolog(has_doctype=True))
    except etree.XMLSyntaxError as error:
        raise _damaged(error) from error
    except (UnicodeDecodeError, LookupError, OSError) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> ParseError:
    line = getattr(error, "lineno", None)
    where = f" in line {line}" if line else ""
    return ParseError(
        f"The XML file is damaged{where}: {' '.join(str(error).split())[:160]}. It was probably cut short or edited by "
        "hand; export the bill again and upload that.",
        code="damaged",
    )


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace."""
    tag = str(element.tag)  # an entity reference left unexpanded has a function for a tag
    return tag.rpartition("}")[2] if "}" in tag else tag


def forget(element: etree._Element) -> None:
    """Frees an element that has been read, and what stands before it in its parent."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child with this local name."""
    return next(element.iterchildren(f"{{*}}{name}"), None)


def child_text(element: etree._Element, name: str) -> str:
    """The stripped text of the first child with this local name; "" where there is none."""
    node = child(element, name)
    return (node.text or "").strip() if node is not None else ""


def child_texts(element: etree._Element) -> dict[str, str]:
    """The stripped texts of all children by local name, the first of each: one pass instead of a search for each."""
    texts: dict[str, str] = {}
    for node in element:
        texts.setdefault(local_name(node), (node.text or "").strip())
    return texts


def line_of(element: etree._Element) -> int:
    """The line an element begins in; 0 where it is not known."""
    line: Any = element.sourceline
    return int(line or 0)


def place(element: etree._Element) -> str:
    """Where an element stands, for people: "line 1638"."""
    return f"line {element.sourceline}"
