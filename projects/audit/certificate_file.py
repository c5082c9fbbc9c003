"""A certificate as a file: everything that one audit was given and everything it said, to be replayed anywhere.

Canonical JSON: sorted keys, numbers as text, no time, no place; packed by gzip without name and date. Prices, the file
before pricing and what files hide are in it, so neither a database nor another file is needed to do the audit again.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from projects.audit.certificate import canonical, certificate
from projects.audit.file_facts import FileFacts
from projects.audit.findings import AuditResult, Grade, Override
from projects.audit.known import decisions_json
from projects.audit.references import CatalogueEntry, HistoryEntry
from projects.audit.view import AuditPosition, BudgetView
from projects.parsers.bill import Billing, MeasureLine, PositionKind, Rounding, StatedTotal

FORMAT = "plumbline-audit-certificate/2"
PARTS = ("inputs", "given", "documents", "results")
MOST_BYTES = 2_000_000_000  # unpacked; beyond, it is no certificate of ours
_BLOCK = 1 << 20
_FIELDS = tuple(field.name for field in fields(AuditPosition) if field.name != "key")
_DECIMALS = ("quantity", "unit_price", "total", "vat_rate")


class Unreadable(Exception):
    """The file is no certificate, or it was changed; the message says which."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a file holds, checked for being whole. `results`: as it states them, canonical JSON."""

    view: BudgetView
    rules: dict[str, int]
    thresholds: dict[str, Decimal]
    precision: dict[str, Decimal]
    overrides: list[Override]
    documents: list[dict[str, str]]
    results: bytes
    sha256: str


def certificate_of(
    *, view: BudgetView, result: AuditResult, precision: Mapping[str, Decimal], overrides: Iterable[Override],
    documents: Sequence[Mapping[str, str]] = (),
) -> bytes:  # fmt: skip
    """Canonical JSON of the audit that `result` is of. `documents`: name and SHA-256 of the files in the budget."""
    parts: dict[str, Any] = {
        "inputs": inputs_json(view),
        "given": {
            "rules": result.rules,
            "thresholds": result.thresholds,
            "precision": dict(precision),
            "decisions": decisions_json(overrides),
        },
        "documents": [dict(document) for document in documents],
        "results": orjson.loads(certificate(result, view)),
    }
    sealed = {name: hashlib.sha256(canonical(part)).hexdigest() for name, part in parts.items()}
    return canonical({"format": FORMAT, "sha256": sealed, **parts})


def packed(content: bytes) -> bytes:
    """The same bytes for the same content, wherever the same zlib is; the content's SHA-256 holds everywhere."""
    return gzip.compress(content, compresslevel=6, mtime=0)


def inputs_json(view: BudgetView) -> dict[str, Any]:
    positions = [_position_json(position) for position in view.positions]
    return {"context": context_json(view.context), "fields": list(_FIELDS), "positions": positions}


def context_json(of: Mapping[str, Any]) -> dict[str, Any]:
    """`BudgetView.context` in a form that `context_from` reads again."""
    context = dict(of)
    context["figures"] = [[*name, value] for name, value in sorted(context["figures"].items())]
    for name in ("catalogue", "history"):
        if context[name] is not None:
            context[name] = {key: asdict(entry) for key, entry in context[name].items()}
    if context["blank"] is not None:
        context["blank"] = [_position_json(position) for position in context["blank"]]
    if context["file_facts"] is not None:
        context["file_facts"] = [facts.as_json() for facts in context["file_facts"]]
    context["totals"] = [asdict(total) for total in context["totals"]]
    context["rounding"] = asdict(context["rounding"])
    return context


def _position_json(position: AuditPosition) -> list[Any]:
    return [getattr(position, name) for name in _FIELDS]


def read_certificate(content: bytes) -> Certificate:
    """Packed or plain. Raises Unreadable."""
    plain = _unpacked(content)
    try:
        data = orjson.loads(plain)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"This is no certificate: {error}.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        said = data.get("format") if isinstance(data, dict) else None
        raise Unreadable(f"This is no certificate of the form {FORMAT}" + (f": it says {said!r}." if said else "."))
    for name in PARTS:
        stated = data.get("sha256", {}).get(name) if isinstance(data.get("sha256"), dict) else None
        if name not in data or hashlib.sha256(canonical(data[name])).hexdigest() != stated:
            raise Unreadable(f'The part "{name}" is not what was sealed: the file was changed or damaged.')
    try:
        return _certificate(data, hashlib.sha256(canonical(data)).hexdigest())
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Unreadable(f"The certificate can't be read: {type(error).__name__} {error}.") from error


