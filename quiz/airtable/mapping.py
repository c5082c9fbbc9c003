"""Which of Airtable's fields holds what of a question, by field id; and what has happened to those fields since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .client import Field

# Ours, and the names under which it is looked for when nobody has said where it is.
NAMES: dict[str, tuple[str, ...]] = {
    "stem": ("question", "stem", "question text", "text"),
    "kind": ("type", "kind", "question type"),
    "choices": ("choices", "options", "answers", "answer choices"),
    "choice_a": ("a", "choice a", "option a", "answer a"),
    "choice_b": ("b", "choice b", "option b", "answer b"),
    "choice_c": ("c", "choice c", "option c", "answer c"),
    "choice_d": ("d", "choice d", "option d", "answer d"),
    "choice_e": ("e", "choice e", "option e", "answer e"),
    "choice_f": ("f", "choice f", "option f", "answer f"),
    "correct": ("correct", "correct answer", "answer", "right answer", "key"),
    "tolerance": ("tolerance",),
    "explanation": ("explanation", "rationale", "feedback"),
    "category": ("category", "topic", "subject"),
    "difficulty": ("difficulty", "level"),
    "references": ("clause", "clauses", "reference", "references", "standard reference"),
    "tags": ("tags", "keywords"),
    "active": ("active", "is active", "live", "status"),
    "pictures": ("picture", "pictures", "image", "images", "figure", "figures", "photo", "attachments"),
}
TEXTS = frozenset(
    (
        "singleLineText", "multilineText", "richText", "singleSelect", "formula", "multipleLookupValues", "rollup",
        "aiText", "number", "url", "email", "autoNumber", "count", "currency", "percent", "rating",
        "externalSyncSource",
    )
)  # fmt: skip
LISTS = frozenset({"multipleSelects"})
NUMBERS = TEXTS & {
    "number", "percent", "rating", "singleSelect", "singleLineText", "formula", "multipleLookupValues", "rollup",
}  # fmt: skip
SUITS: dict[str, frozenset[str]] = {
    **dict.fromkeys(NAMES, TEXTS),
    **dict.fromkeys(("choices", "references", "tags"), TEXTS | LISTS),
    "correct": TEXTS | LISTS | {"checkbox"},
    "difficulty": NUMBERS,
    "tolerance": NUMBERS,
    "active": TEXTS | {"checkbox"},
    "pictures": frozenset({"multipleAttachments"}),
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where each of ours is: field id and what the field is, as far as it is known."""

    ids: Mapping[str, str]
    fields: Mapping[str, Field]

    def field(self, ours: str) -> Field | None:
        return self.fields.get(self.ids.get(ours, ""))

    def name(self, ours: str) -> str:
        """For people: Airtable's name of the field."""
        field = self.field(ours)
        return field.name if field else ours


def proposed(fields: Mapping[str, Field]) -> dict[str, str]:
    """Field ids by the names that are usual; a field is used once, and only where its type suits."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for ours, names in NAMES.items():
        for field in fields.values():
            if field.id not in taken and field.name.strip().casefold() in names and field.type in SUITS[ours]:
                found[ours] = field.id
                taken.add(field.id)
                break
    return found


def missing(mapping: Mapping[str, str], fields: Mapping[str, Field]) -> list[str]:
    """Which of ours are mapped to fields that are gone."""
    return [ours for ours, field_id in mapping.items() if field_id not in fields]


def seen(fields: Mapping[str, Field]) -> dict[str, Any]:
    """What a bank remembers of its table's fields."""
    return {field.id: {"name": field.name, "type": field.type} for field in fields.values()}


def drift(mapping: Mapping[str, str], before: Mapping[str, Any], fields: Mapping[str, Field]) -> list[str]:
    """What has become of the fields since the last run, in words; those without a part in it only if they are new."""
    ours_by_id = {field_id: ours for ours, field_id in mapping.items()}
    told: list[str] = []
    for field_id, was in before.items():
        ours, field = ours_by_id.get(field_id), fields.get(field_id)
        if ours is None:
            continue
        if field is None:
            told.append(f"The field “{was['name']}” ({ours}) is gone.")
            continue
        if field.name != was["name"]:
            told.append(f"The field “{was['name']}” ({ours}) is called “{field.name}” now.")
        if field.type != was["type"]:
            told.append(f"The field “{field.name}” ({ours}) was {was['type']} and is {field.type} now.")
    if before:
        told += [f"There is a new field “{each.name}”." for each in fields.values() if each.id not in before]
    told += _unsuitable(mapping, fields)
    return told


def _unsuitable(mapping: Mapping[str, str], fields: Mapping[str, Field]) -> Sequence[str]:
    found = ((ours, fields[field_id]) for ours, field_id in mapping.items() if field_id in fields)
    return [
        f"The field “{field.name}” is {field.type}, from which {ours} can't be read."
        for ours, field in found
        if field.type not in SUITS.get(ours, TEXTS)
    ]
