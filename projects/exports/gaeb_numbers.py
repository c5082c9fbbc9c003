"""Ordnungszahlen: the numbers that GAEB knows positions by. A budget that came from GAEB keeps its own; any other gets
numbers by objects, sections and order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from projects.exports.section_tree import Node
from projects.exports.source import ExportBill
from projects.parsers.bill import BillPosition
from projects.parsers.safexml import iterate, local_name

MOST_LEVELS = 5  # GAEB DA XML: lots and five levels at most
FILLER = "–"


@dataclass(slots=True)
class Shape:
    """How the whole budget is numbered."""

    is_native: bool  # numbers are GAEB's own
    has_objects: bool  # native: lots; else the first level
    depth: int  # levels of sections
    deepest: int  # levels of sections in the budget: more than `depth` are put together


def shape_of(bill: ExportBill) -> Shape:
    """One pass. Native only if every number follows from its sections."""
    is_native, has_objects, deepest, shallowest = True, False, 0, 99
    for position in bill.told("Looking at the numbers"):
        has_objects = has_objects or bool(position.object_code)
        deepest = max(deepest, len(position.section_path))
        shallowest = min(shallowest, len(position.section_path))
        is_native = is_native and own_part(position) is not None
    if is_native and deepest <= MOST_LEVELS:
        return Shape(True, has_objects, deepest, deepest)
    room = MOST_LEVELS - 1 if has_objects else MOST_LEVELS
    return Shape(False, has_objects, min(deepest, room), deepest)


def own_part(position: BillPosition) -> tuple[str, str] | None:
    """(RNoPart, RNoIndex) of a position whose number begins with the numbers of its sections; None otherwise."""
    if position.catalogue != "GAEB" or "/" in position.number:
        return None
    parts = position.number.split(".")
    sections = [label.split(" ", 1)[0] for label in position.section_path]
    rest = parts[len(sections) :]
    if parts[: len(sections)] != sections or len(rest) not in (1, 2) or not all(rest):
        return None
    return rest[0], rest[1] if len(rest) == 2 else ""


def path_of(position: BillPosition, shape: Shape) -> tuple[str, ...]:
    """Labels from the outermost category in: of a native number as they are, else all of one depth."""
    own = (position.object_code,) if shape.has_objects else ()
    sections = position.section_path
    if shape.is_native:
        return (*own, *sections)
    if len(sections) > shape.depth:
        sections = (*sections[: shape.depth - 1], " / ".join(sections[shape.depth - 1 :])) if shape.depth else ()
    return (*own, *sections, *([FILLER] * (shape.depth - len(sections))))


def number_parts(root: Node, shape: Shape) -> tuple[int, int]:
    """Gives every category its part; (digits of categories, digits of items). Items count in tens where they fit."""
    if shape.is_native:
        _own_parts(root, is_lot=shape.has_objects)
        return 0, 0
    widest = max((len(node.children) for node in _all(root)), default=0)
    most = max((node.count for node in _all(root)), default=0)
    digits = max(2, len(str(widest)))
    for node in _all(root):
        for number, child in enumerate(node.children.values(), start=1):
            child.part = f"{number:0{digits}d}"
    return digits, max(4, len(str(most * 10)))


def _own_parts(root: Node, *, is_lot: bool) -> None:
    for child in root.children.values():
        child.part = child.label if is_lot else child.label.split(" ", 1)[0]
        _own_parts(child, is_lot=False)


def _all(root: Node) -> Iterable[Node]:
    yield root
    for child in root.children.values():
        yield from _all(child)


@dataclass(slots=True)
class Skeleton:
    """The ids of a tender (X83), by number path: an answer with them is taken by programs that match by id."""

    boq: str = ""
    breakdown: list[tuple[str, str, str]] = field(default_factory=list)  # type, length, numeric
    name: str = ""
    categories: dict[tuple[str, ...], str] = field(default_factory=dict)
    items: dict[tuple[str, ...], str] = field(default_factory=dict)  # …, RNoPart, RNoIndex
    quantities_due: set[tuple[str, ...]] = field(default_factory=set)  # left to the bidder


_TAGS = frozenset(("Item", "MarkupItem", "BoQCtgy", "BoQBkdn", "Name", "BoQ"))


def skeleton_of(tender: Path) -> Skeleton:
    """Read as a stream. Raises ParseError for a file that is no XML of the kind."""
    found, path = Skeleton(), []
    for event, element in iterate(tender, _TAGS, frozenset(("BoQCtgy", "BoQ"))):
        tag = local_name(element)
        if event == "start":
            if tag == "BoQ":
                found.boq = found.boq or element.get("ID", "")
            else:
                path.append(element.get("RNoPart", "").strip())
                found.categories[tuple(path)] = element.get("ID", "")
        elif tag == "BoQCtgy":
            path.pop()
            element.clear()
        elif tag in ("Item", "MarkupItem"):
            key = (*path, element.get("RNoPart", "").strip(), element.get("RNoIndex", "").strip())
            found.items[key] = element.get("ID", "")
            if any(local_name(child) == "QtyTBD" and (child.text or "").strip() == "Yes" for child in element):
                found.quantities_due.add(key)
            element.clear()
        elif tag == "BoQBkdn":
            texts = {local_name(child): (child.text or "").strip() for child in element}
            found.breakdown.append((texts.get("Type", ""), texts.get("Length", ""), texts.get("Num", "")))
        elif tag == "Name" and not found.name:
            parent = element.getparent()
            found.name = (element.text or "").strip() if parent is not None and local_name(parent) == "BoQInfo" else ""
    return found