def _unpacked(content: bytes) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    machine = zlib.decompressobj(wbits=31)
    try:
        plain = machine.decompress(content, MOST_BYTES)
    except zlib.error as error:
        raise Unreadable(f"The file is damaged: {error}.") from error
    if not machine.eof or machine.unused_data:
        raise Unreadable("The file is cut off, too large, or something was added to it.")
    return plain


def _certificate(data: dict[str, Any], sha256: str) -> Certificate:
    given, inputs = data["given"], data["inputs"]
    if inputs["fields"] != list(_FIELDS):
        raise Unreadable("The certificate describes positions as another release does; replay it there.")
    return Certificate(
        view=BudgetView(
            [_position(row, str(n)) for n, row in enumerate(inputs["positions"])], **context_from(inputs["context"])
        ),
        rules={str(rule_id): int(version) for rule_id, version in given["rules"].items()},
        thresholds={name: Decimal(value) for name, value in given["thresholds"].items()},
        precision={name: Decimal(value) for name, value in given["precision"].items()},
        overrides=overrides_from(given["decisions"]),
        documents=data["documents"],
        results=canonical(data["results"]),
        sha256=sha256,
    )


def overrides_from(rows: Iterable[Sequence[str | None]]) -> list[Override]:
    return [
        Override(str(rule_id), str(digest), str(identity), str(reason), None if grade is None else Grade(grade))
        for rule_id, digest, identity, reason, grade in rows
    ]


def _position(row: Sequence[Any], key: str) -> AuditPosition:
    values = dict(zip(_FIELDS, row, strict=True))
    for name in _DECIMALS:
        values[name] = None if values[name] is None else Decimal(values[name])
    values["kind"], values["billing"] = PositionKind(values["kind"]), Billing(values["billing"])
    values["section_path"] = tuple(values["section_path"])
    values["measure"] = tuple(
        MeasureLine(text, kind, None if value is None else Decimal(value), figure, is_quantity)
        for text, kind, value, figure, is_quantity in values["measure"]
    )
    return AuditPosition(key=key, **values)


def context_from(plain: Mapping[str, Any]) -> dict[str, Any]:
    """What `BudgetView` takes, from JSON. A name that it does not take raises TypeError there: fail closed."""
    values = dict(plain)
    rounding: dict[str, Any] = values["rounding"]
    steps: dict[str, Any] = {name: Decimal(step) if isinstance(step, str) else step for name, step in rounding.items()}
    values["rounding"] = Rounding(**steps)
    values["budget_on"] = None if values["budget_on"] is None else date.fromisoformat(values["budget_on"])
    values["vat_rates"] = [Decimal(rate) for rate in values["vat_rates"]]
    values["totals"] = [_total(total) for total in values["totals"]]
    values["figures"] = {(of, name): Decimal(value) for of, name, value in values["figures"]}
    if values["catalogue"] is not None:
        values["catalogue"] = {code: _entry(entry) for code, entry in values["catalogue"].items()}
    if values["history"] is not None:
        values["history"] = {key: _history(entry) for key, entry in values["history"].items()}
    if values["blank"] is not None:
        values["blank"] = [_position(row, str(n)) for n, row in enumerate(values["blank"])]
    if values["file_facts"] is not None:
        values["file_facts"] = [FileFacts.from_json(facts) for facts in values["file_facts"]]
    return values


def _total(total: Mapping[str, Any]) -> StatedTotal:
    amounts = {name: Decimal(total[name]) for name in ("amount", "discount")}
    return StatedTotal(**{**total, **amounts, "section_path": tuple(total["section_path"])})


def _entry(entry: Mapping[str, Any]) -> CatalogueEntry:
    prices = {name: None if entry[name] is None else Decimal(entry[name]) for name in ("unit_price", "stated_price")}
    on = None if entry["priced_on"] is None else date.fromisoformat(entry["priced_on"])
    return CatalogueEntry(**{**entry, **prices, "priced_on": on})


def _history(entry: Mapping[str, Any]) -> HistoryEntry:
    return HistoryEntry(**{**entry, **{name: Decimal(entry[name]) for name in ("median", "lowest", "highest")}})
