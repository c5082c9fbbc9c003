"""A version as uniXML 1.2: objects with what they draw on (sections, works, materials, figures), then the positions.

A position holds its number, quantity and price; text, unit and price system stand once per code. Where a budget gives
one code two texts, the second gets a code of its own ("Pol1/2"), which the report says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO
from xml.sax.saxutils import escape

from projects.exports.proof import Content, Proof, clean, figure
from projects.exports.section_tree import Node, SectionTree
from projects.exports.source import ExportBill, ExportError
from projects.parsers.bill import BillPosition, MeasureLine, PositionKind
from projects.parsers.decimals import decimal_from_xml
from projects.parsers.numbering import Numbering
from projects.parsers.registry import open_bill

_KINDS = {"expression": "VYRAZ", "subtotal": "SOUCET", "comment": "POZNAMKA"}
_FIRST_SECTIONS = ("HSV", "PSV", "M", "VRN", "OST")


def _tag(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _comma(value: Decimal | None) -> str:
    return figure(value).replace(".", ",")


@dataclass(slots=True)
class _Object:
    """What an object's positions draw on, by code. Texts are kept once a code, so memory grows with codes."""

    name: str
    works: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)  # written code → text, long, unit, system
    materials: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)  # written code → name
    labels: dict[str, str] = field(default_factory=dict)  # label → written code
    # (kind, code, text) → the code it is written under; (kind, code) → how many there are: nothing is looked for twice.
    written: dict[tuple[str, str, tuple[str, str, str, str]], str] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    figures: dict[str, tuple[str, str]] = field(default_factory=dict)  # name → (value, unit)


@dataclass(slots=True)
class _Notes:
    """What had to be written otherwise than the budget has it."""

    recoded: int = 0
    other_vat: int = 0
    figures_left: int = 0


class _Writer:
    def __init__(self, bill: ExportBill, tree: SectionTree) -> None:
        self.bill, self.tree = bill, tree
        self.proof, self.notes = Proof(), _Notes()
        self.objects: dict[str, _Object] = {}
        self._numbering = Numbering([])
        rates = list(bill.vat_rates)
        self._vat = dict(zip(rates, ("ZAKLADNI", "SNIZENA"), strict=False))
        self._vat.setdefault(Decimal(0), "NULOVA")

    def take(self, position: BillPosition) -> None:
        code = clean(position.object_code)
        known = self.objects.setdefault(code, _Object(clean(position.object_name)))
        number = self._numbering.claim(code, clean(position.number), "")
        kind = "M" if position.kind == PositionKind.MATERIAL else "K"
        written = self._source(known, kind, position)
        labels = tuple(label for label in map(clean, position.section_path) if label)
        for label in labels:
            _claim_section(known, label)
        lines = self._lines(known, position)
        vat = self._vat_word(position)
        total = self.bill.total_of(position) if position.billing.counts else None
        self.tree.put((code, *labels), _position(position, kind, written, number, vat, lines), total or Decimal(0))
        self.proof.expect((code, number), self._expected(position, number, written, labels, lines), total)

    def _source(self, known: _Object, kind: str, position: BillPosition) -> str:
        """The code under which its text stands: its own, or one made from it where that has another text."""
        told = known.materials if kind == "M" else known.works
        text = (
            clean(position.description),
            clean(position.long_text),
            clean(position.unit),
            clean(position.price_system),
        )
        base = clean(position.code)
        written = known.written.get((kind, base, text), "")
        if not written:
            written, count = base, known.counts.get((kind, base), 1)
            while not written or told.get(written, text) != text:
                count += 1
                written = f"{base or 'X'}/{count}"
            known.counts[kind, base] = count
            known.written[kind, base, text] = written
            told[written] = text
        self.notes.recoded += written != base
        return written

    def _lines(self, known: _Object, position: BillPosition) -> list[MeasureLine]:
        """The measure sheet; what a figure is stands with the object, and is read back in front of the lines."""
        lines = []
        for line in position.measure:
            if line.kind == "comment" and line.figure and line.value is not None:
                told = _figure_told(line)
                self.notes.figures_left += known.figures.setdefault(clean(line.figure), told) != told
            elif line.text or line.figure or line.is_quantity:
                lines.append(line)
            else:
                self.notes.figures_left += 1
        return lines

    def _vat_word(self, position: BillPosition) -> str:
        if position.vat_rate is None:
            return ""
        word = self._vat.get(position.vat_rate.normalize(), "") or self._vat.get(position.vat_rate, "")
        self.notes.other_vat += not word
        return word

    def _expected(
        self, position: BillPosition, number: str, code: str, labels: tuple[str, ...], lines: list[MeasureLine]
    ) -> Content:
        return (
            number, clean(position.description), clean(position.long_text), code, clean(position.price_system),
            clean(position.unit), figure(position.quantity), figure(position.unit_price), labels,
            position.kind == PositionKind.MATERIAL,
            tuple((clean(line.text), line.kind, clean(line.figure), line.is_quantity) for line in lines),
        )  # fmt: skip


