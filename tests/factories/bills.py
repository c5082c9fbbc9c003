"""Bills of our own in every format that the parsers read, from one plain description of a bill.

`GivenBill` is what a test states; each writer puts it into its format, and a reader must give it back.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from projects.parsers.writers.kros_rows import (
    ItemRow,
    KrosBill,
    KrosRow,
    MeasureRow,
    NoteRow,
    ObjectRow,
    SectionRow,
)
from projects.parsers.writers.kros_xlsx import write_kros_xlsx

__all__ = ["GivenBill", "GivenObject", "GivenPosition", "GivenSection", "kros_rows", "write_csv", "write_gaeb",
           "write_kros", "write_legacy_json", "write_ods", "write_unixml"]  # fmt: skip

ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
GAEB_NAMESPACE = "http://www.gaeb.de/GAEB_DA_XML/DA{}/3.3"


@dataclass(frozen=True)
class GivenPosition:
    number: str
    description: str
    unit: str = "m2"
    quantity: Decimal | None = Decimal(1)
    unit_price: Decimal | None = Decimal(1)
    code: str = ""
    is_material: bool = False
    price_system: str = ""
    note: str = ""
    measure: tuple[MeasureRow, ...] = ()
    gaeb: str = ""  # further elements of the GAEB item: "<Provis>WithTotal</Provis>"
    index: str = ""  # GAEB RNoIndex

    @property
    def total(self) -> Decimal:
        return ((self.quantity or 0) * (self.unit_price or Decimal(0))).quantize(Decimal("0.01"), "ROUND_HALF_UP")


@dataclass(frozen=True)
class GivenSection:
    code: str
    name: str
    positions: tuple[GivenPosition, ...]


@dataclass(frozen=True)
class GivenObject:
    code: str
    name: str
    sections: tuple[GivenSection, ...]


@dataclass(frozen=True)
class GivenBill:
    objects: tuple[GivenObject, ...] = field(default_factory=tuple)
    title: str = "Rodinný dům"

    @property
    def total(self) -> Decimal:
        return sum((position.total for _, _, position in self.walk()), Decimal(0))

    def walk(self) -> Iterator[tuple[GivenObject, GivenSection, GivenPosition]]:
        for obj in self.objects:
            for section in obj.sections:
                for position in section.positions:
                    yield obj, section, position


def kros_rows(bill: GivenBill) -> Iterator[KrosRow]:
    for obj in bill.objects:
        yield ObjectRow(obj.code, obj.name)
        for section in obj.sections:
            yield SectionRow(section.code, section.name)
            for p in section.positions:
                yield ItemRow(p.code, p.description, p.unit, p.quantity, p.unit_price, "M" if p.is_material else "K",
                              p.number, price_system=p.price_system)  # fmt: skip
                yield from p.measure
                if p.note:
                    yield NoteRow(p.note)


def write_kros(path: Path, bill: GivenBill, **whole: Any) -> Decimal:
    return write_kros_xlsx(path, kros_rows(bill), bill=KrosBill(title=bill.title, **whole))


def _comma(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}".replace(".", ",")


def write_unixml(path: Path, bill: GivenBill, *, step: str = "0,01", doctype: str = "") -> None:
    objects = "".join(_unixml_object(obj) for obj in bill.objects)
    path.write_text(
        f'\ufeff<?xml version="1.0" encoding="utf-8"?>{doctype}<unixml format="unixml_cz" verze="1.2"><stavba>'
        f"<kod_stavby>2026-001</kod_stavby><nazev_stavby>{escape(bill.title)}</nazev_stavby>"
        "<verejna_zakazka>ANO</verejna_zakazka><datum>05.03.2026</datum><nastaveni><sazby_dph>"
        "<snizena_dph>12,00</snizena_dph><zakladni_dph>21,00</zakladni_dph></sazby_dph><zaokrouhleni_rozpocet>"
        f"<jednotkova_cena>0,01</jednotkova_cena><mnozstvi>0,001</mnozstvi><celkova_cena>{step}</celkova_cena>"
        "</zaokrouhleni_rozpocet><mena><mena_rozpocet>CZK</mena_rozpocet></mena></nastaveni>"
        f"<objekty>{objects}</objekty></stavba></unixml>",
        encoding="utf-8",
    )


def _unixml_object(obj: GivenObject) -> str:
    sources = {(p.is_material, p.code): p for section in obj.sections for p in section.positions}
    described = "".join(
        f"<{tag}><kod_polozky>{escape(code)}</kod_polozky>"
        f"<zkraceny_popis_polozky>{escape(p.description)}</zkraceny_popis_polozky>"
        f"<merna_jednotka>{escape(p.unit)}</merna_jednotka><cenova_soustava>{escape(p.price_system)}</cenova_soustava></{tag}>"
        for (is_material, code), p in sources.items()
        for tag in ("zdroj_material" if is_material else "zdroj_konstrukce",)
    )
    titles = "".join(
        f"<zdroj_dil><kod_dilu>{escape(s.code)}</kod_dilu><nazev_dilu>{escape(s.name)}</nazev_dilu></zdroj_dil>"
        for s in obj.sections
    )
    sections = "".join(
        f"<dil><kod_dilu>{escape(section.code)}</kod_dilu>"
        f"<polozky>{''.join(map(_unixml_position, section.positions))}</polozky></dil>"
        for section in obj.sections
    )
    return (
        f"<objekt><kod_objektu>{escape(obj.code)}</kod_objektu><nazev_objektu>{escape(obj.name)}</nazev_objektu>"
        f"<zdroje><zdroje_dily>{titles}</zdroje_dily>{described}</zdroje><dily>{sections}</dily></objekt>"
    )


_LINE_TYPES = {"expression": "VYRAZ", "subtotal": "SOUCET", "comment": "POZNAMKA"}


def _unixml_position(p: GivenPosition) -> str:
    lines = "".join(
        f"<radek_vykazu_vymer><typ_radku>{_LINE_TYPES[line.kind]}</typ_radku><vyraz>{escape(line.text)}</vyraz>"
        f"<kod_figury>{escape(line.figure)}</kod_figury>"
        f"<prevzit_mnozstvi>{'ANO' if line.is_quantity else 'NE'}</prevzit_mnozstvi></radek_vykazu_vymer>"
        for line in p.measure
    )
    sheet = f"<vykaz_vymer><radky_vykazu_vymer>{lines}</radky_vykazu_vymer></vykaz_vymer>" if lines else ""
    return (
        f"<polozka><typ_vety>{'M' if p.is_material else 'K'}</typ_vety><kod_polozky>{escape(p.code)}</kod_polozky>"
        f"<cislo_polozky>{escape(p.number)}</cislo_polozky><mnozstvi>{_comma(p.quantity)}</mnozstvi>{sheet}"
        f"<jednotkova_cena>{_comma(p.unit_price)}</jednotkova_cena><typ_sazby_dph>ZAKLADNI</typ_sazby_dph>"
        f"<poznamka_polozky>{escape(p.note)}</poznamka_polozky></polozka>"
    )


def write_gaeb(
    path: Path, bill: GivenBill, *, phase: str = "86", total: Decimal | None = None, extra: str = ""
) -> None:
    """`phase` "83": no prices; "84": no quantities and no texts; "86": both. Objects and sections are categories."""
    stated = "" if phase == "83" else f"<Totals><Total>{bill.total if total is None else total}</Total></Totals>"
    body = "".join(
        f"<BoQCtgy ID={quoteattr('C' + obj.code)} RNoPart={quoteattr(obj.code)}>{_label(obj.name, phase)}<BoQBody>"
        + "".join(
            f"<BoQCtgy RNoPart={quoteattr(section.code)}>{_label(section.name, phase)}<BoQBody><Itemlist>"
            f"{''.join(_gaeb_item(p, phase) for p in section.positions)}</Itemlist></BoQBody></BoQCtgy>"
            for section in obj.sections
        )
        + "</BoQBody></BoQCtgy>"
        for obj in bill.objects
    )
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><GAEB xmlns="{GAEB_NAMESPACE.format(phase)}">'
        "<GAEBInfo><Version>3.3</Version><Date>2026-03-05</Date></GAEBInfo>"
        f"<PrjInfo><NamePrj>{escape(bill.title)}</NamePrj></PrjInfo><Award><DP>{phase}</DP>"
        "<AwardInfo><Cur>EUR</Cur></AwardInfo><BoQ><BoQInfo><Name>LV</Name>"
        "<BoQBkdn><Type>BoQLevel</Type></BoQBkdn><BoQBkdn><Type>BoQLevel</Type></BoQBkdn><BoQBkdn><Type>Item</Type></BoQBkdn>"
        f"{stated}</BoQInfo><BoQBody>{body}{extra}</BoQBody></BoQ></Award></GAEB>",
        encoding="utf-8",
    )


def _label(name: str, phase: str) -> str:
    return "" if phase == "84" else f"<LblTx><p><span>{escape(name)}</span></p></LblTx>"


def _gaeb_item(p: GivenPosition, phase: str) -> str:
    index = f" RNoIndex={quoteattr(p.index)}" if p.index else ""
    quantity = "" if phase == "84" else f"<Qty>{p.quantity}</Qty><QU>{escape(p.unit)}</QU>"
    price = "" if phase == "83" else f"<UP>{p.unit_price}</UP><IT>{p.total}</IT>"
    text = "" if phase == "84" else (
        "<Description><CompleteText><OutlineText><OutlTxt><TextOutlTxt><p><span>"
        f"{escape(p.description)}</span></p></TextOutlTxt></OutlTxt></OutlineText></CompleteText></Description>"
    )  # fmt: skip
    return (
        f'<Item ID="I{p.number}{p.index}" RNoPart={quoteattr(p.number)}{index}>{p.gaeb}{quantity}{price}{text}</Item>'
    )


CSV_TITLES = ("Poř. č.", "Kód", "Popis", "MJ", "Množství", "J. cena [CZK]", "Cena celkem [CZK]")


def csv_rows(bill: GivenBill, titles: Iterable[str] = CSV_TITLES) -> list[list[str]]:
    rows = [[f"Stavba: {bill.title}"], [], list(titles)]
    for _, _, p in bill.walk():
        rows.append(
            [p.number, p.code, p.description, p.unit, _comma(p.quantity), _comma(p.unit_price), _comma(p.total)]
        )
    return rows


def write_csv(path: Path, bill: GivenBill, *, encoding: str = "utf-8-sig", delimiter: str = ";") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(csv_rows(bill))


def write_ods(path: Path, rows: list[list[str]], *, repeat_rows: int = 1, repeat_columns: int = 1) -> Path:
    """Texts only. The last row's cells and the row itself are repeated as told."""

    def cell(text: str, repeat: int) -> str:
        columns = f' table:number-columns-repeated="{repeat}"'
        if not text:
            return f"<table:table-cell{columns}/>"
        return (
            f'<table:table-cell{columns} office:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'
        )

    body = ""
    for row in rows:
        is_last = row is rows[-1]
        cells = "".join(cell(text, repeat_columns if is_last else 1) for text in row)
        body += (
            f'<table:table-row table:number-rows-repeated="{repeat_rows if is_last else 1}">{cells}</table:table-row>'
        )
    return pack_ods(path, f'<table:table table:name="List 1">{body}</table:table>')


def pack_ods(path: Path, tables: str) -> Path:
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", ODS_TYPE)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODS_TYPE}"/></manifest:manifest>',
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def write_legacy_json(path: Path, bill: GivenBill, *, wrapped: bool = True) -> None:
    positions = [
        {"number": p.number, "code": p.code, "description": p.description, "unit": p.unit,
         "quantity": _comma(p.quantity), "unit_price": float(p.unit_price or 0),
         "total_price": str(p.total), "section": section.name}
        for _, section, p in bill.walk()
    ]  # fmt: skip
    path.write_text(
        json.dumps({"positions": positions} if wrapped else positions, ensure_ascii=False), encoding="utf-8"
    )
