"""Our questions as QTI 2.1: an item file each, and the manifest that says what items can't."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from lxml import etree

from .flows import put_text
from .item import Item, Kind, Markup
from .pictures import Picture, readdressed
from .qti2 import EXPLANATION, TOOL
from .soundness import TRUTHS
from .texts import Marked, equal_share, plain_number, tags_with

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
CP = "http://www.imsglobal.org/xsd/imscp_v1p1"
LOM = "http://ltsc.ieee.org/xsd/LOM"
# The stubs of lxml know no default namespace.
_QTI_FIRST, _CP_FIRST, _LOM_FIRST = (cast(dict[str, str], {None: uri}) for uri in (QTI, CP, LOM))
ITEMS, PICTURES = "items", "pictures"  # folders of the package; pictures are within that of the items
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """A question of a package: its file, its place in the manifest, and its pictures by their addresses in the file."""

    item: bytes
    resource: etree._Element
    pictures: Mapping[str, Picture]


def part_of(item: Item, number: int) -> Part:
    pictures = {f"{PICTURES}/{each.file_name}": each for each in item.pictures}
    return Part(_Writer(item, f"item-{number}").document(), _resource(item, f"item-{number}", pictures), pictures)


def package_of(parts: Sequence[Part]) -> bytes:
    """The zip: the same questions give the same bytes."""
    manifest = etree.Element(f"{{{CP}}}manifest", identifier="questions", nsmap=_CP_FIRST)
    metadata = etree.SubElement(manifest, f"{{{CP}}}metadata")
    etree.SubElement(metadata, f"{{{CP}}}schema").text = "QTIv2.1 Package"
    etree.SubElement(metadata, f"{{{CP}}}schemaversion").text = "1.0.0"
    etree.SubElement(manifest, f"{{{CP}}}organizations")
    resources = etree.SubElement(manifest, f"{{{CP}}}resources")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            resources.append(part.resource)
            archive.writestr(_named(str(part.resource.get("href"))), part.item, zipfile.ZIP_DEFLATED)
        for address, picture in {address: each for part in parts for address, each in part.pictures.items()}.items():
            archive.writestr(_named(f"{ITEMS}/{address}"), picture.content)  # they are packed already
        listing = etree.tostring(manifest, xml_declaration=True, encoding="UTF-8", pretty_print=True)
        archive.writestr(_named("imsmanifest.xml"), listing, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _named(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, _EPOCH)


def _resource(item: Item, name: str, pictures: Iterable[str]) -> etree._Element:
    href = f"{ITEMS}/{name}.xml"
    resource = etree.Element(f"{{{CP}}}resource", identifier=name, type="imsqti_item_xmlv2p1", href=href)
    tags = tags_with(tags=item.tags, references=item.references, difficulty=item.difficulty)
    if tags or item.category:
        lom = etree.SubElement(etree.SubElement(resource, f"{{{CP}}}metadata"), f"{{{LOM}}}lom", nsmap=_LOM_FIRST)
        general = etree.SubElement(lom, f"{{{LOM}}}general")
        for tag in tags:
            _string(etree.SubElement(general, f"{{{LOM}}}keyword"), tag)
        if item.category:
            path = etree.SubElement(etree.SubElement(lom, f"{{{LOM}}}classification"), f"{{{LOM}}}taxonPath")
            for name_of_taxon in item.category:
                taxon = etree.SubElement(path, f"{{{LOM}}}taxon")
                _string(etree.SubElement(taxon, f"{{{LOM}}}entry"), name_of_taxon)
    etree.SubElement(resource, f"{{{CP}}}file", href=href)
    for address in pictures:
        etree.SubElement(resource, f"{{{CP}}}file", href=f"{ITEMS}/{address}")
    return resource


def _string(parent: etree._Element, text: str) -> None:
    etree.SubElement(parent, f"{{{LOM}}}string").text = text


class _Writer:
    """One assessmentItem. Choices are C1, C2, …, words and numbers A1, A2, …: feedback goes by the same names."""

    def __init__(self, item: Item, name: str) -> None:
        self.item = item
        attributes = {"identifier": name, "title": item.title, "adaptive": "false", "timeDependent": "false"}
        attributes |= {"toolName": TOOL, "label": item.external_id}
        self.root = etree.Element(f"{{{QTI}}}assessmentItem", attributes, nsmap=_QTI_FIRST)
        self.feedbacks: list[tuple[str, str]] = []
        self._addresses = {each.digest: f"{PICTURES}/{each.file_name}" for each in item.pictures}

    def document(self) -> bytes:
        _WRITE[self.item.kind](self)
        for name, text in [*self.feedbacks, (EXPLANATION, self.item.explanation)]:
            if text:
                box = self.add(
                    self.root, "modalFeedback", outcomeIdentifier="FEEDBACK", identifier=name, showHide="show"
                )
                self.put(box, text)
        return etree.tostring(self.root, xml_declaration=True, encoding="UTF-8")

    def add(self, parent: etree._Element, tag: str, text: str = "", **attributes: str) -> etree._Element:
        element = etree.SubElement(parent, f"{{{QTI}}}{tag}", attributes)
        element.text = text or None
        return element

    def put(self, parent: etree._Element, text: str) -> None:
        text = readdressed(text, self.item.markup, self._addresses.get)
        put_text(parent, Marked(text, self.item.markup), namespace=QTI)

    def declare(self, cardinality: str, base_type: str, right: Sequence[str]) -> etree._Element:
        response = self.add(
            self.root, "responseDeclaration", identifier="RESPONSE", cardinality=cardinality, baseType=base_type
        )
        correct = self.add(response, "correctResponse")
        for value in right:
            self.add(correct, "value", value)
        self.add(self.root, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
        self.add(self.root, "outcomeDeclaration", identifier="FEEDBACK", cardinality="multiple", baseType="identifier")
        return response

    def map(self, response: etree._Element, shares: Sequence[tuple[str, Decimal]], **attributes: str) -> None:
        """`attributes` of every entry."""
        mapping = self.add(response, "mapping", lowerBound="0", upperBound="1", defaultValue="0")
        for key, share in shares:
            self.add(mapping, "mapEntry", mapKey=key, mappedValue=plain_number(share), **attributes)

    def ask(self, tag: str, **attributes: str) -> etree._Element:
        """The body with the stem, and the interaction after it."""
        body = self.add(self.root, "itemBody")
        self.put(self.add(body, "p" if self.item.markup is not Markup.HTML else "div"), self.item.stem)
        is_inline = tag == "textEntryInteraction"
        return self.add(
            self.add(body, "p") if is_inline else body, tag, responseIdentifier="RESPONSE", **attributes
        )  # fmt: skip

    def process(self, template: str) -> etree._Element:
        """SCORE by the template's rule, FEEDBACK by what was chosen."""
        processing = self.add(self.root, "responseProcessing")
        score = self.add(processing, "setOutcomeValue", identifier="SCORE")
        if template == "map_response":
            self.add(score, "mapResponse", identifier="RESPONSE")
        self.tell(processing, chosen=template == "map_response")
        return processing

    def tell(self, processing: etree._Element, *, chosen: bool) -> None:
        shown = self.add(self.add(processing, "setOutcomeValue", identifier="FEEDBACK"), "multiple")
        if chosen:
            self.add(shown, "variable", identifier="RESPONSE")
        self.add(shown, "baseValue", EXPLANATION, baseType="identifier")

    def choices(self) -> None:
        is_truth = self.item.kind is Kind.TRUE_FALSE
        names = (
            [text.lower() for text in TRUTHS] if is_truth else [f"C{at}" for at in range(1, len(self.item.choices) + 1)]
        )
        named = list(zip(names, self.item.choices, strict=True))
        is_multiple = self.item.kind is Kind.MULTIPLE
        right = [name for name, choice in named if (choice.share > 0 if is_multiple else choice.share == 1)]
        response = self.declare(
            "multiple" if is_multiple else "single", "identifier", right if is_multiple else right[:1]
        )
        self.map(response, [(name, choice.share) for name, choice in named])
        asked = self.ask("choiceInteraction", shuffle="false", maxChoices="0" if is_multiple else "1")
        for name, choice in named:
            self.put(self.add(asked, "simpleChoice", identifier=name), choice.text)
            self.feedbacks.append((name, choice.feedback))
        self.process("map_response")

    def words(self) -> None:
        accepted = self.item.accepted
        response = self.declare("single", "string", [next(one.text for one in accepted if one.share == 1)])
        is_exact = "true" if self.item.is_case_sensitive else "false"
        self.map(response, [(one.text, one.share) for one in accepted], caseSensitive=is_exact)
        self.ask("textEntryInteraction")
        processing = self.add(self.root, "responseProcessing")
        score = self.add(processing, "setOutcomeValue", identifier="SCORE")
        self.add(score, "mapResponse", identifier="RESPONSE")
        self.tell(processing, chosen=False)
        for at, one in enumerate(accepted, 1):
            branch = self.add(self.add(processing, "responseCondition"), "responseIf")
            matched = self.add(branch, "stringMatch", caseSensitive=is_exact)
            self.add(matched, "variable", identifier="RESPONSE")
            self.add(matched, "baseValue", one.text, baseType="string")
            self.show(branch, f"A{at}", one.feedback)

    def show(self, branch: etree._Element, name: str, feedback: str) -> None:
        self.feedbacks.append((name, feedback))
        shown = self.add(self.add(branch, "setOutcomeValue", identifier="FEEDBACK"), "multiple")
        self.add(shown, "variable", identifier="FEEDBACK")
        self.add(shown, "baseValue", name, baseType="identifier")

    def numbers(self) -> None:
        first = next(taken for taken in self.item.ranges if taken.share == 1)
        self.declare("single", "float", [plain_number((first.low + first.high) / 2)])
        self.ask("textEntryInteraction")
        processing = self.add(self.root, "responseProcessing")
        self.tell(processing, chosen=False)
        condition = self.add(processing, "responseCondition")
        for at, taken in enumerate(self.item.ranges, 1):
            branch = self.add(condition, "responseIf" if at == 1 else "responseElseIf")
            between = self.add(branch, "and")
            for tag, bound in (("gte", taken.low), ("lte", taken.high)):
                compared = self.add(between, tag)
                self.add(compared, "variable", identifier="RESPONSE")
                self.add(compared, "baseValue", plain_number(bound), baseType="float")
            score = self.add(branch, "setOutcomeValue", identifier="SCORE")
            self.add(score, "baseValue", plain_number(taken.share), baseType="float")
            self.show(branch, f"A{at}", taken.feedback)

    def pairs(self) -> None:
        rights = list(dict.fromkeys(pair.right for pair in self.item.pairs))
        names = {right: f"R{at}" for at, right in enumerate(rights, 1)}
        lefts = [(f"L{at}", pair) for at, pair in enumerate(self.item.pairs, 1) if pair.left]
        right = [f"{name} {names[pair.right]}" for name, pair in lefts]
        response = self.declare("multiple", "directedPair", right)
        self.map(response, [(pair, equal_share(len(right))) for pair in right])
        asked = self.ask("matchInteraction", shuffle="true", maxAssociations=str(len(lefts)))
        for choices in ([(n, p.left, "1") for n, p in lefts], [(names[text], text, "0") for text in rights]):
            box = self.add(asked, "simpleMatchSet")
            for name, text, most in choices:
                self.put(self.add(box, "simpleAssociableChoice", identifier=name, matchMax=most), text)
        processing = self.add(self.root, "responseProcessing")
        score = self.add(processing, "setOutcomeValue", identifier="SCORE")
        self.add(score, "mapResponse", identifier="RESPONSE")
        self.tell(processing, chosen=False)

    def order(self) -> None:
        names = [f"C{at}" for at in range(1, len(self.item.sequence) + 1)]
        self.declare("ordered", "identifier", names)
        asked = self.ask("orderInteraction", shuffle="true")
        for name, text in zip(names, self.item.sequence, strict=True):
            self.put(self.add(asked, "simpleChoice", identifier=name), text)
        processing = self.add(self.root, "responseProcessing")
        self.tell(processing, chosen=False)
        branch = self.add(self.add(processing, "responseCondition"), "responseIf")
        matched = self.add(branch, "match")
        self.add(matched, "variable", identifier="RESPONSE")
        self.add(matched, "correct", identifier="RESPONSE")
        score = self.add(branch, "setOutcomeValue", identifier="SCORE")
        self.add(score, "baseValue", "1", baseType="float")


_WRITE = {
    Kind.SINGLE: _Writer.choices,
    Kind.MULTIPLE: _Writer.choices,
    Kind.TRUE_FALSE: _Writer.choices,
    Kind.SHORT: _Writer.words,
    Kind.NUMERIC: _Writer.numbers,
    Kind.MATCHING: _Writer.pairs,
    Kind.ORDERING: _Writer.order,
}
