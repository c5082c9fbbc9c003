"""A question's answer as the database keeps it (`QuestionVersion.body`), from the item of a file and back."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ..exchange.item import Accepted, Choice, Item, Kind, Markup, Pair, Range
from ..exchange.texts import plain_number
from ..models import QuestionVersion


def body_of(item: Item) -> dict[str, Any]:
    """As `QuestionVersion` documents it."""
    match item.kind:
        case Kind.SINGLE | Kind.MULTIPLE | Kind.TRUE_FALSE:
            ids = _ids(choice.text for choice in item.choices)
            return {"choices": [{"id": i, **_marked(each)} for i, each in zip(ids, item.choices, strict=True)]}
        case Kind.SHORT:
            accepted = [_marked(each) for each in item.accepted]
            return {"accepted": accepted, "is_case_sensitive": item.is_case_sensitive}
        case Kind.NUMERIC:
            return {"ranges": [_range(each) for each in item.ranges]}
        case Kind.MATCHING:
            ids = _ids(f"{pair.left}\n{pair.right}" for pair in item.pairs)
            pairs = zip(ids, item.pairs, strict=True)
            return {"pairs": [{"id": i, "left": pair.left, "right": pair.right} for i, pair in pairs]}
        case Kind.ORDERING:
            sequence = zip(_ids(item.sequence), item.sequence, strict=True)
            return {"sequence": [{"id": i, "text": text} for i, text in sequence]}


def item_of(
    version: QuestionVersion, *, external_id: str = "", category: tuple[str, ...] = (), title: str = ""
) -> Item:
    """What a writer of files takes."""
    body: dict[str, Any] = version.body
    choices = ((each["text"], Decimal(each["share"]), each["feedback"]) for each in body.get("choices", []))
    accepted = ((each["text"], Decimal(each["share"]), each["feedback"]) for each in body.get("accepted", []))
    ranges = (
        (Decimal(each["low"]), Decimal(each["high"]), Decimal(each["share"]), each["feedback"])
        for each in body.get("ranges", [])
    )
    return Item(
        kind=Kind(version.kind),
        stem=version.stem,
        external_id=external_id,
        title=title,
        markup=Markup(version.markup),
        choices=tuple(Choice(*each) for each in choices),
        accepted=tuple(Accepted(*each) for each in accepted),
        is_case_sensitive=body.get("is_case_sensitive", False),
        ranges=tuple(Range(*each) for each in ranges),
        pairs=tuple(Pair(each["left"], each["right"]) for each in body.get("pairs", [])),
        sequence=tuple(each["text"] for each in body.get("sequence", [])),
        explanation=version.explanation,
        category=category,
        references=tuple(version.references),
        tags=tuple(version.tags),
        difficulty=version.difficulty,
    )


def _marked(each: Choice | Accepted) -> dict[str, str]:
    return {"text": each.text, "share": plain_number(each.share), "feedback": each.feedback}


def _range(each: Range) -> dict[str, str]:
    return {
        "low": plain_number(each.low),
        "high": plain_number(each.high),
        "share": plain_number(each.share),
        "feedback": each.feedback,
    }


def _ids(texts: Iterable[str]) -> list[str]:
    """From the text alone, not from the place: an id tells nothing of which choice is right, nor of the right order,
    and stays the same when only the order changes. A text that is there twice is counted."""
    seen: Counter[str] = Counter()
    found = []
    for text in texts:
        seen[text] += 1
        named = text if seen[text] == 1 else f"{text}\x00{seen[text]}"
        found.append(hashlib.blake2b(named.encode(), digest_size=5).hexdigest())
    return found
