"""Pictures attached to records: fetched once, for an attachment never changes, and shown under the question."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from accounts.exceptions import Refused
from jobs.outbound import Unreachable, fetch

from ..exchange.item import Item, Markup
from ..exchange.pictures import ENDINGS, FIGURE, LARGEST, MOST, SCHEME, Picture, over_texts, picture_of
from . import cells
from .cells import Attachment, BadCell
from .client import Record
from .exceptions import AirtableAway
from .mapping import Mapped

TIMEOUT_S = 30.0
AGAIN = (408, 425, 429)  # and 5xx: another time it may be there


def attached(records: Iterable[Record], mapped: Mapped) -> dict[str, Attachment]:
    """By id, what of the mapped field may be a picture that is taken."""
    field_id = mapped.ids.get("pictures")
    found: dict[str, Attachment] = {}
    for record in records if field_id else ():
        try:
            several = cells.attachments(record.fields.get(field_id or ""))[:MOST]
        except BadCell:
            continue  # the record is rejected for it
        found |= {each.id: each for each in several if each.media_type in ("", *ENDINGS) and each.size <= LARGEST}
    return found


def fetched(wanted: Iterable[Attachment], tick: Callable[[str], None]) -> dict[str, Picture]:
    """By id of the attachment, those that are pictures that are taken. Raises AirtableAway, and what `tick` raises."""
    found: dict[str, Picture] = {}
    for number, each in enumerate(wanted, 1):
        tick(f"Fetching picture {number:,}: {each.name}")
        picture = _fetched(each)
        if picture is not None:
            found[each.id] = picture
    return found


def _fetched(attachment: Attachment) -> Picture | None:
    """None: it is not there, not allowed, or none that is taken."""
    try:
        answer = fetch(url=attachment.url, limit_bytes=LARGEST, timeout_s=TIMEOUT_S)
    except Unreachable as error:
        raise AirtableAway(f"The picture {attachment.name} can't be fetched now: {error}") from error
    except Refused:
        return None
    if answer.status in AGAIN or answer.status >= 500:
        raise AirtableAway(f"The picture {attachment.name} can't be fetched now: it answered {answer.status}.")
    return picture_of(answer.body, attachment.name) if answer.status == 200 else None


def shown_in(item: Item, attachments: Iterable[Attachment], held: Mapping[str, str]) -> Item:
    """The item with its pictures under the question. `held`: by id of the attachment, its digest; what is not held is
    named by a tag. Plain text becomes HTML, for it has no pictures."""
    several = list(attachments)[:MOST]
    if not several:
        return item
    tags = tuple(dict.fromkeys([*item.tags, *(f"{FIGURE}{each.name}" for each in several if each.id not in held)]))
    item = replace(item, tags=tags)
    shown = [each for each in several if each.id in held]
    if not shown:
        return item
    if item.markup is Markup.MARKDOWN:
        lines = [f"![{_bare(each.name)}]({SCHEME}{held[each.id]})" for each in shown]
        return replace(item, stem="\n\n".join([item.stem, *lines]))
    if item.markup is Markup.PLAIN:
        escaped = over_texts(item, lambda text: html.escape(text, quote=False).replace("\n", "<br>"))
        item = replace(escaped, markup=Markup.HTML)
    images = [f'<p><img src="{SCHEME}{held[each.id]}" alt="{html.escape(_bare(each.name))}"></p>' for each in shown]
    return replace(item, stem="".join([item.stem, *images]))


def _bare(name: str) -> str:
    """Without its ending and without what means something in markdown."""
    return " ".join(name.rpartition(".")[0].translate(str.maketrans("[]()_*`", "       ")).split())
