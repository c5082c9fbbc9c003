"""Are two uploads the same budget? Positions as they came from each document, compared by `parsers.equality`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..audit import units
from ..exceptions import Missing, Refused
from ..models import BudgetVersion, Document, Position
from ..parsers.equality import Equality, Fact, Pair, Verdict, compare, fact_of, same_text
from ..parsers.registry import open_bill
from .access import visible_document, visible_project
from .superseding import family_of

if TYPE_CHECKING:
    from accounts.models import User

MOST = 60_000  # positions of a document that a page compares: about two seconds
LISTED = 200
_COLUMNS = ("number", "code", "description", "unit", "quantity", "unit_price", "total", "kind", "billing",
            "object_code", "section", "measure__isnull", "price_system", "vat_rate", "source")  # fmt: skip
_UNCOUNTED = {billing.value for billing in Position.UNCOUNTED_BILLINGS}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`equality.left` is of `left`; a currency is "" where the file names none."""

    left: str
    right: str
    left_currency: str
    right_currency: str
    equality: Equality
    left_id: UUID | None = None
    right_id: UUID | None = None

    @property
    def differs_in_currency(self) -> bool:
        return bool(self.left_currency and self.right_currency) and self.left_currency != self.right_currency

    @property
    def verdict(self) -> Verdict:
        return Verdict.DIFFERENT if self.differs_in_currency else self.equality.verdict

    @property
    def unproven(self) -> tuple[str, ...]:
        said = self.equality.unproven
        if bool(self.left_currency) != bool(self.right_currency):
            said = (*said, "Only one of the two names its currency; the amounts are compared as figures.")
        return said

    def as_json(self, most: int | None = LISTED) -> dict[str, Any]:
        """Lists hold at most `most` rows each; `counts` are of all."""
        found = self.equality
        return {
            "verdict": self.verdict.value,
            "is_same_budget": self.verdict is not Verdict.DIFFERENT,
            "left": self._side(self.left, self.left_id, self.left_currency, "left"),
            "right": self._side(self.right, self.right_id, self.right_currency, "right"),
            "delta": str(found.delta),
            "counts": {
                "matched": found.matched,
                "changed": len(found.changed),
                "moved": len(found.moved),
                "only_left": len(found.only_left),
                "only_right": len(found.only_right),
            },
            "changed": [_pair(pair) for pair in found.changed[:most]],
            "moved": [_pair(pair) for pair in found.moved[:most]],
            "only_left": [_row(fact) for fact in found.only_left[:most]],
            "only_right": [_row(fact) for fact in found.only_right[:most]],
            "not_compared": list(self.unproven),
        }

    def _side(self, name: str, document_id: UUID | None, currency: str, side: str) -> dict[str, Any]:
        told = getattr(self.equality, side)
        return {
            "document_id": str(document_id) if document_id else None,
            "name": name,
            "currency": currency,
            "positions": told.positions,
            "total": str(told.total),
            "digest": told.digest,
        }


def _row(fact: Fact) -> dict[str, Any]:
    values = _plain(fact)
    names = (
        "number",
        "code",
        "description",
        "unit",
        "quantity",
        "unit_price",
        "total",
        "object_code",
        "section",
        "source",
    )
    return {name: values[name] for name in names}


