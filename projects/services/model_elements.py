"""Elements of a building model as rows, and back as the engine takes them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from ..ifc.elements import Element, Layer, Quantity
from ..models import BuildingElement, Document

BATCH = 2000
COMPARED = ("ifc_class", "name", "type_name", "storey", "material", "predefined_type", "layers", "quantities")


def as_row(element: Element, document: Document) -> BuildingElement:
    return BuildingElement(
        project_id=document.project_id,
        document=document,
        guid=element.guid,
        ifc_class=element.ifc_class,
        name=element.name,
        type_name=element.type_name,
        storey=element.storey,
        material=element.material,
        predefined_type=element.predefined_type,
        layers=[[layer.material, str(layer.thickness_m)] for layer in element.layers],
        notes=element.notes,
        quantities={name: [str(q.value), q.unit, q.basis] for name, q in element.quantities.items()},
    )


def as_element(row: BuildingElement) -> Element:
    return Element(
        guid=row.guid,
        ifc_class=row.ifc_class,
        name=row.name,
        type_name=row.type_name,
        storey=row.storey,
        predefined_type=row.predefined_type,
        material=row.material,
        layers=tuple(Layer(material, Decimal(thickness)) for material, thickness in row.layers),
        quantities={name: Quantity(Decimal(q[0]), q[1], q[2]) for name, q in row.quantities.items()},
        notes=list(row.notes),
    )


def replace_elements(*, document: Document, elements: Iterable[Element], superseded: set[UUID]) -> dict[str, int]:
    """In the caller's transaction: the elements of the model, in place of those of the documents it supersedes, told
    apart by GUID. Counts: added, removed, changed."""
    rows = [as_row(element, document) for element in elements]
    old_rows = BuildingElement.objects.filter(
        project_id=document.project_id, document_id__in=superseded | {document.pk}
    )
    before = {row.guid: row for row in old_rows}
    changed = sum(1 for row in rows if row.guid in before and _content(row) != _content(before[row.guid]))
    old_rows.delete()
    BuildingElement.objects.bulk_create(rows, batch_size=BATCH)
    now = {row.guid for row in rows}
    return {
        "elements": len(rows),
        "added": len(now - before.keys()) if before else 0,
        "removed": len(before.keys() - now),
        "changed": changed,
    }


def _content(row: BuildingElement) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in COMPARED)


def link_positions(*, document: Document, lineages: dict[str, list[str]]) -> None:
    """GUID → lineages of the positions it is counted in."""
    rows = list(BuildingElement.objects.filter(document=document).only("pk", "guid", "positions"))
    changed = []
    for row in rows:
        found = sorted(lineages.get(row.guid, []))
        if row.positions != found:
            row.positions = found
            changed.append(row)
    BuildingElement.objects.bulk_update(changed, ["positions"], batch_size=BATCH)


def superseded_models(*, document: Document, guids: set[str]) -> set[UUID]:
    """Models of the project of which this one is another state: half of the elements of one are in the other. Another
    part of the building shares few or none."""
    others = BuildingElement.objects.filter(project_id=document.project_id).exclude(document=document)
    sizes: dict[UUID, int] = {}
    shared: dict[UUID, int] = {}
    for owner, guid in others.values_list("document_id", "guid"):
        sizes[owner] = sizes.get(owner, 0) + 1
        shared[owner] = shared.get(owner, 0) + (guid in guids)
    return {owner for owner, size in sizes.items() if 2 * shared[owner] >= min(size, len(guids))}