def _figure_told(line: MeasureLine) -> tuple[str, str]:
    """(value, unit) of a figure, as the line that tells it has them: "F1 = 100,80 m2"."""
    value, _, unit = line.text.removeprefix(f"{line.figure} = ").partition(" ")
    try:
        is_same = decimal_from_xml(value, ",") == line.value
    except ValueError:
        is_same = False
    return (value, clean(unit)) if is_same else (_comma(line.value), "")


def _claim_section(known: _Object, label: str) -> str:
    """The section's code; where two sections of an object share one, the whole label is the second's code."""
    written = known.labels.get(label)
    if written is None:
        code, _, name = label.partition(" ")
        name = name.strip()
        if f"{code} {name}".strip() != label or known.sections.get(code, name) != name:
            code, name = label, ""
        known.sections[code] = name
        written = known.labels[label] = code
    return written


def _position(position: BillPosition, kind: str, code: str, number: str, vat: str, lines: list[MeasureLine]) -> str:
    sheet = ""
    if lines:
        rows = "".join(
            "<radek_vykazu_vymer>"
            + _tag("typ_radku", _KINDS.get(line.kind, "POZNAMKA")) + _tag("vyraz", clean(line.text))
            + _tag("kod_figury", clean(line.figure)) + _tag("prevzit_mnozstvi", "ANO" if line.is_quantity else "NE")
            + "</radek_vykazu_vymer>"
            for line in lines
        )  # fmt: skip
        sheet = (
            f"<vykaz_vymer><soucet_radku>NE</soucet_radku><radky_vykazu_vymer>{rows}</radky_vykazu_vymer></vykaz_vymer>"
        )
    supplied = _comma(position.unit_price) if kind == "M" else "0,00"
    first = position.section_path[0].split(" ", 1)[0] if position.section_path else ""
    return (
        f"<polozka>{_tag('typ_vety', kind)}{_tag('typ_polozky', first if first in _FIRST_SECTIONS else 'HSV')}"
        f"{_tag('kod_polozky', code)}{_tag('cislo_polozky', number)}{_tag('mnozstvi', _comma(position.quantity))}"
        f"{_tag('typ_mnozstvi', 'VV' if lines else 'MNOZSTVI')}{sheet}"
        f"{_tag('jednotkova_cena', _comma(position.unit_price))}{_tag('jednotkova_cena_dodavky', supplied)}"
        f"{_tag('typ_sazby_dph', vat)}<poznamka_polozky></poznamka_polozky></polozka>\n"
    )


def write_unixml(path: Path, bill: ExportBill) -> dict[str, Any]:
    """What was written, verified by reading it. Positions that count in no total (alternatives) are written as any
    other, for the format has no word for them: the report says how many."""
    uncounted = 0
    with SectionTree() as tree:
        writer = _Writer(bill, tree)
        for position in bill.told("Writing"):
            uncounted += not position.billing.counts
            writer.take(position)
        if not writer.proof.count:
            raise ExportError("This version has no positions.", code="no_positions")
        with path.open("w", encoding="utf-8", newline="\n") as out:
            out.write(f'<?xml version="1.0" encoding="utf-8"?>\n<unixml format="unixml_cz" verze="1.2">{_head(bill)}')
            out.write("<objekty>\n")
            for code, known in writer.objects.items():
                _write_object(out, code, known, tree)
            out.write("</objekty>\n<firmy/></stavba></unixml>\n")
    bill.report(bill.count, bill.count, "Reading the file again")
    read = writer.proof.check(open_bill(path, dialect="unixml"), _read)
    notes = writer.notes
    return {
        "positions": read, "read_back": read, "total": str(writer.proof.total), "recoded": notes.recoded,
        "other_vat": notes.other_vat, "figures_left": notes.figures_left, "uncounted": uncounted,
    }  # fmt: skip


