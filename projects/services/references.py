"""What an audit compares a budget with, read for one project: catalogue, own history, blank file, file facts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef

from ..audit.file_facts import FileFacts
from ..audit.references import CatalogueEntry, HistoryEntry
from ..audit.thresholds import merged
from ..audit.view import AuditPosition
from ..models import CatalogueItem, Document, Position, Project
from .blank import Blank, blank_of
from .history import codes_of, history_of
from .price_indexing import Series, series_of

# Of two items with the same code the organisation's own one counts.
ENTRIES = """
SELECT DISTINCT ON (i.code) i.code, i.text, i.unit, i.unit_price, i.currency, i.priced_on
FROM projects_catalogueitem i
WHERE i.catalogue = %(catalogue)s AND i.edition = %(edition)s
  AND (i.organisation_id IS NULL OR i.organisation_id = %(organisation)s)
  AND i.code = ANY(%(codes)s)
ORDER BY i.code, i.organisation_id NULLS LAST
"""


@dataclass(frozen=True, slots=True)
class References:
    """As `BudgetView` takes them, and `described` as `AuditRun.references` keeps it."""

    catalogue: dict[str, CatalogueEntry] | None = None
    catalogue_name: str = ""
    catalogue_edition: str = ""
    history: dict[str, HistoryEntry] | None = None
    blank: list[AuditPosition] | None = None
    file_facts: list[FileFacts] | None = None
    absent: dict[str, str] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)

    def for_view(self) -> dict[str, Any]:
        """Keyword arguments of `BudgetView`."""
        names = ("catalogue", "catalogue_name", "catalogue_edition", "history", "blank", "file_facts", "absent")
        return {name: getattr(self, name) for name in names}


def references_of(
    *, project: Project, thresholds: Mapping[str, Decimal] | None = None, codes: Sequence[str] | None = None
) -> References:
    """Everything there is to compare the current budget with; `codes`: prices of these codes only.

    What was chosen and can't be had is in `absent`, with the reason: the rules that need it then say that they could
    not run.
    """
    series = series_of(organisation_id=project.organisation_id, name=project.price_index)
    if codes is None:
        codes = codes_of(project=project)
    catalogue, why = _catalogue(project, series, codes)
    least = int(merged(thresholds)["C04.min_history"])
    history = history_of(project=project, series=series, least=least, codes=codes)
    blank = blank_of(project=project)
    facts = _file_facts(project)
    absent = {
        name: reason
        for name, reason in (("catalogue", why), ("prices", why), ("blank", blank.problem if blank else ""))
        if reason
    }
    return References(
        catalogue=catalogue,
        catalogue_name=project.catalogue,
        catalogue_edition=project.catalogue_edition,
        history=history,
        blank=blank.positions if blank else None,
        file_facts=facts,
        absent=absent,
        described=_described(project, catalogue, history, blank, series),
    )


def _catalogue(project: Project, series: Series, codes: Sequence[str]) -> tuple[dict[str, CatalogueEntry] | None, str]:
    """The items of the chosen edition that the budget's codes name; or None and why."""
    if not project.catalogue:
        return None, ""
    items = CatalogueItem.objects.of(project.organisation_id)
    if not items.filter(catalogue=project.catalogue, edition=project.catalogue_edition).exists():
        name = f"{project.catalogue} {project.catalogue_edition}".strip()
        return None, f"the price catalogue {name} has not been imported"
    with connection.cursor() as cursor:
        cursor.execute(
            ENTRIES,
            {
                "codes": list(codes),
                "catalogue": project.catalogue,
                "edition": project.catalogue_edition,
                "organisation": project.organisation_id,
            },
        )
        return {row[0]: _entry(row, project, series) for row in cursor.fetchall()}, ""


def _entry(row: tuple[Any, ...], project: Project, series: Series) -> CatalogueEntry:
    code, text, unit, price, currency, priced_on = row
    indexed: Decimal | None = None
    index = why = ""
    if price is not None:
        if currency and currency != project.currency:
            ours = project.currency or "in no currency it names"
            why = f"the catalogue's price of {code} is in {currency}, the budget {ours}: not compared"
        else:
            indexed, words = series.moved(price, priced_on, project.budget_on)
            index, why = (words, "") if indexed is not None else ("", f"{words}: {code} not compared")
    return CatalogueEntry(
        code=code, text=text, unit=unit or None, unit_price=indexed, edition=project.catalogue_edition,
        stated_price=price, priced_on=priced_on, index=index, why_unpriced=why,
    )  # fmt: skip


