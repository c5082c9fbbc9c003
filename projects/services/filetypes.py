"""What a file is, by its first bytes; names lie (real tenders carry xlsx files named .XLS)."""

from __future__ import annotations

from ..ifc.container import is_model

MODEL = "ifc"  # plain or packed
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SIGNATURES = (
    (b"%PDF-", "pdf", "application/pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "application/x-ole-storage"),
    (b"\x89PNG", "png", "image/png"),
    (b"\xff\xd8\xff", "jpeg", "image/jpeg"),
    (b"AC10", "dwg", "image/vnd.dwg"),
)
PACKAGES = (
    (b"xl/", "xlsx", SPREADSHEET),
    (b"word/", "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"opendocument.spreadsheet", "ods", "application/vnd.oasis.opendocument.spreadsheet"),
)


def file_type_of(head: bytes) -> tuple[str, str]:
    """(short type, MIME type) from the first 4 KiB or so; ("other", "application/octet-stream") when nothing fits."""
    if is_model(head):
        return MODEL, "application/x-step"
    for signature, name, mime in SIGNATURES:
        if head.startswith(signature):
            return name, mime
    if head.startswith(b"PK\x03\x04"):
        return next(((name, mime) for mark, name, mime in PACKAGES if mark in head), ("zip", "application/zip"))
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<"):
        return "xml", "application/xml"
    if text.startswith((b"{", b"[")):
        return "json", "application/json"
    is_utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if text and (is_utf16 or not any(byte < 9 for byte in head)):
        return "csv", "text/csv"
    return "other", "application/octet-stream"
