"""Texts of questions as HTML that is safe to put into a page, whoever wrote them."""

from __future__ import annotations

import html
import re

import nh3

from ..exchange.item import Markup

TAGS = {
    "p", "br", "b", "strong", "i", "em", "u", "s", "sub", "sup", "code", "pre", "kbd", "var", "samp", "blockquote",
    "hr", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "div",
    "h3", "h4", "h5", "h6",
}  # fmt: skip
ATTRIBUTES = {"*": {"lang", "dir", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
ALT = re.compile(r"\salt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^[ ]{0,3}\1[ ]*$|\Z)", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
STRONG = re.compile(r"(\*\*|__)(?=\S)([^\n]+?)(?<=\S)\1")
EMPHASIS = re.compile(r"(?<![\w*])([*_])(?=\S)([^\n*_]+?)(?<=\S)\1(?![\w*])")
BULLET = re.compile(r"^[ ]{0,3}[-*+][ ]+(.*)$")


def safe_html(text: str, markup: str) -> str:
    """Of html what formats text; of markdown code, emphasis, lists and paragraphs; of plain text its lines.

    Nothing that loads, links, runs or styles is left. Pictures become their descriptions.
    """
    if not text:
        return ""
    if markup == Markup.HTML:
        return nh3.clean(
            IMAGE.sub(_picture, text),
            tags=TAGS,
            attributes=ATTRIBUTES,
            link_rel=None,
        )
    if markup == Markup.MARKDOWN:
        return _from_markdown(text)
    return html.escape(text).replace("\n", "<br>")


def bare_text(text: str, markup: str) -> str:
    """Words alone, for lists and titles."""
    if markup == Markup.PLAIN:
        return " ".join(text.split())
    return " ".join(html.unescape(nh3.clean(re.sub(r">\s*<", "> <", safe_html(text, markup)), tags=set())).split())


def _picture(found: re.Match[str]) -> str:
    alt = ALT.search(found[0])
    told = html.unescape((alt[1] or alt[2] or "") if alt else "").strip()
    return f" [picture: {html.escape(told)}] " if told else " [picture] "


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
        out += [_emphasised(text[at : found.start()]), f"<code>{html.escape(found[2].strip())}</code>"]
        at = found.end()
    return "".join([*out, _emphasised(text[at:])])


def _emphasised(text: str) -> str:
    escaped = html.escape(text)
    escaped = STRONG.sub(r"<strong>\2</strong>", escaped)
    return EMPHASIS.sub(r"<em>\2</em>", escaped).replace("\n", "<br>")
