"""The database as the source of an incremental audit: it fetches what the engine names, never the whole budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Left

from ..audit.incremental import MOST_CHANGED, in_order
from ..audit.known import Known, NeedsFullAudit
from ..audit.scopes import Selector
from ..audit.stored import StoredFinding
from ..audit.view import AuditPosition
from ..models import Finding, Position, Project
from ..models.budget import SECTION_SEPARATOR
from .audit_view import positions_of
from .references import references_of

FIRST = 20  # of the selectors that want the first few
# `total` is what each row's own document rounds to, the audit's amounts follow the main one: looked for a little lower
NEARLY, ABOUT = Decimal("0.9"), Decimal(100)

BESIDE = """
SELECT (SELECT p.id FROM projects_position p WHERE p.project_id = %(project)s AND p.removed_in IS NULL
        AND p.ordinal {sign}= at.ordinal AND (p.ordinal {sign} at.ordinal OR p.id {sign} at.id)
        ORDER BY p.ordinal {order}, p.id {order} LIMIT 1)
FROM unnest(%(ordinals)s::bigint[], %(ids)s::bigint[]) AS at(ordinal, id)
"""
FINDINGS = """
SELECT position_id, rule_id, grade, reasoning, evidence, money_at_stake, suggestion, subject, demand
FROM projects_finding WHERE position_id = ANY(%(keys)s) {of_rules} ORDER BY id
"""


class SqlSource:
    """Positions of the project's current version; those that left and came since version `since`."""

    def __init__(self, *, project: Project, since: int, known: Known, thresholds: Mapping[str, Decimal] | None) -> None:
        self.project = project
        self.since = since
        self.known = known
        self.thresholds = thresholds
        self._changed: tuple[list[AuditPosition], list[AuditPosition]] | None = None

    @property
    def _current(self) -> Any:
        return Position.objects.filter(project=self.project, removed_in__isnull=True).order_by("ordinal", "id")

    def changed(self) -> tuple[list[AuditPosition], list[AuditPosition]]:
        if self._changed is None:
            # Unordered: the indexes of what versions closed and added would not be looked into for an order of all.
            rows = Position.objects.filter(project=self.project).order_by()
            left = rows.filter(added_in__lte=self.since, removed_in__gt=self.since)
            came = rows.filter(added_in__gt=self.since, removed_in__isnull=True)
            limit = MOST_CHANGED + 1
            self._changed = in_order(positions_of(left[:limit])), in_order(positions_of(came[:limit]))
        return self._changed

    def matching(self, selectors: Sequence[Selector]) -> list[AuditPosition]:
        found: list[AuditPosition] = []
        wanted = Q()
        for selector in selectors:
            condition = _condition(selector)
            if selector.is_first:
                found += positions_of(self._current.filter(condition)[:FIRST])
            else:
                wanted |= condition
        if wanted:
            found += positions_of(self._current.alias(family=Left("code", 3)).filter(wanted))
        return found

    def of_identities(self, identities: Iterable[str]) -> list[AuditPosition]:
        return positions_of(self._current.filter(lineage__in=list(identities)))

    def of_keys(self, keys: Iterable[str]) -> list[AuditPosition]:
        return positions_of(_by_key([int(key) for key in keys]))

    def before(self, positions: Sequence[AuditPosition]) -> list[AuditPosition]:
        return self._beside(positions, sign="<", order="DESC")

    def after(self, positions: Sequence[AuditPosition]) -> list[AuditPosition]:
        return self._beside(positions, sign=">", order="ASC")

    def _beside(self, positions: Sequence[AuditPosition], *, sign: str, order: str) -> list[AuditPosition]:
        values: dict[str, Any] = {
            "project": self.project.pk,
            "ordinals": [p.ordinal for p in positions],
            "ids": [int(p.key) for p in positions],
        }
        with connection.cursor() as cursor:
            cursor.execute(BESIDE.format(sign=sign, order=order), values)
            found = {row[0] for row in cursor.fetchall() if row[0] is not None}
        return positions_of(_by_key(found)) if found else []

    def findings(self, keys: Iterable[str], rules: Iterable[str] | None = None) -> list[StoredFinding]:
        values: dict[str, Any] = {"keys": [int(key) for key in keys]}
        of_rules = ""
        if rules is not None:
            of_rules, values["rules"] = "AND rule_id = ANY(%(rules)s)", list(rules)
        with connection.cursor() as cursor:
            cursor.execute(FINDINGS.format(of_rules=of_rules), values)
            return [_stored(row) for row in cursor.fetchall()]

    def budget_findings(self) -> list[str]:
        rows = Finding.objects.filter(project=self.project, position__isnull=True).order_by("pk")
        return list(rows.values_list("rule_id", flat=True))

    def prices(self, positions: Sequence[AuditPosition]) -> Mapping[str, Any]:
        """Of these positions' codes. Raises NeedsFullAudit where an edit can have made the first price of one's own
        known, or the last one meaningless: then rules begin or cease to run everywhere."""
        left, came = self.changed()
        before, after = {p.code for p in left}, {p.code for p in came}
        of_others = sorted((before ^ after) - {""})
        if of_others and (references_of(
            project=self.project, thresholds=self.thresholds, codes=of_others
        ).history is not None):  # fmt: skip
            raise NeedsFullAudit("a code changed that other budgets of the organisation price")
        codes = sorted({p.code for p in positions} - {""})
        found = references_of(project=self.project, thresholds=self.thresholds, codes=codes)
        loaded = self.known.loaded
        return {
            "catalogue": (found.catalogue or {}) if "catalogue" in loaded else None,
            "history": (found.history or {}) if "history" in loaded else None,
        }


def _by_key(keys: Iterable[int]) -> Any:
    """Not in order, which would be that of an index of all positions."""
    return Position.objects.filter(pk__in=keys, removed_in__isnull=True).order_by()


def _condition(selector: Selector) -> Q:
    wanted = Q()
    plain = {
        "object_code": selector.object_code,
        "code": selector.code,
        "kind": selector.kind,
        "description": selector.description,
        "section": None if selector.section_path is None else SECTION_SEPARATOR.join(selector.section_path),
    }
    wanted &= Q(**{name: value for name, value in plain.items() if value is not None})
    if selector.families is not None:
        wanted &= Q(family__in=selector.families)
    if selector.lumps is not None:
        wanted &= Q(unit__in=selector.lumps) | Q(billing=Position.Billing.LUMP_SUM)
    if selector.least is not None:
        wanted &= Q(total__gte=selector.least * NEARLY - ABOUT)
    return wanted


def _stored(row: tuple[Any, ...]) -> StoredFinding:
    key, rule_id, grade, reasoning, evidence, money, suggestion, subject, demand = row
    return StoredFinding(
        str(key), rule_id, grade, reasoning, _json(evidence), money,
        None if suggestion is None else _json(suggestion), subject, demand,
    )  # fmt: skip


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value
