"""Notices as publishers write them, made for tests."""

from __future__ import annotations

import json
from typing import Any


def given_release(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An OCDS 1.1 release of a road tender; `changes` replace its parts, and those of `tender`."""
    tender = {
        "id": f"T-{number}",
        "title": f"Resurfacing of road II/{number}",
        "description": "Milling and a new wearing course over 3.2 km. Works in two stages.",
        "status": "active",
        "classification": {"scheme": "CPV", "id": "45233220-7", "description": "Surface work for roads"},
        "value": {"amount": 1250000.5, "currency": "CZK"},
        "procurementMethod": "open",
        "mainProcurementCategory": "works",
        "tenderPeriod": {"endDate": "2026-12-01T10:00:00+01:00"},
    }
    release = {
        "ocid": f"ocds-test-{number}",
        "id": f"ocds-test-{number}-1",
        "date": "2026-11-01T08:00:00Z",
        "tag": ["tender"],
        "language": "en",
        "parties": [
            {"id": "B1", "name": "County of Vysočina", "roles": ["buyer"], "address": {"countryName": "Czechia"}}
        ],
        "buyer": {"id": "B1", "name": "County of Vysočina"},
        "tender": tender | changes.pop("tender", {}),
    }
    return release | changes


def lines_of(*releases: Any) -> bytes:
    return b"".join(json.dumps(release).encode() + b"\n" for release in releases)


def package_of(*releases: Any) -> bytes:
    return json.dumps({"version": "1.1", "publisher": {"name": "Test"}, "releases": list(releases)}, indent=1).encode()


EFORMS = """<?xml version="1.0" encoding="UTF-8"?>
<ContractNotice xmlns="urn:oasis:names:specification:ubl:schema:xsd:ContractNotice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
 xmlns:efac="http://data.europa.eu/p27/eforms-ubl-extension-aggregate-components/1"
 xmlns:efbc="http://data.europa.eu/p27/eforms-ubl-extension-basic-components/1"
 xmlns:ext="urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2">
 <ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent>
  <efac:Organizations><efac:Organization><efac:Company>
   <cac:PartyIdentification><cbc:ID>ORG-0001</cbc:ID></cac:PartyIdentification>
   <cac:PartyName><cbc:Name languageID="CES">Město Jihlava</cbc:Name></cac:PartyName>
   <cac:PostalAddress><cbc:CountrySubentityCode>CZ063</cbc:CountrySubentityCode>
    <cac:Country><cbc:IdentificationCode>CZE</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
  </efac:Company></efac:Organization></efac:Organizations>
  <efac:Publication><efbc:NoticePublicationID>00123456-2026</efbc:NoticePublicationID></efac:Publication>
 </ext:ExtensionContent></ext:UBLExtension></ext:UBLExtensions>
 <cbc:ID schemeName="notice-id">{notice}</cbc:ID>
 <cbc:ContractFolderID>folder-1</cbc:ContractFolderID>
 <cbc:IssueDate>2026-11-02+01:00</cbc:IssueDate><cbc:IssueTime>09:00:00+01:00</cbc:IssueTime>
 <cbc:VersionID>01</cbc:VersionID><cbc:NoticeLanguageCode>CES</cbc:NoticeLanguageCode>
 <cac:ContractingParty><cac:Party><cac:PartyIdentification><cbc:ID>ORG-0001</cbc:ID></cac:PartyIdentification></cac:Party>
 </cac:ContractingParty>
 <cac:TenderingProcess><cbc:ProcedureCode>open</cbc:ProcedureCode></cac:TenderingProcess>
 <cac:ProcurementProject><cbc:Name>Most přes Jihlavu</cbc:Name><cbc:Description>Rekonstrukce mostu.</cbc:Description>
  <cbc:ProcurementTypeCode>works</cbc:ProcurementTypeCode>
  <cac:MainCommodityClassification><cbc:ItemClassificationCode>45221100</cbc:ItemClassificationCode>
  </cac:MainCommodityClassification></cac:ProcurementProject>
 <cac:ProcurementProjectLot><cbc:ID>LOT-0001</cbc:ID>
  <cac:TenderingProcess><cac:TenderSubmissionDeadlinePeriod><cbc:EndDate>2026-12-10+01:00</cbc:EndDate>
   <cbc:EndTime>12:00:00+01:00</cbc:EndTime></cac:TenderSubmissionDeadlinePeriod></cac:TenderingProcess>
  <cac:ProcurementProject><cbc:Name>Most</cbc:Name><cac:RequestedTenderTotal>
   <cbc:EstimatedOverallContractAmount currencyID="CZK">4200000</cbc:EstimatedOverallContractAmount>
  </cac:RequestedTenderTotal></cac:ProcurementProject></cac:ProcurementProjectLot>
</ContractNotice>"""


def eforms_notice(notice: str = "n-1") -> bytes:
    return EFORMS.replace("{notice}", notice).encode()