def _plain(fact: Fact) -> dict[str, Any]:
    """Figures as text."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in fact._asdict().items()}


def _pair(pair: Pair) -> dict[str, Any]:
    left, right = _plain(pair.left), _plain(pair.right)
    return {
        "left": _row(pair.left),
        "right": _row(pair.right),
        "fields": [{"field": name, "left": left[name], "right": right[name]} for name in pair.fields],
    }


def unit_name(unit: str) -> str:
    """Spellings of one unit have one name: kus and Stk. are ks; an unknown one is its own."""
    return units.normalise(unit) or same_text(unit).lower()


def compare_documents(*, project_id: UUID, left: UUID, right: UUID, user: User) -> Comparison:
    """Two read bills: `left` of the project, `right` of it or of any other that the user may see. Eight queries.

    Positions are taken as they came in with each document, whatever people changed since; figures as the budget keeps
    them (four decimals). Raises Missing, ProjectNotFound, Refused("same_document" | "not_read" | "too_large" |
    "not_kept").
    """
    project = visible_project(project_id=project_id, user=user)
    one = visible_document(document_id=left, user=user)
    if one.project_id != project.pk:
        raise Missing("There is no such document.", code="document_not_found")
    other = visible_document(document_id=right, user=user)
    if one.pk == other.pk:
        raise Refused("These are one and the same document. Choose two.", code="same_document")
    return Comparison(
        left=one.original_filename,
        right=other.original_filename,
        left_currency=_currency(one),
        right_currency=_currency(other),
        equality=compare(_facts_of(one), _facts_of(other), unit_name),
        left_id=one.pk,
        right_id=other.pk,
    )


def compare_files(*, left: Path, right: Path) -> Comparison:
    """Two files, without any database. Raises ParseError."""
    bills = [open_bill(path) for path in (left, right)]
    facts = [[fact_of(position, bill) for position in bill.positions] for bill in bills]
    return Comparison(
        left=left.name,
        right=right.name,
        left_currency=bills[0].header.currency,
        right_currency=bills[1].header.currency,
        equality=compare(facts[0], facts[1], unit_name),
    )


def comparable_documents(*, user: User, project_id: UUID) -> list[Document]:
    """Read bills that the user may see, with their projects: the project's own first, then the newest of others."""
    found = (
        Document.objects.visible_to(user)
        .filter(kind=Document.Kind.BILL, parse_status=Document.ParseStatus.COMPLETED)
        .select_related("project")
        .only("original_filename", "created_at", "project__name")
        .order_by("-created_at")
    )
    own = list(found.filter(project_id=project_id)[:LISTED])
    return own + list(found.exclude(project_id=project_id)[:LISTED])


def _currency(document: Document) -> str:
    return str(document.extracted_data.get("header", {}).get("currency", ""))


def _facts_of(document: Document) -> Iterator[Fact]:
    """The document's positions in the version that took it in. One of a family holds the rows of all its documents."""
    name = document.original_filename
    if document.kind != Document.Kind.BILL or document.parse_status != Document.ParseStatus.COMPLETED:
        raise Refused(f"{name} has not been read as a bill. Read it first.", code="not_read")
    expected = (document.extracted_data.get("reconciliation") or {}).get("positions")
    if expected and expected > MOST:
        raise Refused(
            f"{name} has {expected:,} positions; at most {MOST:,} are compared here. Use manage.py compare_bills.",
            code="too_large",
        )
    family = family_of(project_id=document.project_id, documents={document.pk})
    rows = list(
        Position.objects.filter(project_id=document.project_id, document_id__in=family)
        .of_version(_version_of(document))
        .order_by("ordinal", "id")
        .values_list(*_COLUMNS)[: MOST + 1]
    )
    if not rows or (expected is not None and len(rows) != expected):
        raise Refused(
            f"The positions of {name} are no longer kept as they came in ({len(rows):,} of {expected or 0:,}). Upload "
            "it to a project of its own and compare it there.",
            code="not_kept",
        )
    return map(_fact, rows)


def _fact(row: tuple[Any, ...]) -> Fact:
    number, code, description, unit, quantity, price, total, kind, billing, obj, section, bare, system, vat, source = (
        row
    )
    return Fact(number, code, description, unit or "", quantity, price, total, kind, billing, obj, section,
                billing not in _UNCOUNTED, not bare, system, vat, source)  # fmt: skip


def _version_of(document: Document) -> int:
    """The version that took the document in; for one read before that was noted, by the versions' own word."""
    noted = document.extracted_data.get("version")
    if isinstance(noted, int):
        return noted
    made = BudgetVersion.objects.filter(project_id=document.project_id, trigger_details__document=str(document.pk))
    found = made.order_by("-number").values_list("number", flat=True).first()
    if found is not None:
        return found
    first = Position.objects.filter(project_id=document.project_id, document=document).order_by("-added_in")
    return first.values_list("added_in", flat=True).first() or 1