def _file_facts(project: Project) -> list[FileFacts] | None:
    """Of the documents in the budget, in the order they came. None: there are none, or all were read before facts
    were taken. One that has none beside others that have says so."""
    facts: list[FileFacts] = []
    current = Position.objects.filter(document=OuterRef("pk"), removed_in__isnull=True)
    rows = Document.objects.filter(Exists(current), project=project)
    known = 0
    for name, parser, data in rows.order_by("created_at", "pk").values_list(
        "original_filename", "parser", "extracted_data__file_facts"
    ):
        known += bool(data)
        facts.append(_facts(name, parser, data))
    return facts if known else None


def _facts(name: str, parser: str, data: Any) -> FileFacts:
    if not data:
        return FileFacts(name, parser, problem="it was read before files were looked through; have it read again")
    try:
        return FileFacts.from_json(data)
    except (TypeError, KeyError, ValueError, IndexError):
        return FileFacts(name, parser, problem="what was seen in it can't be read any more; have it read again")


def _described(
    project: Project,
    catalogue: dict[str, CatalogueEntry] | None,
    history: dict[str, HistoryEntry] | None,
    blank: Blank | None,
    series: Series,
) -> dict[str, Any]:
    said: dict[str, Any] = {"fingerprint": fingerprint_of(project=project)}
    if catalogue is not None:
        said["catalogue"] = {
            "name": project.catalogue, "edition": project.catalogue_edition
        }  # fmt: skip
    if series.name:
        said["price_index"] = {
            "series": series.name,
            "first": series.months[0].isoformat() if series.months else None,
            "last": series.months[-1].isoformat() if series.months else None,
        }
    if history is not None:
        said["history"] = "the organisation's other budgets"
    if blank is not None:
        said["blank"] = {
            "document": str(blank.document_id), "filename": blank.filename, "sha256": blank.sha256,
            "positions": None if blank.positions is None else len(blank.positions), "problem": blank.problem,
        }  # fmt: skip
    return said


# Everything that can change what `references_of` says, in one look: versions of the organisation's other budgets, the
# catalogue's items that the budget names, the months of the index, the project's documents.
STATE = """
SELECT
  (SELECT md5(string_agg(concat_ws('|', p.id, p.version_number, p.budget_on, p.status = 'archived'), ',' ORDER BY p.id))
   FROM projects_project p WHERE p.organisation_id = %(organisation)s AND p.id <> %(project)s
     AND p.currency = %(currency)s AND p.version_number > 0),
  CASE WHEN %(catalogue)s <> '' THEN
  (SELECT md5(string_agg(i::text, ',' ORDER BY i.id)) FROM projects_catalogueitem i
   WHERE i.catalogue = %(catalogue)s AND i.edition = %(edition)s
     AND (i.organisation_id IS NULL OR i.organisation_id = %(organisation)s)
     AND i.code = ANY(ARRAY(SELECT DISTINCT code FROM projects_position
                            WHERE project_id = %(project)s AND removed_in IS NULL AND code <> ''))) END,
  (SELECT md5(string_agg(x::text, ',' ORDER BY x.id)) FROM projects_priceindex x
   WHERE x.series = %(series)s AND (x.organisation_id IS NULL OR x.organisation_id = %(organisation)s)),
  (SELECT md5(string_agg(concat_ws('|', d.id, d.sha256, d.extracted_data -> 'file_facts', d.extracted_data -> 'tender'),
                         ',' ORDER BY d.id))
   FROM projects_document d WHERE d.project_id = %(project)s)
"""


def fingerprint_of(*, project: Project) -> str:
    """Changes when anything the budget is compared with may have changed; never stays the same then. One query."""
    values: dict[str, str | UUID] = {
        "organisation": project.organisation_id,
        "project": project.pk,
        "currency": project.currency,
        "catalogue": project.catalogue,
        "edition": project.catalogue_edition,
        "series": project.price_index,
    }
    with connection.cursor() as cursor:
        cursor.execute(STATE, values)
        state = [str(one) for one in cursor.fetchone()]
    chosen = [project.catalogue, project.catalogue_edition, project.price_index, str(project.budget_on or "")]
    content = json.dumps([*state, *chosen, project.currency, str(project.blank_document_id or "")])
    return hashlib.sha256(content.encode()).hexdigest()
