"""uniXML 1.2, the Czech exchange format for budgets: objects, sections and positions, read as a stream.

A position holds number, quantity and unit price only; its text, unit and price system stand once in its object's
`zdroje`. Figures have a decimal comma. The format stores no totals: it declares the rounding (`zaokrouhleni_rozpocet`),
and whoever reads the file computes quantity × unit price with it. So `BillPosition.total` is None here,
`position_total` with `header.rounding` gives the figure, and there is no stated sum to reconcile with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from lxml import etree

from projects.parsers.bill import Bill, BillHeader, BillPosition, MeasureLine, PositionKind, Rounding, Score
from projects.parsers.catalogues import catalogue_of, currency_of
from projects.parsers.decimals import decimal_from_xml
from projects.parsers.filehead import FileHead
from projects.parsers.numbering import Numbering
from projects.parsers.safexml import child, child_text, child_texts, forget, iterate, local_name, place

NAME = "unixml"
LABEL = "uniXML 1.2"

_HEADER_TAGS = frozenset(
    ("kod_stavby", "nazev_stavby", "verejna_zakazka", "datum", "objednatel", "investor", "sazby_dph",
     "zaokrouhleni_rozpocet", "mena_rozpocet")
)  # fmt: skip
_BODY_TAGS = frozenset(
    ("kod_objektu", "nazev_objektu", "kod_dilu", "zdroj_dil", "zdroj_konstrukce", "zdroj_material", "figura", "polozka",
     "dil", "objekt")
)  # fmt: skip
_OPENING_TAGS = frozenset(("objekt", "dil"))
_MEASURE_KINDS = {"VYRAZ": "expression", "SOUCET": "subtotal", "MEZISOUCET": "subtotal", "POZNAMKA": "comment"}
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_NAME = re.compile(r"[^\W\d]\w*")


def detect(head: FileHead) -> Score:
    if head.xml.root != "unixml":
        return Score(0)
    version = head.xml.attributes.get("verze", "")
    if version == "1.2":
        return Score(100, ("The root element is <unixml verze='1.2'>.",))
    return Score(90, (f"The root element is <unixml>, version {version or 'not given'}; read as 1.2.",))


def read(head: FileHead) -> Bill:
    """Raises ParseError("xml_forbidden" | "damaged"), also while the positions are read."""
    header = _read_header(head)
    bill = Bill(header=header, positions=iter(()))
    bill.positions = _BodyReader(bill).positions(head)
    return bill


def _read_header(head: FileHead) -> BillHeader:
    """Everything before the first object."""
    header = BillHeader(dialect=NAME, dialect_label=LABEL)
    for event, element in iterate(head.path, _HEADER_TAGS, frozenset(("objekty",))):
        if event == "start":
            break
        tag, text = local_name(element), (element.text or "").strip()
        if tag == "kod_stavby":
            header = replace(header, reference=text)
        elif tag == "nazev_stavby":
            header = replace(header, title=text)
        elif tag == "verejna_zakazka":
            header = replace(header, is_public_tender=text.upper() == "ANO")
        elif tag == "datum":
            header = replace(header, budget_on=_date(text))
        elif tag in ("objednatel", "investor") and text:
            header = replace(header, client=header.client or text)
        elif tag == "mena_rozpocet":
            header = replace(header, currency=currency_of(text))
        elif tag == "sazby_dph":
            rates = (_figure(child_text(element, name)) for name in ("zakladni_dph", "snizena_dph"))
            header = replace(header, vat_rates=tuple(rate for rate in rates if rate is not None))
        elif tag == "zaokrouhleni_rozpocet":
            header = replace(header, rounding=_rounding(element))
    return header


def _rounding(element: etree._Element) -> Rounding:
    fallback = Rounding()
    quantity = _figure(child_text(element, "mnozstvi"))
    price = _figure(child_text(element, "jednotkova_cena"))
    total = _figure(child_text(element, "celkova_cena"))
    return Rounding(
        quantity=quantity or fallback.quantity,
        unit_price=price or fallback.unit_price,
        total=total or fallback.total,
        is_stated=total is not None,
    )


def _parent_name(element: etree._Element) -> str:
    parent = element.getparent()
    return local_name(parent) if parent is not None else ""


def _date(text: str) -> date | None:
    if match := _DATE.fullmatch(text):
        day, month, year = map(int, match.groups())
        try:
            return date(year, month, day)
        except ValueError:
            return None
    return None


def _figure(text: str) -> Decimal | None:
    try:
        return decimal_from_xml(text, ",")
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Source:
    """What an object's `zdroje` say of a code."""

    text: str
    long_text: str
    unit: str
    system: str


