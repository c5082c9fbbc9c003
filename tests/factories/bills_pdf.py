"""Printed bills of our own: words put on pages, as programs do, and pages with a picture only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import typst

from tests.factories.bills import GivenBill, GivenObject

Placed = tuple[float, float, str]  # left, from the top, text; in points

HEADING = ((50, 100, "Position"), (200, 100, "Menge"), (260, 100, "Einh."), (330, 100, "EP"), (430, 100, "Gesamtsumme"))


def position_line(top: float, number: str, quantity: str, unit: str, price: str = "", total: str = "") -> list[Placed]:
    placed: list[Placed] = [(50, top, number), (200, top, quantity), (260, top, unit)]
    placed += [(320, top, price)] if price else []
    placed += [(440, top, total)] if total else []
    return placed


def pdf_bytes(pages: Iterable[Iterable[Placed]]) -> bytes:
    """An uncompressed PDF of A4 pages in Helvetica (Windows-1252)."""
    streams = [_stream(page) for page in pages]
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for i, stream in enumerate(streams):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * i} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return _document(objects)


def _stream(page: Iterable[Placed]) -> bytes:
    lines = [b"0 0 10 10 re f"]  # never without any mark
    for left, top, text in page:
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode("cp1252")
        lines.append(b"BT /F1 9 Tf %.1f %.1f Td (%s) Tj ET" % (left, 842 - top, escaped))
    return b"\n".join(lines)


def _document(objects: list[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def write_pdf(path: Path, *pages: Iterable[Placed]) -> Path:
    path.write_bytes(pdf_bytes(pages))
    return path


def write_kros_print(
    path: Path, bill: GivenBill, *, numbers: Mapping[str, str] | None = None, beside: bool = False
) -> Path:
    """As KROS prints: covers, then a sheet an object, its positions in boxes. `numbers` printed instead of others;
    `beside`: an object's name stands in the line of its label, not below."""
    pages = [f"Náklady z rozpočtů #h(1fr) {_money(bill.total)} {_money(bill.total * 121 / 100)}"]
    for obj in bill.objects:
        head = f"Objekt: {'' if beside else chr(92)} {obj.code} - {obj.name}"
        pages.append(f"{head} \\ Náklady ze soupisu prací #h(1fr) {_money(_sum(obj))}")
        pages.append("\n".join((head, _TITLES, *_sheet(obj, numbers or {}))))
    body = "\n#pagebreak()\n".join(pages)
    path.write_bytes(typst.compile(f"{_SETTINGS}\n{body}".encode()))
    return path


_SETTINGS = """#set page(width: 595pt, height: 500pt, margin: 28pt)
#set page(footer: context [#h(1fr) Strana #counter(page).display() z 9])
#set text(size: 7pt)
#set par(spacing: 6pt)
#let columns = (16pt, 16pt, 64pt, 190pt, 30pt, 50pt, 60pt, 80pt)
#let titles(..cells) = block(fill: luma(210), grid(columns: columns, align: center, inset: 3pt, ..cells))
#let position(..cells) = table(columns: columns, align: horizon, stroke: 0.5pt, inset: 2pt, ..cells)
#let line(size: 6pt, ..cells) = text(size: size, grid(columns: columns, align: horizon, inset: (x: 2pt), ..cells))
#let section(code, name, sum) = block[#place(dx: 18pt, dy: 3pt, text(size: 6pt)[D])#text(size: 9pt, grid(
  columns: (32pt, 64pt, 330pt, 80pt), inset: (x: 2pt), [], [#code], [#name], align(right)[#sum]))]"""
_TITLES = "#titles([PČ], [Typ], [Kód], [Popis], [MJ], [Množství], [J.cena [CZK]], [Cena celkem [CZK]])"


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _sum(obj: GivenObject) -> Decimal:
    return sum((position.total for section in obj.sections for position in section.positions), Decimal(0))


def _sheet(obj: GivenObject, numbers: Mapping[str, str]) -> Iterator[str]:
    yield f"Náklady soupisu celkem #h(1fr) {_money(_sum(obj))}\n"
    for section in obj.sections:
        total = sum((position.total for position in section.positions), Decimal(0))
        yield f"#section([{section.code}], [{section.name}], [{_money(total)}])"
        for p in section.positions:
            kind, price = "M" if p.is_material else "K", "" if p.unit_price is None else f"{p.unit_price:,.2f}"
            number = numbers.get(p.number, p.number)
            cells = [number, kind, p.code, p.description, p.unit, f"{p.quantity:,.3f}", price, _money(p.total)]
            yield f"#position({', '.join(f'[{cell}]' for cell in cells)})"
            if p.note:
                yield f"#line([], [P], [], [{p.note}])"
            for line in p.measure:
                text = line.text.replace("*", "\\*")
                yield f"#line([], [VV], [], [{text}], [], [{line.value:,.3f}])"
