"""Questions into a file, and what that file can't say of them.

Every question is read back from what was written of it, by the reader of that format: a loss is what comes back
different, found and not assumed. JSON alone holds everything and is not read back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import IO, Any

from . import packages
from .content import NotReadable
from .gift_items import gift_of, read_gift
from .item import Item, Loss, Markup, Rejected
from .json_items import json_of
from .moodle import read_moodle
from .moodle_writing import moodle_document, moodle_of
from .pictures import digests_in
from .qti2 import read_items
from .qti2_writing import Part, package_of, part_of
from .reading import Format
from .soundness import BadQuestion, sound
from .tables import read_table, table_of

WRITTEN = (Format.CSV, Format.JSON, Format.GIFT, Format.MOODLE, Format.QTI2)
PICTURED = (Format.JSON, Format.MOODLE, Format.QTI2)  # these hold pictures
_ANY = "It is read back differently: the format can't hold it exactly."
_HTML = "HTML is written as the XHTML of QTI, which spells it differently."
_NO_PICTURES = "It holds no pictures: its texts name them by their digests only."
_REASONS = {
    (Format.CSV, "pictures"): _NO_PICTURES,
    (Format.GIFT, "pictures"): _NO_PICTURES,
    (Format.CSV, "choices"): "CSV holds the texts of choices and which are right, not their feedback or part marks.",
    (Format.CSV, "accepted"): "CSV holds accepted answers, not their feedback or part marks.",
    (Format.CSV, "ranges"): "CSV holds ranges of numbers, not their feedback or part marks.",
    (Format.CSV, "tags"): "A tag with a semicolon is read as two.",
    (Format.CSV, "references"): "A reference with a semicolon, or of several clauses, is read as several.",
    (Format.CSV, "category"): "A category's name with a slash between blanks is read as two.",
    (Format.GIFT, "is_case_sensitive"): "GIFT does not say whether capitals matter.",
    (Format.GIFT, "external_id"): "GIFT's comments hold no backslash before a bracket.",
    (Format.GIFT, "references"): "GIFT's comments hold no backslash before a bracket.",
    (Format.GIFT, "tags"): "GIFT's comments hold no backslash before a bracket.",
    (Format.QTI2, "accepted"): "QTI gives one mark for each answer: the same answer twice is one.",
}


def write(items: Iterable[Item], format: str, stream: IO[bytes]) -> list[Loss]:
    """Writes the items in one of WRITTEN; QTI as a zip package with its manifest. What the file can't say is returned.

    A question that can't be asked, or that the format has no form for, is left out: a Loss of the field "item".
    Raises NotReadable("unknown_format") for a format that is not written.
    """
    if format not in WRITTEN:
        raise NotReadable(f"'{format[:40]}' is not written; use one of {', '.join(WRITTEN)}.", code="unknown_format")
    kind = Format(format)
    kept: list[Any] = []
    losses: list[Loss] = []
    for position, item in enumerate(items, 1):
        form, lost = _tried(item, kind, position)
        losses += lost
        if form is not None:
            kept.append(form)
    stream.write(_JOINED[kind](kept))
    return losses


def _tried(item: Item, kind: Format, position: int) -> tuple[Any, list[Loss]]:
    """The item in its form, and what was lost; no form where it can't be written at all."""

    def loss(field: str, reason: str) -> Loss:
        return Loss(item.external_id, field, reason, position)

    whole = sound(item, position=position, raw="")
    if isinstance(whole, Rejected):
        return None, [loss("item", f"The question can't be asked: {whole.reason}")]
    try:
        form = _FORMS[kind](whole, position)
        back = _READ_BACK[kind](form)
    except (BadQuestion, NotReadable, ValueError) as error:
        return None, [loss("item", str(error))]
    if isinstance(back, Rejected) or back is None or back.kind is not item.kind:
        why = back.reason if isinstance(back, Rejected) else "It would be read as a question of another kind."
        return None, [loss("item", f"It can't be written so that it is read again. {why}")]
    usual = _HTML if kind is Format.QTI2 and item.markup is Markup.HTML else _ANY
    lost = [loss(name, _REASONS.get((kind, name), usual)) for name in differences(item, back) if name != "pictures"]
    if missing := set(digests_in(whole)) - {each.digest for each in back.pictures}:
        several = f"{len(missing)} pictures that it shows are" if len(missing) > 1 else "A picture that it shows is"
        lost.append(loss("pictures", _REASONS.get((kind, "pictures"), f"{several} not in the file.")))
    return form, lost


def differences(one: Item, other: Item) -> list[str]:
    """The fields in which two items differ."""
    return [field.name for field in fields(Item) if getattr(one, field.name) != getattr(other, field.name)]


def _only(found: Iterator[Item | Rejected]) -> Item | Rejected | None:
    """The one question that was written; None if it became several."""
    read = list(found)
    return read[0] if len(read) == 1 else None


def _of_part(part: Part) -> Item | Rejected | None:
    return _only(read_items(part.item, packages.told_of(part.resource), position=0, find=part.pictures.get))


def _as_it_is(item: Item, _: int) -> Item:
    return item


_FORMS: dict[Format, Callable[[Item, int], Any]] = {
    Format.CSV: _as_it_is,
    Format.JSON: _as_it_is,
    Format.GIFT: lambda item, _: gift_of(item),
    Format.MOODLE: lambda item, _: moodle_of(item),
    Format.QTI2: part_of,
}
_READ_BACK: dict[Format, Callable[[Any], Item | Rejected | None]] = {
    Format.CSV: lambda item: _only(read_table(table_of([item]))),
    Format.JSON: lambda item: item,
    Format.GIFT: lambda text: _only(read_gift(text)),
    Format.MOODLE: lambda text: _only(read_moodle(moodle_document([text]).encode())),
    Format.QTI2: _of_part,
}
_JOINED: dict[Format, Callable[[Sequence[Any]], bytes]] = {
    Format.CSV: lambda items: table_of(items).encode(),
    Format.JSON: lambda items: json_of(items).encode(),
    Format.GIFT: lambda blocks: "".join(blocks).encode(),
    Format.MOODLE: lambda questions: moodle_document(list(questions)).encode(),
    Format.QTI2: package_of,
}
