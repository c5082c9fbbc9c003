"""Formats we know and can't read yet: named, with what to do instead. A wrong guess costs more than a refusal."""

from __future__ import annotations

import re

from projects.parsers.bill import ParseError
from projects.parsers.filehead import FileHead
from projects.parsers.safexml import refuse_doctype

_DXF = re.compile(r"(?:\s*999\s*\n[^\n]*\n)*\s*0\s*\n\s*SECTION\s*\n")
# Elements known from such files: the form has no published description to read a whole bill by
_XC4_PRICE_LIST = re.compile(r"<(?:\w+:)?CenoveSoustavy\b", re.IGNORECASE)
_XC4_BILL = re.compile(r"<(?:\w+:)?objekty?\b", re.IGNORECASE)
_XC4_INSIDE = re.compile(r"<(?:\w+:)?XC4\b|<zdroj>\s*AspeEsticon\b", re.IGNORECASE)
_XLSX = "Export the bill from its program as xlsx, or as uniXML or GAEB DA XML, and upload that."


def refuse_unreadable(head: FileHead) -> None:
    """Raises ParseError for a file that is empty, no bill, or in a known format that has no reader yet."""
    if head.kind == "empty":
        raise ParseError(f"The file '{head.filename}' is empty. Upload it again.", code="empty_file")
    if head.first[:4] == b"AC10" and head.first[4:6].isdigit():
        raise _drawing("a drawing (DWG)")
    if head.kind == "cfb":
        _refuse_compound(head)
    if head.kind == "zip":
        _refuse_zip(head)
    if head.kind == "xml":
        refuse_doctype(head.xml)
        _refuse_xml(head)
    if head.kind == "text":
        _refuse_text(head)
    if head.kind == "binary":
        raise ParseError(
            f"'{head.filename}' is not a bill of quantities in any known format. Upload an xlsx, xls, ods, csv, "
            "uniXML, GAEB DA XML or positions.json.",
            code="unknown_dialect",
        )


def _not_yet(what: str, advice: str) -> ParseError:
    return ParseError(f"This is {what}, which is not supported yet. {advice}", code="unsupported_dialect")


def _model() -> ParseError:
    return ParseError(
        "This is a building model (IFC), not a bill. Upload it as .ifc to a project whose quantities come from "
        "drawings: positions are made from its elements there.",
        code="unsupported_dialect",
    )


def _drawing(what: str) -> ParseError:
    return ParseError(
        f"This is {what}: lines without quantities, from which no bill can be read. Upload the bill of quantities made "
        "from it, or export the building model as IFC and upload that.",
        code="unsupported_dialect",
    )


def _refuse_compound(head: FileHead) -> None:
    if "EncryptedPackage" in head.compound.names:
        raise ParseError(
            "The workbook is protected by a password. Save it without one and upload it again.", code="encrypted"
        )
    if "WordDocument" in head.compound.names:
        raise ParseError("This is a Word document, not a workbook. " + _XLSX, code="not_a_workbook")
    if not head.is_xls:
        raise ParseError(
            f"'{head.filename}' is an older Office file without a workbook in it. {_XLSX}", code="not_a_workbook"
        )


def _refuse_zip(head: FileHead) -> None:
    members = head.members
    if "word/document.xml" in members:
        raise ParseError(
            f"'{head.filename}' is a Word document (docx), whatever its name says, not a workbook. {_XLSX}",
            code="not_a_workbook",
        )
    if "ppt/presentation.xml" in members:
        raise ParseError(f"'{head.filename}' is a presentation, not a workbook. {_XLSX}", code="not_a_workbook")
    if "xl/workbook.bin" in members:
        raise _not_yet("a binary workbook (.xlsb)", "Open it in a spreadsheet program and save it as .xlsx.")
    if not head.is_workbook:
        raise ParseError(
            f"'{head.filename}' is a zip archive, not a workbook. Unpack it and upload the bill itself.",
            code="not_a_workbook",
        )


def _refuse_xml(head: FileHead) -> None:
    root = head.xml.root.lower()
    if root.startswith("xc4") or "xc4" in head.xml.namespace.lower() or _XC4_INSIDE.search(head.text):
        _refuse_xc4(head)
    if root == "ifcxml":
        raise _model()
    if root in ("html", "svg"):
        raise ParseError(f"'{head.filename}' is a web page or a picture, not a bill. {_XLSX}", code="unknown_dialect")


def _refuse_xc4(head: FileHead) -> None:
    """One root for bills and for price lists: a price list's codes and prices would look like positions."""
    if _XC4_PRICE_LIST.search(head.text) and not _XC4_BILL.search(head.text):
        raise ParseError(
            "This is an XC4 file that carries a price list (CenoveSoustavy), not a bill of quantities: codes and "
            "prices, no quantities. Upload the bill itself. Staff import price lists as csv or xlsx.",
            code="unsupported_dialect",
        )
    raise _not_yet("an XC4 file", "Export the bill from Aspe as xlsx (form SŽDC05), or as uniXML 1.2.")


def _refuse_text(head: FileHead) -> None:
    text = head.text.lstrip()
    if text.startswith("ISO-10303-21"):
        raise _model()
    if _DXF.match(text):
        raise _drawing("a drawing (DXF)")
    if text.startswith(("#begin[GAEB]", "#begin[")):
        raise _not_yet("a GAEB 2000 file", "Export it as GAEB DA XML (X83, X84, X86).")
    if _is_gaeb_90(text):
        raise _not_yet("a GAEB 90 file", "Export it as GAEB DA XML (X83, X84, X86).")
    if text.startswith("{\\rtf"):
        raise ParseError("This is a formatted text (rtf), not a bill. " + _XLSX, code="not_a_workbook")


def _is_gaeb_90(text: str) -> bool:
    """Lines of 80 characters: a record type in the first two, a running number in the last six."""
    lines = text.splitlines()[:20]
    numbered = [line for line in lines if len(line) == 80 and line[:2].isdigit() and line[74:].strip().isdigit()]
    return len(numbered) >= 2 and lines[0][:2] in ("00", "T0", "T1")
