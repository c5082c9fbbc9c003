"""The operator's guide, from docs/operations.md, for reading beside the page: a section per alarm.

Knows the little of Markdown that the document uses: paragraphs, lists, fenced code, `code` and **strong**. Everything
is escaped; the document is ours, but a page must not depend on that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

DOCUMENT = "docs/operations.md"
CHAPTER = "## Alarms"


@dataclass
class Section:
    """`id` is the alarm's, and the anchor."""

    id: str
    lines: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return self.id.replace("-", " ").capitalize()

    @property
    def html(self) -> SafeString:
        return mark_safe("\n".join(_blocks(self.lines)))  # noqa: S308 - every text in it has been escaped


@lru_cache(maxsize=1)
def sections() -> list[Section]:
    """In the order of the document; none if it was not shipped."""
    path = Path(settings.BASE_DIR) / DOCUMENT
    return parse(path.read_text(encoding="utf-8")) if path.is_file() else []


def parse(document: str) -> list[Section]:
    """The sections ("### id") of the chapter on alarms."""
    _, found, chapter = document.partition(f"\n{CHAPTER}\n")
    sections: list[Section] = []
    for line in chapter.splitlines() if found else ():
        if line.startswith("## "):
            break
        if line.startswith("### "):
            sections.append(Section(line.removeprefix("### ").strip()))
        elif sections:
            sections[-1].lines.append(line)
    return sections


def _blocks(lines: list[str]) -> list[str]:
    blocks: list[str] = []
    text: list[str] = []
    code: list[str] | None = None
    for line in [*lines, ""]:
        if line.startswith("```"):
            blocks += _prose(text) if code is None else [f"<pre><code>{escape(chr(10).join(code))}</code></pre>"]
            text, code = [], [] if code is None else None
        elif code is not None:
            code.append(line)
        elif line.strip():
            text.append(line)
        else:
            blocks += _prose(text)
            text = []
    return blocks


def _prose(lines: list[str]) -> list[str]:
    """One paragraph, or one list: items begin with "- ", their further lines are indented."""
    if not lines:
        return []
    if not lines[0].startswith("- "):
        return [f"<p>{_inline(' '.join(lines))}</p>"]
    items: list[str] = []
    for line in lines:
        if line.startswith("- "):
            items.append(line.removeprefix("- "))
        else:
            items[-1] += " " + line.strip()
    return ["<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>"]


def _inline(text: str) -> str:
    told = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", told)
