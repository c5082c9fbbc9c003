"""XML read question by question, with nothing fetched, nothing expanded, and limits on depth and text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from lxml import etree

from .content import NotReadable

_PROLOG_BYTES = 1 << 20
_PIECE = 1 << 14


class Damaged(Exception):
    """The XML is not well formed from here on: what came before was read."""


@dataclass(frozen=True, slots=True)
class Prolog:
    """What stands before the content: the root element's local name ("" when it is no XML) and namespace."""

    root: str = ""
    namespace: str = ""
    has_declarations: bool = False


class _Found(Exception):
    pass


def prolog_of(content: bytes) -> Prolog:
    """Reads as far as the root element's start. Never raises for bad XML: the root is "" then."""
    parser = expat.ParserCreate(namespace_separator="|")
    found: list[Prolog] = []

    def start(name: str, _attributes: dict[str, str]) -> None:
        namespace, _, root = name.rpartition("|")
        found.append(Prolog(root, namespace))
        raise _Found

    def doctype(_name: str, _system: str | None, _public: str | None, has_internal_subset: bool) -> None:
        # Old QTI names its DTD, which is not fetched; only one inside the file can declare anything.
        if has_internal_subset:
            found.append(Prolog("", "", True))
            raise _Found

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    try:
        for at in range(0, min(len(content), _PROLOG_BYTES), _PIECE):
            parser.Parse(content[at : at + _PIECE], False)
    except (_Found, expat.ExpatError, LookupError, ValueError):
        pass
    return found[0] if found else Prolog()


def refuse_declarations(prolog: Prolog) -> None:
    if prolog.has_declarations:
        raise NotReadable(
            "The XML file has declarations in its document type (<!DOCTYPE … [ … ]>), through which a file can grow "
            "without end; delete them and try again.",
            code="xml_forbidden",
        )


def elements(content: bytes, *names: str) -> Iterator[etree._Element]:
    """The elements of these local names, each complete and forgotten afterwards. Raises Damaged, with the line."""
    try:
        # Without huge_tree libxml2 itself stops at a depth of 256 and at 10 MB of text in a node.
        context = etree.iterparse(
            io.BytesIO(content), events=("end",), tag=[f"{{*}}{name}" for name in names],
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
            remove_comments=True, remove_pis=True,
        )  # fmt: skip
        for _, element in context:
            yield element
            _forget(element)
    except etree.XMLSyntaxError as error:
        raise Damaged(f"The XML is damaged: {' '.join(str(error).split())[:160]}") from error
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        raise Damaged(f"The XML is damaged: {str(error)[:160]}") from error


def tree_of(content: bytes) -> etree._Element:
    """The root of a small document, such as a package's manifest. Raises Damaged."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise Damaged(f"The XML is damaged: {' '.join(str(error).split())[:160]}") from error


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def local(element: etree._Element) -> str:
    """The element's name without its namespace; "" for a comment or an entity that was not expanded."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def child(element: etree._Element, name: str) -> etree._Element | None:
    return next(element.iterchildren(f"{{*}}{name}"), None)


def children(element: etree._Element, name: str) -> list[etree._Element]:
    return list(element.iterchildren(f"{{*}}{name}"))


def within(element: etree._Element, *names: str) -> list[etree._Element]:
    """The descendants of these local names, in the order of the file."""
    return list(element.iterdescendants(*[f"{{*}}{name}" for name in names]))


def text_in(element: etree._Element | None) -> str:
    """All text in the element, markup left out."""
    return "".join(str(piece) for piece in element.itertext()) if element is not None else ""


def raw_of(element: etree._Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)
