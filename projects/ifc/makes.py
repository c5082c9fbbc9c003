"""What an element is and what it is made of, as far as its class, its layers and its names tell."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from projects.ifc.assumptions import Assumptions
from projects.ifc.elements import Element

CONCRETE, PLAIN, MASONRY = "reinforced concrete", "plain concrete", "masonry"
STEEL, TIMBER, LIGHT, FINISH = "steel", "timber", "lightweight", "finish"
UNKNOWN = "material not stated"
KINDS = {
    "IfcFooting": "footings", "IfcPile": "footings",
    "IfcWall": "walls", "IfcWallStandardCase": "walls", "IfcWallElementedCase": "walls",
    "IfcColumn": "columns", "IfcColumnStandardCase": "columns",
    "IfcSlab": "slabs", "IfcSlabStandardCase": "slabs", "IfcSlabElementedCase": "slabs",
    "IfcBeam": "beams", "IfcBeamStandardCase": "beams",
    "IfcStair": "stairs", "IfcStairFlight": "stairs", "IfcRamp": "stairs", "IfcRampFlight": "stairs",
    "IfcRoof": "roofs", "IfcMember": "members", "IfcMemberStandardCase": "members", "IfcPlate": "plates",
    "IfcCurtainWall": "curtain walls", "IfcCovering": "coverings", "IfcRailing": "railings",
    "IfcDoor": "doors", "IfcDoorStandardCase": "doors", "IfcWindow": "windows", "IfcWindowStandardCase": "windows",
    "IfcFurnishingElement": "furniture", "IfcFurniture": "furniture", "IfcSystemFurnitureElement": "furniture",
}  # fmt: skip
COUNTED = frozenset({"doors", "windows", "furniture", "railings", "other"})  # what they are made of decides nothing
STRUCTURE = frozenset({"footings", "walls", "columns", "slabs", "beams", "stairs"})
# Tried in this order: a "concrete block" is masonry, a "metal stud" lightweight, "wood flooring" a finish.
_WORDS = (
    (FINISH, r"floori|tile|grout|mortar|malt[ay]|mörtel|"
     r"carpet|paint|render|plaster(?!board)|screed|dlažb|omítk|fliesen|parkett|putz|estrich"),
    (LIGHT, r"stud|plasterboard|gypsum|drywall|sádrokarton|gipskarton|insulation|izolac|dämm|air (space|layer)|"
            r"misc\. air|membrane|barrier|roofing|grass|glass|sklo|glas\b|vzduch"),
    (MASONRY, r"masonry|brick|\bblock|cmu|zdivo|zdě|cihl|tvárn|mauerwerk|ziegel|kalksand|porotherm|ytong|ladrillo"),
    (PLAIN, r"(plain|unreinforced|lean|prost[ýé]|podkladní|unbewehrt|mager)\w*[ -]*(concrete|beton)"),
    (CONCRETE, r"concrete|beton|betón|béton|hormig|cast in situ|\bc\d\d/\d\d\b"),
    (STEEL, r"steel|ocel|stahl|acier|\bs(235|275|355|460)\b|metal"),
    (TIMBER, r"wood|timber|lumber|dřev|holz|bois|madera|plywood|\bclt\b|glulam"),
)  # fmt: skip
_PATTERNS = tuple((make, re.compile(words, re.IGNORECASE)) for make, words in _WORDS)
_BEARING = (CONCRETE, PLAIN, MASONRY, STEEL, TIMBER)
_ON_GROUND = re.compile(r"on (grade|ground)|base slab|na terénu|základová deska|bodenplatte|blinding", re.IGNORECASE)
_FOUNDATION = re.compile(r"foundation|základ|fundament", re.IGNORECASE)
_REVIT_ID = re.compile(r"(:\d{4,})+$")  # what Revit appends to names
_QUOTES = str.maketrans("", "", '"„“”{}[]')


class Make(NamedTuple):
    """`part` of `whole` (thicknesses in m): the share of the volume that is of this make; 1 of 1 without layers."""

    name: str
    part: Decimal = Decimal(1)
    whole: Decimal = Decimal(1)
    assumed: str = ""  # the key of the assumption that said so


def kind_of(element: Element) -> str:
    return KINDS.get(element.ifc_class, "other")


def is_on_ground(element: Element) -> bool:
    return element.predefined_type == "BASESLAB" or bool(_ON_GROUND.search(f"{element.type_name} {element.name}"))


def is_foundation(element: Element) -> bool:
    return bool(_FOUNDATION.search(f"{element.type_name} {element.name}"))


def label_of(element: Element) -> str:
    """The type as people know it: without what programs append, and with the family where the type is a bare size."""
    kind, name = (_REVIT_ID.sub("", text).translate(_QUOTES).strip() for text in (element.type_name, element.name))
    label = name if kind and ":" not in kind and f":{kind}" in name else kind or name
    parts = label.split(":")
    return (":".join(parts[:-1]) if len(parts) > 1 and parts[-1] == parts[-2] else label)[:120]


def make_of(element: Element, assumptions: Assumptions) -> Make:
    """By the thickest bearing layer; without layers by the material, then by the names, then as assumed."""
    if kind_of(element) in COUNTED:
        return Make(UNKNOWN)
    if element.layers:
        made = _of_layers(element)
        if made is not None:
            return made
    for text in (element.material, f"{element.type_name} {element.name}"):
        name = _named(text)
        if name:
            return Make(name)
    if kind_of(element) == "footings" and assumptions.is_on("concrete.footings"):
        return Make(CONCRETE, assumed="concrete.footings")
    return Make(UNKNOWN)


def _named(text: str) -> str:
    return next((make for make, words in _PATTERNS if words.search(text)), "")


def _of_layers(element: Element) -> Make | None:
    named = [(_named(layer.material), layer.thickness_m) for layer in element.layers]
    whole = sum((thickness for _, thickness in named), Decimal(0))
    sums: dict[str, Decimal] = {}
    thickest: dict[str, Decimal] = {}
    for name, thickness in named:
        sums[name] = sums.get(name, Decimal(0)) + thickness
        thickest[name] = max(thickest.get(name, Decimal(0)), thickness)
    known = [name for name in thickest if name]
    if not known:
        return None
    # A bearing layer decides over any other; a skin of it (a wood board on insulation) over nothing.
    bearing = [name for name in known if name in _BEARING and sums[name] * 10 >= whole]
    name = max(bearing or known, key=lambda one: thickest[one])
    return Make(name, sums[name], whole) if whole > 0 else Make(name)
