"""Reading a model: every building element with its type, storey, material and quantities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from projects.ifc.container import check
from projects.ifc.elements import MADE_OF_PARTS, Element, FloorArea, Layer, Model, natural, rounded
from projects.ifc.geometry import Measured, measure
from projects.ifc.quantities import Units, stated, take_measured, take_stated
from projects.parsers.bill import ParseError

Report = Callable[[int, int, str], None]
MAX_ELEMENTS = 100_000
_NOT_BUILT = ("IfcFeatureElement", "IfcVirtualElement")  # openings, recesses; boundaries without a body
_ASSEMBLED = ("IfcElementAssembly", "IfcRoof", "IfcStair", "IfcRamp", "IfcCurtainWall")
_REPORT_EVERY = 50
# What a file whose entities are not as their schema says makes the library and our reading of it raise.
DAMAGE = (RuntimeError, OSError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
_FLOOR_AREAS = ("NetFloorArea", "GrossFloorArea")


def read_model(path: Path, *, report: Report) -> Model:
    """The plain STEP file at `path` (see `container.unpacked`).

    Native code parses it: run it in a process of its own, with limits. Raises ParseError: "damaged", "no_elements",
    "too_large", "unsupported_schema".
    """
    import ifcopenshell

    schema = check(path)
    try:
        model = ifcopenshell.open(str(path))
        units = Units(model)
        entities, left_out = _entities(model)
        report(0, len(entities), f"Measuring {len(entities)} elements")
        bodies = _bodies(model, entities, report)
        elements = [_element(entity, units, bodies.get(entity.id())) for entity in entities]
        floor_area = _floor_area(model, units, elements)
        storeys = _storeys(model, units)
    except (*DAMAGE, ifcopenshell.Error) as error:
        raise ParseError(
            "The model can't be read: its data section is damaged, or not as its schema says. Export it again from the "
            "program it was drawn in, as IFC4 or IFC2X3.",
            code="damaged",
        ) from error
    warnings = [*units.warnings, *left_out, *_warnings(elements, floor_area)]
    return Model(schema, elements, storeys, floor_area, warnings)


def _entities(model: Any) -> tuple[list[Any], list[str]]:
    """In the order of the file, each GUID once; and how many are left out for that, in words."""
    found: dict[str, Any] = {}
    left_out: Counter[str] = Counter()
    for entity in model.by_type("IfcElement"):
        if any(entity.is_a(name) for name in _NOT_BUILT):
            continue
        if not entity.GlobalId or entity.GlobalId in found:
            left_out[entity.is_a()] += 1
        else:
            found[entity.GlobalId] = entity
    if not found:
        raise ParseError(
            "The model holds no building elements (walls, slabs, doors, …). Export it with them, not just its spaces "
            "or its grid.",
            code="no_elements",
        )
    if len(found) > MAX_ELEMENTS:
        raise ParseError(
            f"The model has {len(found):,} elements, more than {MAX_ELEMENTS:,}. Upload it storey by storey.",
            code="too_large",
        )
    return list(found.values()), _told_left_out(left_out)


def _told_left_out(left_out: Counter[str]) -> list[str]:
    if not left_out:
        return []
    counted = ", ".join(f"{number} {name}" for name, number in left_out.most_common())
    return [
        f"{counted} left out: they have no identity of their own (GlobalId), or that of another element. They were "
        "probably copied; have the program give each its own, and upload the model again."
    ]


def _bodies(model: Any, entities: list[Any], report: Report) -> dict[int, Measured]:
    """By id of the entity. What the kernel can't build has no entry."""
    import ifcopenshell.geom
    import numpy as np

    settings: Any = ifcopenshell.geom.settings()  # type: ignore[no-untyped-call]
    settings.set("use-world-coords", True)
    shapes = ifcopenshell.geom.iterator(settings, model, 1, include=entities)
    bodies: dict[int, Measured] = {}
    for done, shape in enumerate(_shapes(shapes), start=1):
        mesh = shape.geometry
        body = measure(np.array(mesh.verts).reshape(-1, 3), np.array(mesh.faces, dtype=int).reshape(-1, 3))
        if body is not None:
            bodies[shape.id] = body
        if done % _REPORT_EVERY == 0:
            report(min(done, len(entities)), len(entities), f"Measuring element {done}")
    return bodies


