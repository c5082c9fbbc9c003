"""The searched fields of an OCDS release (1.0 or 1.1, compiled or not), and of the releases that other readers make.

Publishers leave out what the standard asks for; each field falls back to the next best place, and says so in `flags`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from . import notice as flags
from .notice import Document, Lot, Notice
from .places import country_of, language_of
from .texts import LONGEST_TITLE, amount_of, cpv_of, currency_of, first_sentence, moment_of, text_of

Json = dict[str, Any]
FARTHEST = timedelta(days=5 * 366)
MOST_DOCUMENTS = 200
MOST_LOTS = 200
NOTICES = ("tenderNotice", "awardNotice", "contractNotice")


def notice_of(release: Json) -> Notice:
    """Never raises for data of the wrong shape: what can't be read is as if it were left out."""
    tender, found = _dict(release.get("tender")), list[str]()
    parts = _Parts(release, tender)
    description = text_of(tender.get("description")) or text_of(release.get("description"))
    title = _title(release, tender, description, found)
    if _is_test(title):
        found.append(flags.TEST_NOTICE)
    cpv, unspsc = _codes(tender, parts)
    amount, currency = _value(release, tender, parts)
    published_at = moment_of(tender.get("datePublished"))[0] or moment_of(release.get("date"))[0]
    deadline_at, has_zone = moment_of(_dict(tender.get("tenderPeriod")).get("endDate"))
    if deadline_at and not has_zone:
        found.append(flags.DEADLINE_WITHOUT_ZONE)
    if deadline_at and published_at and deadline_at - published_at > FARTHEST:
        found.append(flags.DEADLINE_SUSPICIOUS)
    buyer_name, buyer_id, address = _buyer(release, tender)
    return Notice(
        title,
        description,
        language_of(text_of(release.get("language"))),
        country_of(text_of(address.get("countryName")) or text_of(address.get("country"))),
        buyer_name,
        buyer_id,
        status=text_of(tender.get("status"), longest=40),
        procedure=text_of(tender.get("procurementMethod"), longest=40),
        category=text_of(tender.get("mainProcurementCategory"), longest=40),
        cpv_main=cpv[0] if cpv else "",
        cpv_codes=cpv,
        unspsc_codes=unspsc,
        value_amount=amount,
        value_currency=currency,
        published_at=published_at,
        deadline_at=deadline_at,
        url=_url(release, tender, parts),
        regions=_regions(parts, address),
        documents=_documents(release, tender, parts),
        lots=_lots(parts) if parts.lots else (),
        flags=tuple(found),
    )


class _Parts:
    """Lists that several fields are looked for in; most releases have none of them."""

    __slots__ = ("awards", "contracts", "items", "lots")

    def __init__(self, release: Json, tender: Json) -> None:
        self.items, self.lots = _dicts(tender.get("items")), _dicts(tender.get("lots"))
        self.awards, self.contracts = _dicts(release.get("awards")), _dicts(release.get("contracts"))


def _title(release: Json, tender: Json, description: str, found: list[str]) -> str:
    title = text_of(tender.get("title"), longest=LONGEST_TITLE) or text_of(release.get("title"), longest=LONGEST_TITLE)
    if title:
        return title
    if description:
        found.append(flags.TITLE_FROM_DESCRIPTION)
        return first_sentence(description)
    rationale = text_of(_dict(release.get("planning")).get("rationale"))
    if rationale:
        found.append(flags.TITLE_FROM_RATIONALE)
        return first_sentence(rationale)
    for part in (*_dicts(release.get("awards")), *_dicts(release.get("contracts"))):
        title = text_of(part.get("title"), longest=LONGEST_TITLE) or first_sentence(text_of(part.get("description")))
        if title:
            found.append(flags.TITLE_FROM_DESCRIPTION)
            return title
    found.append(flags.TITLE_MISSING)
    return f"Untitled notice {text_of(release.get('ocid') or release.get('id'), longest=200)}".strip()


def _is_test(title: str) -> bool:
    folded = title.casefold()
    if "test" not in folded:
        return False
    words = folded.split()
    return words[:2] == ["test", "notice"] or words == ["test"] or "test notice" in " ".join(words)


