"""How a tender came to be what it is: each publication, and what it changed of what people read, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..models import TenderRelease
from ..readers import Notice, compile_releases, notice_of

MOST = 50  # publications that are compared; each is compiled with all before it
LONGEST = 600  # characters of a text that are shown of it

LABELS = {
    "title": "Title",
    "description": "Description",
    "buyer_name": "Buyer",
    "status": "Status",
    "procedure": "Procedure",
    "category": "Category",
    "cpv_codes": "CPV",
    "value_amount": "Value",
    "value_currency": "Currency",
    "deadline_at": "Deadline",
    "regions": "Regions",
    "documents": "Documents",
    "lots": "Lots",
    "url": "Address",
}


@dataclass(frozen=True, slots=True)
class Change:
    """Of one field; None: it was not stated. `kind` is text, moment or list: how it is shown."""

    label: str
    before: Any
    after: Any
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Step:
    """One publication. `is_first`: there was nothing to compare with; `trouble`: why it could not be compared."""

    release: TenderRelease
    changes: tuple[Change, ...]
    is_first: bool = False
    trouble: str = ""


def timeline(releases: Sequence[TenderRelease]) -> list[Step]:
    """Of releases in the order of their publication, the first first; the newest MOST of them are compared.

    A field that later publications leave out keeps what was said: that is how they are merged.
    """
    in_order = list(releases)
    known: list[dict[str, Any]] = [release.raw for release in in_order[:-MOST]]
    before: Notice | None = _compiled(known) if known else None
    steps = []
    for release in in_order[-MOST:]:
        known.append(release.raw)
        try:
            after = notice_of(compile_releases(known))
        except ValueError as error:
            known.pop()
            steps.append(Step(release, (), trouble=str(error)))
            continue
        steps.append(Step(release, tuple(changes_between(before, after)) if before else (), is_first=before is None))
        before = after
    return steps


def changes_between(before: Notice, after: Notice) -> list[Change]:
    found = []
    for name, label in LABELS.items():
        old, new = getattr(before, name), getattr(after, name)
        if old == new or (name == "value_currency" and before.value_amount is None):
            continue
        if isinstance(old, tuple):
            gone, come = (
                _titles(part for part in old if part not in new),
                _titles(part for part in new if part not in old),
            )
            found.append(Change(label, gone, come, "list"))
        elif isinstance(old or new, datetime):
            found.append(Change(label, old, new, "moment"))
        elif name == "value_amount":
            found.append(Change(label, _money(before), _money(after)))
        else:
            found.append(Change(label, _short(old), _short(new)))
    return found


def _compiled(releases: list[dict[str, Any]]) -> Notice | None:
    try:
        return notice_of(compile_releases(releases))
    except ValueError:
        return None  # the steps that are shown say what is wrong with theirs


def _titles(parts: Any) -> list[str]:
    return [_short(part if isinstance(part, str) else part.title or getattr(part, "url", "")) or "–" for part in parts]


def _money(notice: Notice) -> str | None:
    return None if notice.value_amount is None else f"{notice.value_amount:,.2f} {notice.value_currency}".strip()


def _short(value: Any) -> str | None:
    text = str(value or "")
    return (text if len(text) <= LONGEST else text[:LONGEST] + "…") or None
