"""Questions in a markdown document: a heading "###### 1. …", choices "- A: …", a heading "#### Answer: B", why."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .answers import letters_at
from .item import Choice, Item, Kind, Markup, Rejected
from .soundness import BadQuestion, sound
from .texts import equal_share

_START = re.compile(r"^#{2,6}[ \t]+(\d{1,5})[.)][ \t]+", re.MULTILINE)
_CHOICE = re.compile(r"^[-*][ \t]+([A-Z])[:.)][ \t]+", re.MULTILINE)
_ANSWER = re.compile(r"^#{2,6}[ \t]+Answer:[ \t]*(.*)$", re.MULTILINE | re.IGNORECASE)
_FOLDED = re.compile(r"^[ \t]*(?:</?details>.*|</?summary>.*|</?p>|---+)[ \t]*$", re.MULTILINE | re.IGNORECASE)


def is_markdown(text: str) -> bool:
    return bool(_START.search(text) and _ANSWER.search(text) and _CHOICE.search(text))


def read_markdown(text: str) -> Iterator[Item | Rejected]:
    starts = list(_START.finditer(text))
    for position, start in enumerate(starts, 1):
        end = starts[position].start() if position < len(starts) else len(text)
        raw = text[start.end() : end]
        try:
            item = _item(raw, number=start[1])
        except BadQuestion as bad:
            yield bad.rejected(position, raw)
        else:
            yield sound(item, position=position, raw=raw)


def _item(raw: str, *, number: str) -> Item:
    answer = _ANSWER.search(raw)
    if answer is None:
        raise BadQuestion("no_correct_answer", "There is no heading 'Answer: …'.")
    parts = _CHOICE.split(_FOLDED.sub("", raw[: answer.start()]))
    texts = [text.strip() for text in parts[2::2]]
    right = letters_at(answer[1], len(texts))
    share = equal_share(len(right))
    return Item(
        kind=Kind.SINGLE if len(right) == 1 else Kind.MULTIPLE,
        stem=parts[0],
        external_id=number,
        markup=Markup.MARKDOWN,
        choices=tuple(Choice(text, share * (at in right)) for at, text in enumerate(texts)),
        explanation=_FOLDED.sub("", raw[answer.end() :]).strip(),
    )
