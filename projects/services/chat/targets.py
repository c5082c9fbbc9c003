"""Who is meant: positions by number, code, reference or words; sections by number or name. Of the current version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from analytics.search.folding import folded

from ...models import Position
from ...models.budget import SECTION_SEPARATOR
from ...querysets import PositionQuerySet
from .commands import REFERENCE
from .language import loose_pattern, root_of, roots_of

MOST_CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Node:
    """An object (`section` "") or a section with everything below it; `cost` of what counts."""

    object_code: str
    object_name: str
    section: str
    positions: int
    cost: Decimal

    @property
    def label(self) -> str:
        last = self.section.rpartition(SECTION_SEPARATOR)[2]
        return last or " ".join(filter(None, (self.object_code, self.object_name)))

    @property
    def path(self) -> str:
        return SECTION_SEPARATOR.join(filter(None, (self.object_code, self.section)))

    def positions_of(self, project_id: UUID) -> PositionQuerySet:
        rows = live(project_id).filter(object_code=self.object_code)
        return rows.in_section(self.section) if self.section else rows


def live(project_id: UUID) -> PositionQuerySet:
    rows: PositionQuerySet = Position.objects.filter(project_id=project_id, removed_in__isnull=True)
    return rows


def holding(rows: PositionQuerySet, roots: Iterable[str]) -> PositionQuerySet:
    """Those whose number, code or description has a word that begins with each of the roots, with or without marks."""
    for root in roots:
        rows = rows.filter(search_text__regex=rf"\m{loose_pattern(root)}")
    return rows


def positions_named(project_id: UUID, name: str) -> list[Position]:
    """In the order of the bill, at most MOST_CANDIDATES + 1: by reference, else number, else number without leading
    zeros, else code, else all words of the name."""
    rows = live(project_id).select_related("document").defer("long_text", "enrichment").order_by("ordinal", "id")
    for condition in _conditions(name):
        found = list(rows.filter(condition)[: MOST_CANDIDATES + 1])
        if found:
            return found
    roots = roots_of(name)
    if not roots or not any(root.isalpha() and len(root) > 2 for root in roots):
        return []
    return list(holding(rows, roots)[: MOST_CANDIDATES + 1])


def _conditions(name: str) -> Iterable[Q]:
    if reference := REFERENCE.fullmatch(name):
        # UUIDs sort as their digits do.
        yield Q(lineage__range=(UUID(f"{reference[1]}{'0' * 24}"), UUID(f"{reference[1]}{'f' * 24}")))
        return
    yield Q(number__iexact=name)
    if re.fullmatch(r"[\w.]+", name) and any(letter.isdigit() for letter in name):
        parts = [re.escape(part.lstrip("0") or "0") for part in name.strip(".").split(".")]
        yield Q(number__iregex=r"^0*" + r"\.0*".join(parts) + r"\.?$")
    yield Q(code__iexact=name)


def reference_of(position: Position) -> str:
    """What names this position and no other, to write in a message."""
    return f"#{position.lineage.hex[:8]}"


def nodes_of(project_id: UUID) -> list[Node]:
    """Objects and sections at every depth, in the order of the bill. One query."""
    sums: dict[tuple[str, str], list[int | Decimal]] = {}
    names: dict[str, str] = {}
    for row in live(project_id).sections():
        names.setdefault(row["object_code"], row["object_name"])
        parts = row["section"].split(SECTION_SEPARATOR) if row["section"] else []
        for depth in range(len(parts) + 1):
            counted = sums.setdefault((row["object_code"], SECTION_SEPARATOR.join(parts[:depth])), [0, Decimal(0)])
            counted[0] += row["positions"]
            counted[1] += row["cost"]
    return [Node(code, names[code], section, int(n), Decimal(cost)) for (code, section), (n, cost) in sums.items()]


def sections_named(nodes: list[Node], name: str) -> list[Node]:
    """The best kind of match that there is: the whole name, its leading number, all its words. Of a section and what is
    below it, the section alone."""
    wanted = folded(name).strip(" .")
    roots = [root_of(word) for word in re.findall(r"[^\W_]+", wanted)]
    for matches in (_is_whole, _is_leading, _has_all):
        found = [node for node in nodes if matches(node, wanted, roots)]
        if found:
            return [node for node in found if not any(_is_below(node, other) for other in found)]
    return []


def _is_whole(node: Node, wanted: str, roots: list[str]) -> bool:
    names = [node.label, node.path, node.section] if node.section else [node.object_code, node.object_name, node.label]
    return wanted in {folded(name).strip(" .") for name in names if name}


def _is_leading(node: Node, wanted: str, roots: list[str]) -> bool:
    first = folded(node.label).split(" ", 1)[0].strip(".:")
    return bool(first) and (first == wanted or (first.isdigit() and first.lstrip("0") == wanted.lstrip("0")))


def _has_all(node: Node, wanted: str, roots: list[str]) -> bool:
    words = re.findall(r"[^\W_]+", folded(node.label))
    return bool(roots) and all(any(word.startswith(root) for word in words) for root in roots)


def _is_below(node: Node, other: Node) -> bool:
    if node is other or node.object_code != other.object_code:
        return False
    return not other.section or node.section.startswith(other.section + SECTION_SEPARATOR)