def _codes(tender: Json, parts: _Parts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(CPV, UNSPSC): of the tender, then of its items and lots, then of awards and contracts; each once."""
    cpv: dict[str, None] = {}
    unspsc: dict[str, None] = {}
    for classification in _classifications(tender, parts):
        scheme = text_of(classification.get("scheme")).upper()
        if scheme in ("CPV", "EU-CPV", ""):
            code = cpv_of(classification.get("id"))
            if code:
                cpv[code] = None
        elif scheme == "UNSPSC":
            code = text_of(classification.get("id"), longest=20)
            if code:
                unspsc[code] = None
    return tuple(cpv), tuple(unspsc)


def _classifications(tender: Json, parts: _Parts) -> list[Json]:
    found = [_dict(tender.get("classification")), *_dicts(tender.get("additionalClassifications"))]
    holders = parts.items + parts.lots
    for part in parts.awards + parts.contracts:
        holders += _dicts(part.get("items"))
    for item in holders:
        found.append(_dict(item.get("classification")))
    for item in holders:
        found += _dicts(item.get("additionalClassifications"))
    return found


def _value(release: Json, tender: Json, parts: _Parts) -> tuple[Decimal | None, str]:
    """The estimate of the tender, else of the plan; else the sum of its lots or awards, if all are in one currency."""
    for value in _stated_values(release, tender):
        amount = amount_of(value.get("amount"))
        if amount is not None:
            return amount, currency_of(value.get("currency"))
    for holders in (parts.lots, parts.awards):
        values = [_dict(part.get("value")) for part in holders]
        amounts = [amount for value in values if (amount := amount_of(value.get("amount"))) is not None]
        currencies = {currency_of(value.get("currency")) for value in values if value}
        if amounts and len(currencies) == 1:
            return sum(amounts, Decimal(0)), currencies.pop()
    return None, ""


def _stated_values(release: Json, tender: Json) -> Iterator[Json]:
    for name in ("value", "maxValue", "minValue"):
        yield _dict(tender.get(name))
    yield _dict(_dict(_dict(release.get("planning")).get("budget")).get("amount"))


def _buyer(release: Json, tender: Json) -> tuple[str, str, Json]:
    """(name, id, address). In 1.1 the buyer refers to a party; in 1.0 it is the organisation itself."""
    parties = _dicts(release.get("parties"))
    for role in ("buyer", "procuringEntity"):
        buyer = _dict(release.get("buyer") if role == "buyer" else tender.get("procuringEntity"))
        party = _party(parties, buyer.get("id"), role)
        name = text_of(buyer.get("name"), longest=300) or text_of(party.get("name"), longest=300)
        if name:
            address = _dict(party.get("address")) or _dict(buyer.get("address"))
            key = text_of(buyer.get("id") or party.get("id"), longest=200)
            return name, key or text_of(_dict(buyer.get("identifier")).get("id"), longest=200), address
    return "", "", {}


def _party(parties: list[Json], key: Any, role: str) -> Json:
    """Of this id, else of this role."""
    if key is not None:
        for party in parties:
            if party.get("id") == key:
                return party
    for party in parties:
        if role in _list(party.get("roles")):
            return party
    return {}


def _url(release: Json, tender: Json, parts: _Parts) -> str:
    """Where a person reads the notice: its document of that kind, else the first page among the documents."""
    documents = _dicts(tender.get("documents")) + _dicts(release.get("documents"))
    for award in parts.awards:
        documents += _dicts(award.get("documents"))
    page = ""
    for document in documents:
        is_notice = text_of(document.get("documentType")) in NOTICES
        if is_notice or (not page and text_of(document.get("format")) == "text/html"):
            url = _link(document.get("url"))
            if url and is_notice:
                return url
            page = page or url
    return _link(release.get("url")) or page


def _link(value: Any) -> str:
    """Only what a browser may safely follow."""
    url = text_of(value)
    return url if url[:8].lower().startswith(("https://", "http://")) and len(url) <= 1000 else ""


def _regions(parts: _Parts, address: Json) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in parts.items:
        for place in (*_dicts(item.get("deliveryAddresses")), _dict(item.get("deliveryAddress"))):
            found[text_of(place.get("region"), longest=100)] = None
    found[text_of(address.get("region"), longest=100)] = None
    found.pop("", None)
    return tuple(found)


def _documents(release: Json, tender: Json, parts: _Parts) -> tuple[Document, ...]:
    documents = _dicts(tender.get("documents")) + _dicts(_dict(release.get("planning")).get("documents"))
    for part in parts.awards + parts.contracts:
        documents += _dicts(part.get("documents"))
    found: dict[str, Document] = {}
    for document in documents:
        url = _link(document.get("url"))
        if url and url not in found and len(found) < MOST_DOCUMENTS:
            title = text_of(document.get("title"), longest=300) or text_of(document.get("description"), longest=300)
            found[url] = Document(
                title or url,
                url,
                text_of(document.get("format"), longest=100),
                text_of(document.get("documentType"), longest=100),
            )
    return tuple(found.values())


def _lots(parts: _Parts) -> tuple[Lot, ...]:
    found = []
    for number, lot in enumerate(parts.lots[:MOST_LOTS], 1):
        value = _dict(lot.get("value"))
        found.append(
            Lot(
                text_of(lot.get("id"), longest=100) or str(number),
                text_of(lot.get("title"), longest=LONGEST_TITLE),
                text_of(lot.get("description"), longest=5000),
                amount_of(value.get("amount")),
                currency_of(value.get("currency")),
            )
        )
    return tuple(found)


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[Json]:
    if not value or not isinstance(value, list):
        return []
    return [each for each in value if isinstance(each, dict)]
