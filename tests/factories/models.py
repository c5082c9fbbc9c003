"""Building models as programs export them: boxes of given sizes, written by IfcOpenShell. Minimal, never random."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOOT = 0.3048  # m


@dataclass(frozen=True, slots=True)
class GivenElement:
    """A box of `size` metres (x, y, z); without one, an element without a body. `stated`: quantities in SI units."""

    guid: str
    ifc_class: str = "IfcWall"
    size: tuple[float, float, float] | None = (4.0, 0.25, 3.0)
    name: str = "Wall"
    type_name: str = ""
    storey: str = "Level 1"
    material: str = "Concrete C25/30"
    layers: tuple[tuple[str, float], ...] = ()
    stated: dict[str, float] = field(default_factory=dict)
    openings: tuple[tuple[float, float, float], ...] = ()


def guid(number: int) -> str:
    return f"{number:022d}"


def write_model(
    path: Path, *elements: GivenElement, schema: str = "IFC4", scale: float = 1.0, has_units: bool = True
) -> Path:
    """`scale`: metres in a unit of length of the file; 0.001 writes millimetres, FOOT feet (areas and volumes stay m2
    and m3)."""
    made = _Writer(schema, scale).write(elements)
    if not has_units:
        made.by_type("IfcProject")[0].UnitsInContext = None
    made.write(str(path))
    return path


class _Writer:
    def __init__(self, schema: str, scale: float) -> None:
        import ifcopenshell

        self.file: Any = ifcopenshell.file(schema=schema)
        self.scale = scale
        self.history = None
        if schema == "IFC2X3":
            self.history = self._owner()
        self.count = 0

    def _owner(self) -> Any:
        f = self.file
        person = f.createIfcPerson(FamilyName="N")
        firm = f.createIfcOrganization(Name="N")
        both = f.createIfcPersonAndOrganization(person, firm)
        app = f.createIfcApplication(firm, "1", "Tests", "tests")
        return f.createIfcOwnerHistory(both, app, None, "ADDED", None, None, None, 0)

    def _root(self, name: str, **values: Any) -> Any:
        self.count += 1
        return self.file.create_entity(
            name, GlobalId=values.pop("GlobalId", f"1{self.count:021d}"), OwnerHistory=self.history, **values
        )

    def _point(self, *values: float) -> Any:
        return self.file.createIfcCartesianPoint([value / self.scale for value in values])

    def _place(self, *at: float) -> Any:
        return self.file.createIfcLocalPlacement(None, self.file.createIfcAxis2Placement3D(self._point(*at)))

    def _box(self, size: tuple[float, float, float]) -> Any:
        f = self.file
        corner = f.createIfcAxis2Placement2D(self._point(0.0, 0.0))
        profile = f.createIfcRectangleProfileDef("AREA", None, corner, size[0] / self.scale, size[1] / self.scale)
        up = f.createIfcDirection([0.0, 0.0, 1.0])
        origin = f.createIfcAxis2Placement3D(self._point(0.0, 0.0, 0.0))
        body = f.createIfcExtrudedAreaSolid(profile, origin, up, size[2] / self.scale)
        shape = f.createIfcShapeRepresentation(self.context, "Body", "SweptSolid", [body])
        return f.createIfcProductDefinitionShape(None, None, [shape])

    def write(self, elements: tuple[GivenElement, ...]) -> Any:
        f = self.file
        origin = f.createIfcAxis2Placement3D(self._point(0.0, 0.0, 0.0))
        self.context = f.createIfcGeometricRepresentationContext("Body", "Model", 3, 1e-5, origin, None)
        units = f.createIfcUnitAssignment(
            [
                self._length_unit(),
                f.createIfcSIUnit(None, "AREAUNIT", None, "SQUARE_METRE"),
                f.createIfcSIUnit(None, "VOLUMEUNIT", None, "CUBIC_METRE"),
            ]
        )
        project = self._root("IfcProject", Name="P", RepresentationContexts=[self.context], UnitsInContext=units)
        building = self._root("IfcBuilding", Name="B", CompositionType="ELEMENT")
        self._root("IfcRelAggregates", RelatingObject=project, RelatedObjects=[building])
        self._storeys(building, elements)
        return f

    def _length_unit(self) -> Any:
        f = self.file
        metre = f.createIfcSIUnit(None, "LENGTHUNIT", "MILLI" if self.scale == 0.001 else None, "METRE")
        if self.scale != FOOT:
            return metre
        dimensions = f.createIfcDimensionalExponents(1, 0, 0, 0, 0, 0, 0)
        factor = f.createIfcMeasureWithUnit(f.create_entity("IfcLengthMeasure", FOOT), metre)
        return f.createIfcConversionBasedUnit(dimensions, "LENGTHUNIT", "FOOT", factor)

    def _storeys(self, building: Any, elements: tuple[GivenElement, ...]) -> None:
        storeys = {}
        for height, name in enumerate(dict.fromkeys(element.storey for element in elements)):
            storeys[name] = self._root(
                "IfcBuildingStorey", Name=name, CompositionType="ELEMENT", Elevation=3.0 * height / self.scale
            )
        if storeys:
            self._root("IfcRelAggregates", RelatingObject=building, RelatedObjects=list(storeys.values()))
        for name, storey in storeys.items():
            made = [self._element(element) for element in elements if element.storey == name]
            self._root("IfcRelContainedInSpatialStructure", RelatingStructure=storey, RelatedElements=made)

    def _element(self, given: GivenElement) -> Any:
        made = self._root(
            given.ifc_class, GlobalId=given.guid, Name=given.name, ObjectPlacement=self._place(0.0, 0.0, 0.0),
            Representation=self._box(given.size) if given.size else None, ObjectType=given.type_name or None,
        )  # fmt: skip
        self._material(made, given)
        if given.stated:
            self._quantities(made, given.stated)
        for size in given.openings:
            opening = self._root(
                "IfcOpeningElement",
                Name="O",
                ObjectPlacement=self._place(0.0, 0.0, 0.0),
                Representation=self._box(size),
            )
            self._root("IfcRelVoidsElement", RelatingBuildingElement=made, RelatedOpeningElement=opening)
        return made

    def _material(self, made: Any, given: GivenElement) -> None:
        f = self.file
        material: Any = None
        if given.layers:
            layers = [f.createIfcMaterialLayer(f.createIfcMaterial(name), t / self.scale) for name, t in given.layers]
            material = f.createIfcMaterialLayerSet(layers)
        elif given.material:
            material = f.createIfcMaterial(given.material)
        if material is not None:
            self._root("IfcRelAssociatesMaterial", RelatedObjects=[made], RelatingMaterial=material)

    def _quantities(self, made: Any, stated: dict[str, float]) -> None:
        f = self.file
        rows = []
        for name, value in stated.items():
            if name.endswith("Volume"):
                rows.append(f.createIfcQuantityVolume(name, None, None, value))
            elif name.endswith("Area"):
                rows.append(f.createIfcQuantityArea(name, None, None, value))
            else:
                rows.append(f.createIfcQuantityLength(name, None, None, value / self.scale))
        group = self._root("IfcElementQuantity", Name="BaseQuantities", Quantities=rows)
        self._root("IfcRelDefinesByProperties", RelatedObjects=[made], RelatingPropertyDefinition=group)
