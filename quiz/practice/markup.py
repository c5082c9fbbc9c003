"""Texts of questions as HTML that is safe to put into a page, whoever wrote them."""

from __future__ import annotations

import html
import re

import nh3

from ..exchange.item import Markup
from ..exchange.pictures import ADDRESS, SOURCE

PICTURES = "/api/quiz/pictures/"  # and the digest: who may see it is decided there
TAGS = {
    "p", "br", "b", "strong", "i", "em", "u", "s", "sub", "sup", "code", "pre", "kbd", "var", "samp", "blockquote",
    "hr", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "div",
    "h3", "h4", "h5", "h6",
}  # fmt: skip
ATTRIBUTES = {"*": {"lang", "dir", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
ATTRIBUTES_OF_PICTURES = {**ATTRIBUTES, "img": {"src", "alt", "loading"}}
IMAGE = re.compile(r"<img\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
OURS = re.compile(rf"{PICTURES}[0-9a-f]{{64}}\Z")
MARKED = re.compile(r"!\[([^\[\]\n]*)\]\(picture:([0-9a-f]{64})\)")
ALT = re.compile(r"\salt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^[ ]{0,3}\1[ ]*$|\Z)", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
STRONG = re.compile(r"(\*\*|__)(?=\S)([^\n]+?)(?<=\S)\1")
EMPHASIS = re.compile(r"(?<![\w*])([*_])(?=\S)([^\n*_]+?)(?<=\S)\1(?![\w*])")
BULLET = re.compile(r"^[ ]{0,3}[-*+][ ]+(.*)$")


def safe_html(text: str, markup: str) -> str:
    """Of html what formats text; of markdown code, emphasis, lists and paragraphs; of plain text its lines.

    Nothing that loads, links, runs or styles is left, but pictures kept here; others become their descriptions.
    """
    if not text:
        return ""
    if markup == Markup.HTML:
        shown = IMAGE.sub(_picture, text)
        if PICTURES not in shown:
            return nh3.clean(shown, tags=TAGS, attributes=ATTRIBUTES, link_rel=None)
        tags, attributes = TAGS | {"img"}, ATTRIBUTES_OF_PICTURES
        return nh3.clean(shown, tags=tags, attributes=attributes, link_rel=None, attribute_filter=_only_ours)
    if markup == Markup.MARKDOWN:
        return _from_markdown(text)
    return html.escape(text).replace("\n", "<br>")


def bare_text(text: str, markup: str) -> str:
    """Words alone, for lists and titles; of pictures what they are said to show."""
    if markup == Markup.PLAIN:
        return " ".join(text.split())
    text = IMAGE.sub(_described, text) if markup == Markup.HTML else MARKED.sub(r" [picture: \1] ", text)
    return " ".join(html.unescape(nh3.clean(re.sub(r">\s*<", "> <", safe_html(text, markup)), tags=set())).split())


def _picture(found: re.Match[str]) -> str:
    source = SOURCE.search(found[0])
    ours = ADDRESS.fullmatch(source[2] or source[3] or source[4] or "") if source else None
    return _shown(ours[1], _alt(found[0])) if ours else _described(found)


def _described(found: re.Match[str]) -> str:
    told = _alt(found[0])
    return f" [picture: {html.escape(told)}] " if told else " [picture] "


def _alt(image: str) -> str:
    alt = ALT.search(image)
    return html.unescape((alt[1] or alt[2] or "") if alt else "").strip()


def _shown(digest: str, told: str) -> str:
    """Pictures of questions are no decoration: one without a description is named, so that it is not skipped."""
    return f'<img src="{PICTURES}{digest}" alt="{html.escape(told or "picture")}" loading="lazy">'


def _only_ours(tag: str, attribute: str, value: str) -> str | None:
    """Also of what only a browser's parser takes for a picture."""
    return value if tag != "img" or attribute != "src" or OURS.match(value) else None


def _from_markdown(text: str) -> str:
    """What questions use of it; the rest shows as it was written. All text is escaped before a tag is put around it."""
    out, at = [], 0
    text = text.replace("\r\n", "\n")
    for found in FENCE.finditer(text):
        out += _blocks(text[at : found.start()])
        out.append(f"<pre><code>{html.escape(found[2].rstrip())}</code></pre>")
        at = found.end()
    out += _blocks(text[at:])
    if len(out) == 1 and out[0].startswith("<p>"):
        return out[0][3:-4]
    return "".join(out)


def _blocks(text: str) -> list[str]:
    out = []
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.strip("\n").split("\n")
        bullets = [BULLET.match(line) for line in lines]
        if all(bullets):
            out.append("<ul>" + "".join(f"<li>{_inline(found[1])}</li>" for found in bullets if found) + "</ul>")
        elif block.strip():
            out.append(f"<p>{_inline(block.strip())}</p>")
    return out


def _inline(text: str) -> str:
    out, at = [], 0
    for found in CODE.finditer(text):
        out += [_pictured(text[at : found.start()]), f"<code>{html.escape(found[2].strip())}</code>"]
        at = found.end()
    return "".join([*out, _pictured(text[at:])])


def _pictured(text: str) -> str:
    out, at = [], 0
    for found in MARKED.finditer(text) if "](picture:" in text else ():
        out += [_emphasised(text[at : found.start()]), _shown(found[2], found[1].strip())]
        at = found.end()
    return "".join([*out, _emphasised(text[at:])])


def _emphasised(text: str) -> str:
    escaped = html.escape(text)
    escaped = STRONG.sub(r"<strong>\2</strong>", escaped)
    return EMPHASIS.sub(r"<em>\2</em>", escaped).replace("\n", "<br>")
