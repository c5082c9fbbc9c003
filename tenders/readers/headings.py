"""Which column of a table is which, told from its heading."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rapidfuzz.distance import Levenshtein

FIELDS = (
    "number", "title", "description", "buyer", "country", "cpv", "value", "currency",
    "published", "deadline", "url", "language", "status", "region",
)  # fmt: skip
# Headings as they are met, compared without case, spaces and punctuation. The first of a row's columns that fits a
# field is taken.
SYNONYMS: dict[str, list[str]] = {
    "number": [
        "ocid",
        "referencenumber",
        "reference",
        "noticeid",
        "noticenumber",
        "tenderid",
        "id",
        "číslo",
        "číslozakázky",
        "evidenčníčíslo",
        "numero",
        "número",
        "expediente",
        "nummer",
        "vergabenummer",
        "الرقمالمرجعي",
        "رقمالمنافسة",
    ],
    "title": [
        "title",
        "tendertitle",
        "name",
        "subject",
        "tenderdescription",
        "název",
        "názevzakázky",
        "titulo",
        "título",
        "objeto",
        "titel",
        "bezeichnung",
        "اسمالمنافسة",
        "العنوان",
    ],
    "description": [
        "description",
        "proposalobjectives",
        "scope",
        "summary",
        "details",
        "popis",
        "předmět",
        "descripción",
        "descrição",
        "beschreibung",
        "الوصف",
        "الغرضمنالمنافسة",
    ],
    "buyer": [
        "buyer",
        "buyername",
        "organization",
        "organisation",
        "authority",
        "contractingauthority",
        "agency",
        "zadavatel",
        "entidad",
        "adjudicante",
        "auftraggeber",
        "vergabestelle",
        "الجهة",
        "الجهةالحكومية",
    ],
    "country": ["country", "countrycode", "země", "stát", "país", "land", "الدولة"],
    "cpv": ["cpv", "cpvcode", "cpvcodes", "maincpv", "kódcpv", "códigocpv"],
    "value": [
        "value",
        "amount",
        "estimatedvalue",
        "totalvalue",
        "hodnota",
        "předpokládanáhodnota",
        "importe",
        "valor",
        "presupuesto",
        "wert",
        "auftragswert",
        "القيمة",
    ],
    "currency": ["currency", "měna", "moneda", "moeda", "währung", "العملة"],
    "published": [
        "publicationdate",
        "published",
        "publisheddate",
        "dateposted",
        "datumuveřejnění",
        "uveřejněno",
        "fechadepublicación",
        "datadepublicação",
        "veröffentlicht",
        "تاريخالنشر",
    ],
    "deadline": [
        "proposalsdeadline",
        "deadline",
        "closingdate",
        "submissiondeadline",
        "tenderdeadline",
        "duedate",
        "lhůtapropodánínabídek",
        "lhůtapronabídky",
        "fechalímite",
        "prazo",
        "abgabefrist",
        "آخرموعدلتقديمالعروض",
    ],
    "url": ["url", "link", "noticeurl", "website", "odkaz", "enlace", "الرابط"],
    "language": ["language", "lang", "jazyk", "idioma", "sprache"],
    "status": ["status", "stav", "estado", "zustand", "الحالة"],
    "region": ["region", "place", "location", "místo", "kraj", "región", "ort", "المنطقة"],
}


def suggested(headings: Sequence[str]) -> dict[str, str]:
    """Field to heading, by name alone; a heading serves one field."""
    free = {re.sub(r"[\W_]+", "", heading.casefold()): heading for heading in reversed(headings) if heading}
    found: dict[str, str] = {}
    for slips in (0, 1):  # what is spelled right goes before what is nearly so
        for field, names in SYNONYMS.items():
            key = None if field in found else next((key for name in names if (key := _like(name, free, slips))), None)
            if key:
                found[field] = free.pop(key)
    return found


def _like(name: str, keys: Mapping[str, str], slips: int) -> str | None:
    """The heading's key that is this name, or one letter off: a publisher has "PrposalsDeadline"."""
    if not slips or len(name) < 8:
        return name if name in keys and not slips else None
    return next((key for key in keys if Levenshtein.distance(name, key, score_cutoff=slips) <= slips), None)