def _read(position: BillPosition) -> Content:
    lines = [
        line for line in position.measure if not (line.kind == "comment" and line.figure and line.value is not None)
    ]
    return (
        position.number, position.description, position.long_text, position.code, position.price_system,
        position.unit or "", figure(position.quantity), figure(position.unit_price), position.section_path,
        position.kind == PositionKind.MATERIAL,
        tuple((line.text, line.kind, line.figure, line.is_quantity) for line in lines),
    )  # fmt: skip


def _head(bill: ExportBill) -> str:
    rates = list(bill.vat_rates)
    reduced, standard = (rates[1] if len(rates) > 1 else None), (rates[0] if rates else None)
    on = bill.budget_on or bill.made_on
    return (
        "<typ_souboru>SOUPIS_PRACI</typ_souboru><rozsah_exportu>CELA_STAVBA</rozsah_exportu><zdroj>Plumbline</zdroj>"
        f"<stavba>{_tag('kod_stavby', clean(bill.reference))}{_tag('nazev_stavby', clean(bill.title))}"
        f"{_tag('verejna_zakazka', 'ANO' if bill.is_public_tender else 'NE')}{_tag('datum', f'{on:%d.%m.%Y}')}"
        f"{_tag('objednatel', clean(bill.client))}<nastaveni><sazby_dph>{_tag('snizena_dph', _comma(reduced))}"
        f"{_tag('zakladni_dph', _comma(standard))}</sazby_dph><zaokrouhleni_rozpocet>"
        f"{_tag('jednotkova_cena', _comma(bill.rounding.unit_price))}{_tag('mnozstvi', _comma(bill.rounding.quantity))}"
        f"{_tag('celkova_cena', _comma(bill.rounding.total))}</zaokrouhleni_rozpocet>"
        f"<mena>{_tag('mena_rozpocet', bill.currency)}</mena></nastaveni>\n"
    )


def _write_object(out: TextIO, code: str, known: _Object, tree: SectionTree) -> None:
    out.write(f"<objekt>{_tag('kod_objektu', code)}{_tag('nazev_objektu', known.name)}")
    out.write("<typ_zakazky>STAVEBNI_OBJEKT</typ_zakazky><zdroje><zdroje_dily>\n")
    for section, name in known.sections.items():
        out.write(f"<zdroj_dil>{_tag('kod_dilu', section)}{_tag('nazev_dilu', name)}</zdroj_dil>\n")
    out.write("</zdroje_dily>\n")
    for plural, single, sources in (
        ("zdroje_konstrukce", "zdroj_konstrukce", known.works),
        ("zdroje_materialy", "zdroj_material", known.materials),
    ):
        out.write(f"<{plural}>\n")
        for written, (text, long_text, unit, system) in sources.items():
            out.write(
                f"<{single}>{_tag('kod_polozky', written)}{_tag('zkraceny_popis_polozky', text)}"
                f"{_tag('plny_popis_polozky', long_text)}{_tag('merna_jednotka', unit)}"
                f"{_tag('cenova_soustava', system)}</{single}>\n"
            )
        out.write(f"</{plural}>\n")
    out.write("</zdroje><figury>\n")
    for name, (value, unit) in known.figures.items():
        out.write(f"<figura>{_tag('kod_figury', name)}{_tag('merna_jednotka', unit)}{_tag('vymera', value)}</figura>\n")
    out.write("</figury>\n")
    _write_sections(out, tree.root.children[code], known, tree)
    out.write("<objekty></objekty></objekt>\n")


def _write_sections(out: TextIO, node: Node, known: _Object, tree: SectionTree) -> None:
    out.write("<dily>")
    for label, child in node.children.items():
        out.write(f"<dil>{_tag('kod_dilu', known.labels[label])}")
        _write_sections(out, child, known, tree)
        out.write("</dil>")
    out.write("</dily><polozky>\n")
    for text in tree.texts(node):
        out.write(text)
    out.write("</polozky>")
