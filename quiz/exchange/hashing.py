"""A question's content as one digest: the same for the same question, wherever it was read."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import replace
from typing import Any

from .item import Item
from .json_items import object_of

_UNORDERED = ("references", "tags", "pairs")


def content_hash(item: Item) -> str:
    """64 hex digits over all that the item says, its `external_id` aside, for that is what it is found by.

    The order of choices, accepted answers, ranges and the sequence counts; that of references, tags and pairs does not.
    Pictures count as its texts name them.
    Letters are compared composed (NFC), numbers by value.
    """
    content: dict[str, Any] = {**object_of(replace(item, pictures=())), "external_id": ""}
    for name in _UNORDERED:
        if name in content:
            content[name] = sorted(content[name], key=lambda part: json.dumps(part, sort_keys=True))
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()
