"""Between the XHTML of QTI and the texts of an item: plain where nothing but paragraphs is lost by it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable

import lxml.html
from lxml import etree

from .item import Markup
from .safexml import local, within
from .texts import Marked, clean

# Kept as they stand, spaces and all, when a file of ours is read again.
_OURS = {"plumbline-plain": Markup.PLAIN, "plumbline-markdown": Markup.MARKDOWN, "plumbline-html": Markup.HTML}
_SIMPLE = frozenset({"p", "div", "span", "br", "itemBody", "prompt", "simpleChoice", "body", "html"})
_BLOCKS = frozenset({"p", "div", "li", "blockquote", "pre", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"})
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
_VOID = frozenset({"br", "img", "hr", "wbr", "col", "source", "track", "input", "area", "embed", "param", "link"})


def flow_text(element: etree._Element, *, drop: Iterable[str] = ()) -> Marked:
    """What the element contains, without the descendants named in `drop` (the text after them stays)."""
    element = _bare(element, drop)
    ours = next((node for node in element.iter() if node.get("class") in _OURS), None)
    if ours is not None:
        markup = _OURS[str(ours.get("class"))]
        return Marked(clean(_inner(ours) if markup is Markup.HTML else _exactly(ours)), markup)
    if any(local(node) not in _SIMPLE for node in element.iterdescendants()):
        return Marked(clean(re.sub(r"[ \t]*\n\s*", "\n", _inner(element))), Markup.HTML)
    return Marked(_lines(element))


def html_text(source: str) -> Marked:
    """HTML as Canvas and others write it; plain text if it is only paragraphs."""
    try:
        fragments = lxml.html.fragment_fromstring(source, create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return Marked(clean(source), Markup.HTML)
    simple = all(local(node) in _SIMPLE and not node.attrib for node in fragments.iterdescendants())
    return Marked(_lines(fragments)) if simple else Marked(clean(source), Markup.HTML)


def pictures_in(element: etree._Element) -> list[str]:
    """The names of the pictures that the element needs, as tags."""
    found = [node.get("src", "") for node in within(element, "img")]
    found += [node.get("data", "") for node in within(element, "object")]
    return _figures(found)


def pictures_in_html(source: str) -> list[str]:
    """As `pictures_in`, of HTML in a text."""
    return _figures(re.findall(r"<img\b[^>]*?\bsrc\s*=\s*[\"']([^\"'<>]+)[\"']", source, re.IGNORECASE))


def _figures(addresses: Iterable[str]) -> list[str]:
    """Those on the web and those within the text itself can be shown, and are not named."""
    names = [each.rsplit("/", 1)[-1] for each in addresses if not each.startswith(("http:", "https:", "data:"))]
    return [f"figure:{name}" for name in dict.fromkeys(names) if name]


def _bare(element: etree._Element, drop: Iterable[str]) -> etree._Element:
    """A copy without namespaces and without what is to be dropped."""
    whole = copy.deepcopy(element)
    whole.tail = None
    for node in list(within(whole, *drop)) if drop else []:
        parent = node.getparent()
        if parent is None:
            continue
        previous = node.getprevious()
        if node.tail and previous is not None:
            previous.tail = (previous.tail or "") + node.tail
        elif node.tail:
            parent.text = (parent.text or "") + node.tail
        parent.remove(node)
    for node in whole.iter():
        if isinstance(node.tag, str):
            node.tag = local(node)
        if node.tag == "object" and _is_picture(node):
            _become_image(node)
    etree.cleanup_namespaces(whole)
    return whole


def _is_picture(node: etree._Element) -> bool:
    return node.get("type", "").startswith("image/") or node.get("data", "").lower().endswith(_PICTURES)


def _become_image(node: etree._Element) -> None:
    """QTI shows pictures by <object>, with what stands for it within."""
    told, source = _lines(node), node.get("data", "")
    tail = node.tail
    node.clear()
    node.tag, node.tail = "img", tail
    node.set("src", source)
    node.set("alt", told)


def _inner(element: etree._Element) -> str:
    """The element's content as HTML. Not by lxml, which writes character references for all but ASCII where the file
    declared an encoding."""
    pieces = [_escaped(element.text or "")]
    for node in element:
        attributes = "".join(
            f' {str(name).rpartition("}")[2]}="{_escaped(str(value), quote=True)}"'
            for name, value in node.attrib.items()
        )
        tag = local(node)
        end = "" if tag in _VOID else f"{_inner(node)}</{tag}>"
        pieces += [f"<{tag}{attributes}>{end}" if tag else "", _escaped(node.tail or "")]
    return "".join(pieces)


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;") if quote else text


def _exactly(element: etree._Element) -> str:
    pieces = [element.text or ""]
    for node in element:
        pieces += ["\n" if local(node) == "br" else _exactly(node), node.tail or ""]
    return "".join(pieces)


def _lines(element: etree._Element) -> str:
    """Plain text, blanks run together, a line for each paragraph and after each break."""
    pieces: list[str] = []

    def walk(node: etree._Element) -> None:
        is_block = local(node) in _BLOCKS
        pieces.append("\n" if is_block or local(node) == "br" else "")
        pieces.append(re.sub(r"\s+", " ", node.text or ""))
        for inner in node:
            walk(inner)
            pieces.append(re.sub(r"\s+", " ", inner.tail or ""))
        pieces.append("\n" if is_block else "")

    walk(element)
    lines = [" ".join(line.split()) for line in "".join(pieces).split("\n")]
    return clean("\n".join(line for line in lines if line))


def put_text(parent: etree._Element, marked: Marked, *, namespace: str) -> None:
    """Writes a text into an element so that `flow_text` gives it back."""
    if marked.markup is Markup.HTML:
        box = etree.SubElement(parent, f"{{{namespace}}}div")
        box.set("class", "plumbline-html")
        fragments = lxml.html.fragment_fromstring(marked.text or " ", create_parent="div")
        for node in fragments.iter():
            if isinstance(node.tag, str):
                node.tag = f"{{{namespace}}}{re.sub(r'[^A-Za-z0-9]', '', node.tag) or 'span'}"
        box.text = fragments.text
        box.extend(list(fragments))
        return
    box = etree.SubElement(parent, f"{{{namespace}}}span")
    box.set("class", f"plumbline-{marked.markup}")
    first, *rest = marked.text.split("\n")
    box.text = first
    for line in rest:
        etree.SubElement(box, f"{{{namespace}}}br").tail = line