@dataclass(slots=True)
class _Object:
    code: str = ""
    name: str = ""
    sources: dict[tuple[str, str], _Source] = field(default_factory=dict)  # (type, code)
    sections: dict[str, str] = field(default_factory=dict)  # code → name
    figures: dict[str, MeasureLine] = field(default_factory=dict)  # name → the line that tells its value


class _BodyReader:
    def __init__(self, bill: Bill) -> None:
        self._bill = bill
        self._objects: list[_Object] = []  # the innermost last
        self._sections: list[str] = []
        self._numbering = Numbering(bill.warnings)
        self._ordinal = 0
        rates = bill.header.vat_rates
        self._vat = dict(zip(("ZAKLADNI", "SNIZENA"), rates, strict=False)) | {"NULOVA": Decimal(0)}

    def positions(self, head: FileHead) -> Iterator[BillPosition]:
        for event, element in iterate(head.path, _BODY_TAGS, _OPENING_TAGS):
            tag = local_name(element)
            if event == "start":
                if tag == "objekt":
                    self._objects.append(_Object())
                else:
                    self._sections.append("")
            elif tag == "polozka":
                yield self._position(element)
                forget(element)
            else:
                self._take(tag, element)

    def _take(self, tag: str, element: etree._Element) -> None:
        """Takes in whatever is not a position: it opens, closes, names or explains."""
        if tag == "objekt":
            self._objects.pop()
            forget(element)
        elif tag == "dil":
            self._sections.pop()
            forget(element)
        elif not self._objects:
            return
        elif tag == "kod_objektu":
            self._objects[-1].code = (element.text or "").strip()
        elif tag == "nazev_objektu":
            self._objects[-1].name = (element.text or "").strip()
        elif tag == "kod_dilu" and self._sections and _parent_name(element) == "dil":
            self._sections[-1] = self._section_label((element.text or "").strip())
        elif tag == "zdroj_dil":
            self._objects[-1].sections[child_text(element, "kod_dilu")] = child_text(element, "nazev_dilu")
            forget(element)
        elif tag in ("zdroj_konstrukce", "zdroj_material"):
            self._take_source("M" if tag == "zdroj_material" else "K", element)
        elif tag == "figura":
            self._take_figure(element)

    def _section_label(self, code: str) -> str:
        name = next((known.sections[code] for known in reversed(self._objects) if code in known.sections), "")
        return f"{code} {name}".strip()

    def _take_source(self, kind: str, element: etree._Element) -> None:
        texts = child_texts(element)
        self._objects[-1].sources[kind, texts.get("kod_polozky", "")] = _Source(
            text=texts.get("zkraceny_popis_polozky", ""),
            long_text=texts.get("plny_popis_polozky", ""),
            unit=texts.get("merna_jednotka", ""),
            system=texts.get("cenova_soustava", ""),
        )
        forget(element)

    def _take_figure(self, element: etree._Element) -> None:
        name = child_text(element, "kod_figury")
        value = _figure(child_text(element, "vymera"))
        text = f"{name} = {child_text(element, 'vymera')} {child_text(element, 'merna_jednotka')}".strip()
        self._objects[-1].figures[name] = MeasureLine(text, "comment", value, name)
        forget(element)

    def _position(self, element: etree._Element) -> BillPosition:
        self._ordinal += 1
        where = place(element)
        texts = child_texts(element)
        kind, code, number = (texts.get(name, "") for name in ("typ_vety", "kod_polozky", "cislo_polozky"))
        object_code = self._object_code()
        source = self._source(kind, code)
        if source is None:
            self._warn(
                where, f"the code {code!r} of position {number or '?'} is not among the object's sources (zdroje)"
            )
            source = _Source("", "", "", "")
        quantity, reason = self._quantity(texts, where, source.unit)
        note = texts.get("poznamka_polozky", "")
        return BillPosition(
            ordinal=self._ordinal,
            number=self._numbering.claim(object_code, number, where),
            description=source.text,
            kind=PositionKind.MATERIAL if kind == "M" else PositionKind.WORK,
            object_code=object_code,
            object_name=self._objects[-1].name if self._objects else "",
            section_path=tuple(label for label in self._sections if label),
            code=code,
            catalogue=catalogue_of(source.system),
            price_system=source.system,
            long_text="\n".join(text for text in (source.long_text, note) if text),
            unit=source.unit or None,
            quantity=quantity,
            quantity_reason=reason,
            unit_price=self._checked(texts, "jednotkova_cena", where),
            vat_rate=self._vat.get(texts.get("typ_sazby_dph", "")),
            measure=self._measure(element),
            source=where,
        )

    def _source(self, kind: str, code: str) -> _Source | None:
        """From the nearest object; a code filed under the other type serves where its own has none."""
        keys = ((kind, code), ("M" if kind == "K" else "K", code))
        return next((obj.sources[key] for key in keys for obj in reversed(self._objects) if key in obj.sources), None)

    def _object_code(self) -> str:
        """Bills inside objects carry both codes: "SO 01/01.1"."""
        return "/".join(known.code for known in self._objects if known.code)

    def _quantity(self, texts: dict[str, str], where: str, unit: str) -> tuple[Decimal | None, str]:
        quantity = self._checked(texts, "mnozstvi", where)
        if quantity is not None:
            return quantity, ""
        written = texts.get("mnozstvi", "")
        if written:
            return None, f"no figure: {written[:40]!r}"
        return None, "percentage" if unit == "%" else "the file has no quantity"

    def _checked(self, texts: dict[str, str], name: str, where: str) -> Decimal | None:
        text = texts.get(name, "")
        try:
            return decimal_from_xml(text, ",")
        except ValueError:
            self._warn(where, f"{text[:40]!r} in <{name}> is not a figure; it is left out")
            return None

    def _measure(self, element: etree._Element) -> tuple[MeasureLine, ...]:
        """The measure sheet; lines that KROS left empty are dropped. The figures it reads by name come first."""
        sheet = child(element, "vykaz_vymer")
        if sheet is None:
            return ()
        lines: list[MeasureLine] = []
        for row in sheet.iter("{*}radek_vykazu_vymer"):
            texts = child_texts(row)
            text, figure = texts.get("vyraz", ""), texts.get("kod_figury", "")
            is_quantity = texts.get("prevzit_mnozstvi", "").upper() == "ANO"
            kind = _MEASURE_KINDS.get(texts.get("typ_radku", ""), "comment")
            if text or figure or is_quantity:
                lines.append(MeasureLine(text, kind, None, figure, is_quantity))
        if child_text(sheet, "soucet_radku").upper() == "ANO" and not any(line.is_quantity for line in lines):
            lines.append(MeasureLine("Součet", "subtotal", is_quantity=True))
        return (*self._figures_read(lines), *lines)

    def _figures_read(self, lines: list[MeasureLine]) -> Iterator[MeasureLine]:
        figures = {name: line for known in self._objects for name, line in known.figures.items()}
        if not figures:
            return
        names = {line.figure for line in lines} | {
            name for line in lines if line.kind == "expression" for name in _NAME.findall(line.text)
        }
        yield from (figures[name] for name in sorted(names & figures.keys()))

    def _warn(self, where: str, what: str) -> None:
        self._bill.warnings.append(f"{where[0].upper()}{where[1:]}: {what}.")