def _shapes(shapes: Any) -> Iterator[Any]:
    if not shapes.initialize():
        return
    while True:
        yield shapes.get()
        if not shapes.next():
            return


def _element(entity: Any, units: Units, body: Measured | None) -> Element:
    from ifcopenshell.util import element as util

    type_entity = util.get_type(entity)
    storey = util.get_container(entity, ifc_class="IfcBuildingStorey")
    layers = _layers(util.get_material(entity, should_skip_usage=True), units)
    materials = [layer.material for layer in layers] or [one.Name or "" for one in util.get_materials(entity)]
    element = Element(
        guid=entity.GlobalId[:22],
        ifc_class=entity.is_a(),
        name=_words(entity.Name),
        type_name=_words(type_entity.Name if type_entity is not None else getattr(entity, "ObjectType", "")),
        storey=_words(storey.Name if storey is not None else "", 120),
        predefined_type=_predefined(entity, type_entity),
        material=_words(", ".join(natural(materials))),
        layers=layers,
    )
    values = stated(entity, units)
    take_stated(element, values)
    if body is None and entity.IsDecomposedBy and entity.is_a() in _ASSEMBLED:
        element.notes.append(MADE_OF_PARTS)
    else:
        take_measured(element, body, values)
    return element


def _predefined(entity: Any, type_entity: Any) -> str:
    """The enumerated kind (BASESLAB, PARTITIONING, …), of the element itself or of its type."""
    for one in (entity, type_entity):
        value = getattr(one, "PredefinedType", None) if one is not None else None
        if value and value not in ("NOTDEFINED", "USERDEFINED"):
            return _words(value, 60)
    return ""


def _layers(material: Any, units: Units) -> tuple[Layer, ...]:
    if material is None or not material.is_a("IfcMaterialLayerSet"):
        return ()
    layers = []
    for layer in material.MaterialLayers or ():
        name = _words(layer.Material.Name if layer.Material is not None else "", 120)
        layers.append(Layer(name, rounded((layer.LayerThickness or 0) * units.length)))
    return tuple(layers)


def _storeys(model: Any, units: Units) -> list[str]:
    storeys = model.by_type("IfcBuildingStorey")
    storeys = sorted(storeys, key=lambda storey: (storey.Elevation or 0) * units.length)
    return natural(_words(storey.Name, 120) for storey in storeys)


def _floor_area(model: Any, units: Units, elements: list[Element]) -> FloorArea | None:
    """Of the spaces, as stated; where none is, of the floors' plan; None where there is neither."""
    spaces = [stated(space, units, only="IfcQuantityArea") for space in model.by_type("IfcSpace")]
    names = Counter(name for values in spaces for name in values)
    for name in (*_FLOOR_AREAS, *(name for name, _ in names.most_common(1))):
        areas = [values[name] for values in spaces if name in values]
        if areas:
            return FloorArea(sum(areas, Decimal(0)), f"{name} of {len(areas)} of {len(spaces)} spaces, as stated")
    floors = [e for e in elements if e.ifc_class == "IfcSlab" and e.predefined_type in ("", "FLOOR", "BASESLAB")]
    plans = [plan for e in floors if (plan := e.value("area")) is not None]
    if not plans:
        return None
    return FloorArea(sum(plans, Decimal(0)), f"plan of {len(plans)} floor slabs; the spaces state no area")


def _warnings(elements: list[Element], floor_area: FloorArea | None) -> list[str]:
    """Each note once, with the number of elements it is about."""
    counted: dict[str, Counter[str]] = {}
    for element in elements:
        for note in element.notes:
            key = "what is stated and what the body measures differ" if note.startswith("states ") else note
            counted.setdefault(key, Counter())[element.ifc_class] += 1
    found = [
        f"{', '.join(f'{number} {name}' for name, number in classes.most_common())}: {note}"
        for note, classes in counted.items()
    ]
    if floor_area is None:
        found.append("The floor area is not known: no space states one, and there are no floor slabs.")
    return found


def _words(text: Any, longest: int = 255) -> str:
    """As it can be stored and shown."""
    clean = "".join(char if char.isprintable() else " " for char in str(text or ""))
    return " ".join(clean.split())[:longest]
