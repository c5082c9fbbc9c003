"""Printed bills of our own: words put on pages, as programs do, and pages with a picture only."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

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
