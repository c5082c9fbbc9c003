"""Notices of the EU's eForms (UBL 2.3 and its extensions), as TED publishes them: one notice a file.

Written as an OCDS release, with the paths that OCDS' own guide to eForms maps, so that search, comparison and scoring
know one shape only. What nobody here searches is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from lxml import etree

from .notice import Rejected, Release
from .streams import Source
from .texts import text_of

NS = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "efac": "http://data.europa.eu/p27/eforms-ubl-extension-aggregate-components/1",
    "efbc": "http://data.europa.eu/p27/eforms-ubl-extension-basic-components/1",
}
ROOTS = ("ContractNotice", "ContractAwardNotice", "PriorInformationNotice", "BusinessRegistrationInformationNotice")
TAGS = {"ContractNotice": "tender", "ContractAwardNotice": "award", "PriorInformationNotice": "planning"}
CATEGORIES = {"works": "works", "supplies": "goods", "services": "services"}
PROCEDURES = {
    "open": "open",
    "restricted": "selective",
    "comp-dial": "selective",
    "comp-tend": "selective",
    "innovation": "selective",
    "neg-w-call": "selective",
    "neg-wo-call": "limited",
    "oth-single": "selective",
    "oth-mult": "selective",
}
LARGEST = 32 * 1024 * 1024
Element = Any


def read_notice(source: Source) -> Iterator[Release | Rejected]:
    text = b""
    while more := source.read(1024 * 1024):
        text += more
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        yield Rejected(1, f"The XML is faulty: {str(error)[:200]}", raw=_start(text), is_end=True)
        return
    if cast(Any, root.getroottree().docinfo).doctype:
        # Nothing of it was resolved; a notice has none, and what its entities stood for is missing.
        yield Rejected(1, "The XML declares a document type or entities, which no notice does.", raw=_start(text))
        return
    yield release_of(root, text)


def release_of(root: Element, text: bytes = b"") -> Release | Rejected:
    kind = etree.QName(root).localname
    if kind not in ROOTS:
        return Rejected(1, f"<{kind}> is no eForms notice (expected {', '.join(ROOTS[:3])}).", raw=_start(text))
    notice_id = _text(root, "cbc:ID[@schemeName='notice-id']") or _text(root, "cbc:ID")
    key = _text(root, "cbc:ContractFolderID") or notice_id
    if not key:
        return Rejected(1, "It has neither a procedure's nor a notice's number.", raw=_start(text))
    version = _text(root, "cbc:VersionID") or "01"
    date = _moment(_text(root, "cbc:IssueDate"), _text(root, "cbc:IssueTime"))
    change = _text(root, ".//efac:Changes/efbc:ChangedNoticeIdentifier")
    tag = TAGS.get(kind, "planning") + ("Update" if change else "")
    return Release(key, f"{notice_id or key}-{version}", date, (tag,), _raw(root, key, notice_id, version, date, tag))


def _raw(root: Element, key: str, notice_id: str, version: str, date: str, tag: str) -> dict[str, Any]:
    parties, buyer = _parties(root), _buyer_id(root)
    project = root.find("cac:ProcurementProject", NS)
    release: dict[str, Any] = {
        "ocid": key,
        "id": f"{notice_id or key}-{version}",
        "date": date,
        "tag": [tag],
        "language": _text(root, "cbc:NoticeLanguageCode"),
        "parties": parties,
        "buyer": next(({"id": p["id"], "name": p["name"]} for p in parties if p["id"] == buyer), {}),
        "tender": _tender(root, project, key),
        "publication": {
            "number": _text(root, ".//efac:Publication/efbc:NoticePublicationID").lstrip("0"),
            "date": _text(root, ".//efac:Publication/efbc:PublicationDate"),
            "changedNotice": _text(root, ".//efac:Changes/efbc:ChangedNoticeIdentifier"),
        },
    }
    number = release["publication"]["number"]
    if number:
        release["url"] = f"https://ted.europa.eu/en/notice/-/detail/{number}"
    return release


def _tender(root: Element, project: Element, key: str) -> dict[str, Any]:
    process = root.find("cac:TenderingProcess", NS)
    lots = [_lot(lot) for lot in root.findall("cac:ProcurementProjectLot", NS)]
    tender: dict[str, Any] = {
        "id": key,
        "title": _text(project, "cbc:Name"),
        "description": _text(project, "cbc:Description"),
        "status": "planned" if etree.QName(root).localname == "PriorInformationNotice" else "active",
        "procurementMethod": PROCEDURES.get(_text(process, "cbc:ProcedureCode"), ""),
        "procurementMethodDetails": _text(process, "cbc:ProcedureCode"),
        "mainProcurementCategory": CATEGORIES.get(_text(project, "cbc:ProcurementTypeCode"), ""),
        "classification": _classification(project, "cac:MainCommodityClassification"),
        "additionalClassifications": _additional(project),
        "items": _places(root),
        "lots": [lot for lot, _ in lots],
        "documents": _documents(root),
    }
    value = _money(project, "cac:RequestedTenderTotal/cbc:EstimatedOverallContractAmount")
    if value:
        tender["value"] = value
    deadlines = [deadline for _, deadline in lots if deadline]
    if deadlines:
        tender["tenderPeriod"] = {"endDate": min(deadlines)}  # the first lot's: whoever wants all must keep that
    return {name: content for name, content in tender.items() if content not in ("", [], {}, None)}


def _lot(element: Element) -> tuple[dict[str, Any], str]:
    """(lot, its deadline)."""
    project = element.find("cac:ProcurementProject", NS)
    lot: dict[str, Any] = {
        "id": _text(element, "cbc:ID"),
        "title": _text(project, "cbc:Name"),
        "description": _text(project, "cbc:Description"),
        "classification": _classification(project, "cac:MainCommodityClassification"),
        "additionalClassifications": _additional(project),
    }
    value = _money(project, "cac:RequestedTenderTotal/cbc:EstimatedOverallContractAmount")
    if value:
        lot["value"] = value
    deadline = ""
    for name in ("TenderSubmissionDeadlinePeriod", "ParticipationRequestReceptionPeriod"):
        period = f"cac:TenderingProcess/cac:{name}"
        deadline = deadline or _moment(_text(element, f"{period}/cbc:EndDate"), _text(element, f"{period}/cbc:EndTime"))
    return {name: content for name, content in lot.items() if content not in ("", [], {})}, deadline


def _moment(date: str, time: str) -> str:
    """eForms states the zone with both: "2023-04-26+02:00" and "12:00:00+02:00" are "2023-04-26T12:00:00+02:00"."""
    if not date:
        return ""
    day, zone = date[:10], date[10:]
    if not time:
        return f"{day}T23:59:59{zone}" if zone else day  # open until the day's end
    return f"{day}T{time}" if time[8:].strip(".0123456789") else f"{day}T{time}{zone}"


def _parties(root: Element) -> list[dict[str, Any]]:
    buyer, parties = _buyer_id(root), []
    for company in root.findall(".//efac:Organizations/efac:Organization/efac:Company", NS):
        key = _text(company, "cac:PartyIdentification/cbc:ID")
        parties.append(
            {
                "id": key,
                "name": _text(company, "cac:PartyName/cbc:Name"),
                "identifier": {"id": _text(company, "cac:PartyLegalEntity/cbc:CompanyID")},
                "address": {
                    "locality": _text(company, "cac:PostalAddress/cbc:CityName"),
                    "region": _text(company, "cac:PostalAddress/cbc:CountrySubentityCode"),
                    "country": _text(company, "cac:PostalAddress/cac:Country/cbc:IdentificationCode"),
                },
                "roles": ["buyer"] if key == buyer else [],
            }
        )
    return parties


def _buyer_id(root: Element) -> str:
    return _text(root, "cac:ContractingParty/cac:Party/cac:PartyIdentification/cbc:ID")


def _classification(project: Element, path: str) -> dict[str, str]:
    code = _text(project, f"{path}/cbc:ItemClassificationCode")
    return {"scheme": "CPV", "id": code} if code else {}


def _additional(project: Element) -> list[dict[str, str]]:
    if project is None:
        return []
    codes = project.findall("cac:AdditionalCommodityClassification/cbc:ItemClassificationCode", NS)
    return [{"scheme": "CPV", "id": text_of(code.text)} for code in codes if text_of(code.text)]


def _places(root: Element) -> list[dict[str, Any]]:
    """One item for each place of performance, as OCDS has them."""
    found: dict[str, None] = {}
    for path in ("cac:ProcurementProject", "cac:ProcurementProjectLot/cac:ProcurementProject"):
        for project in root.findall(path, NS):
            for address in project.findall("cac:RealizedLocation/cac:Address", NS):
                found[_text(address, "cbc:CountrySubentityCode")] = None
    places = [region for region in found if region]
    return [{"id": str(n), "deliveryAddress": {"region": region}} for n, region in enumerate(places, 1)]


def _documents(root: Element) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    path = ".//cac:CallForTendersDocumentReference"
    for reference in root.findall(path, NS):
        url = _text(reference, "cac:Attachment/cac:ExternalReference/cbc:URI")
        if url:
            number = _text(reference, "cbc:ID")
            found.setdefault(url, {"id": number, "documentType": "biddingDocuments", "title": number, "url": url})
    return list(found.values())


def _money(project: Element, path: str) -> dict[str, str] | None:
    element = None if project is None else project.find(path, NS)
    if element is None or not text_of(element.text):
        return None
    return {"amount": text_of(element.text), "currency": element.get("currencyID", "")}


def _text(element: Element, path: str) -> str:
    """The text at the path; of several languages the first, which is the notice's own."""
    found = None if element is None else element.find(path, NS)
    return "" if found is None else text_of(found.text)


def _start(text: bytes) -> str:
    return text[:4000].decode("utf-8", "replace").replace("\x00", "")
