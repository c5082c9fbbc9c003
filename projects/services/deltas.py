"""What a version did to the cost, split so that the parts add up exactly.

For a position in both versions with quantities q0, q1 and unit prices p0, p1 (a missing price counts as 0):
quantity effect (q1 - q0) × p0, price effect (p1 - p0) × q1, each rounded half up to 0.01; rounding is what is left of
the change of its total. Positions added or removed, that lack a quantity on either side, or that started or ceased to
count (alternatives), are scope.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from ..exceptions import Missing
from ..models import BudgetVersion

LARGEST = Decimal(10) ** 15
LISTED_CHANGES = 200  # a version of 100,000 changed positions lists the first; the counts are complete

# Of two versions only the rows that live in one of them, read through the partial indexes position_closed and
# position_added: what stands in both is never looked at.
EARLIER_ONLY = """
SELECT {columns} FROM projects_position WHERE project_id = %(project)s
  AND removed_in > %(low)s AND removed_in <= %(high)s AND added_in <= %(low)s
"""
LATER_ONLY = """
SELECT {columns} FROM projects_position WHERE project_id = %(project)s
  AND added_in > %(low)s AND added_in <= %(high)s AND (removed_in IS NULL OR removed_in > %(high)s)
"""
COMPARED = "id, lineage, billing, quantity, unit_price, total, ordinal"
# What else tells two rows apart. Of two that agree in all of it, the long text is looked at last.
TOLD_APART = (
    "content_hash", "number", "total", "object_code", "object_name", "section", "catalogue", "price_system", "category",
    "quantity_reason", "vat_rate", "long_text",
)  # fmt: skip
ALIKE = " AND ".join(f"o.{name} IS NOT DISTINCT FROM n.{name}" for name in TOLD_APART)
PAIRS = """
WITH pairs AS MATERIALIZED (
  SELECT coalesce(o.lineage, n.lineage) AS lineage, o.id AS old_id, n.id AS new_id,
    CASE WHEN o.billing IN ('alternative', 'optional') THEN 0 ELSE coalesce(o.total, 0) END AS old_total,
    CASE WHEN n.billing IN ('alternative', 'optional') THEN 0 ELSE coalesce(n.total, 0) END AS new_total,
    (o.id IS NOT NULL AND n.id IS NOT NULL AND o.quantity IS NOT NULL AND n.quantity IS NOT NULL
      AND (o.billing IN ('alternative', 'optional')) = (n.billing IN ('alternative', 'optional'))
      AND NOT n.billing IN ('alternative', 'optional')) AS comparable,
    o.quantity AS q0, n.quantity AS q1, coalesce(o.unit_price, 0) AS p0, coalesce(n.unit_price, 0) AS p1,
    coalesce(n.ordinal, o.ordinal) AS ordinal
  FROM ({old}) o FULL JOIN ({new}) n ON n.lineage = o.lineage {but_alike}
)
"""
SPLIT = """
SELECT count(*) FILTER (WHERE old_id IS NULL) AS added, count(*) FILTER (WHERE new_id IS NULL) AS removed,
  count(*) FILTER (WHERE old_id IS NOT NULL AND new_id IS NOT NULL) AS modified,
  coalesce(sum(new_total - old_total), 0) AS cost,
  coalesce(sum(round((q1 - q0) * p0, 2)) FILTER (WHERE comparable), 0) AS of_quantity,
  coalesce(sum(round((p1 - p0) * q1, 2)) FILTER (WHERE comparable), 0) AS of_price,
  coalesce(sum(new_total - old_total) FILTER (WHERE NOT comparable), 0) AS of_scope
FROM pairs
"""
SUMS = 7  # columns of that
FIELDS = ("number", "code", "description", "unit", "quantity", "unit_price", "total", "billing", "kind", "section")
BY_EFFECT = "abs(new_total - old_total) DESC, {of}ordinal, {of}lineage"
# Both from the pairs joined once; and whole rows are read of those only that are listed: without statistics of a new
# version the planner would look up each of 100,000 by its key. Where nothing changed, one row without a lineage.
LIST = f"""
, split AS ({SPLIT}), listed AS (
  SELECT * FROM pairs ORDER BY {BY_EFFECT.format(of="")} LIMIT {LISTED_CHANGES}
)
SELECT split.*, listed.lineage, {", ".join(f"o.{f}, n.{f}" for f in FIELDS)}, old_id IS NULL, new_id IS NULL
FROM split LEFT JOIN listed ON true
  LEFT JOIN projects_position o ON o.id = old_id LEFT JOIN projects_position n ON n.id = new_id
ORDER BY {BY_EFFECT.format(of="listed.")}
"""


WATERFALL = (("quantity", "Quantity"), ("price", "Price"), ("scope", "Scope"), ("rounding", "Rounding"))


@dataclass(frozen=True, slots=True)
class Delta:
    counts: dict[str, int]  # added, removed, modified
    cost: Decimal  # = quantity + price + scope + rounding
    quantity: Decimal
    price: Decimal
    scope: Decimal
    rounding: Decimal
    changes: list[dict[str, Any]]  # {"lineage","change","number","description","before":{…},"after":{…}}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions of one budget, and what it takes from the one to the other."""

    old: int
    new: int
    before: Decimal  # total cost of `old`
    after: Decimal
    delta: Delta

    def waterfall(self) -> list[dict[str, str]]:
        """Bars for a chart: the total before, each effect from where the last one ended, the total after."""
        at = self.before
        bars = [_bar("Before", Decimal(0), at, "total")]
        for name, word in WATERFALL:
            effect: Decimal = getattr(self.delta, name)
            bars.append(_bar(word, at, at + effect, "up" if effect > 0 else "down" if effect < 0 else "same"))
            at += effect
        return [*bars, _bar("After", Decimal(0), self.after, "total")]


def _bar(label: str, begins: Decimal, ends: Decimal, kind: str) -> dict[str, str]:
    return {"label": label, "from": str(begins), "to": str(ends), "kind": kind, "delta": str(ends - begins)}


def compare_versions(*, project_id: UUID, old: int, new: int) -> Comparison:
    """Any two versions of a project that the caller may see. Two queries. Raises Missing("version_not_found")."""
    totals = dict(
        BudgetVersion.objects.filter(project_id=project_id, number__in={old, new}).values_list("number", "total_cost")
    )
    for number in (old, new):
        if number not in totals:
            raise Missing(f"This project has no version {number}.", code="version_not_found")
    delta = between(project_id=project_id, old=old, new=new)
    return Comparison(old, new, totals[old], totals[new], delta)


def of_first(counts: dict[str, Any]) -> Delta:
    """The delta of version 1, in which everything is new, from its own counts. No query, and no list: that would repeat
    the bill."""
    cost, nothing = counts["total_cost"], Decimal(0)
    changed = {"added": counts["total_positions"], "removed": 0, "modified": 0}
    return Delta(changed, cost, quantity=nothing, price=nothing, scope=cost, rounding=nothing, changes=[])


def of_version(*, project_id: UUID, number: int) -> Delta:
    """The delta of version `number` against the one before, from the rows it closed and added. One query."""
    return _delta(project_id, number - 1, number, columns=COMPARED, but_alike="")


def between(*, project_id: UUID, old: int, new: int) -> Delta:
    """What it takes from version `old` to version `new`, any two of them, also backwards. One query.

    A position that was changed and changed back is no change. Whether there are such versions is for the caller to
    know.
    """
    columns = ", ".join(dict.fromkeys((*COMPARED.split(", "), *TOLD_APART)))
    but_alike = f"WHERE o.id IS NULL OR n.id IS NULL OR NOT ({ALIKE})"
    return _delta(project_id, old, new, columns=columns, but_alike=but_alike)


def _delta(project_id: UUID, old: int, new: int, *, columns: str, but_alike: str) -> Delta:
    values: dict[str, Any] = {"project": project_id, "low": min(old, new), "high": max(old, new)}
    sides = [EARLIER_ONLY.format(columns=columns), LATER_ONLY.format(columns=columns)]
    first, second = sides if old <= new else reversed(sides)
    pairs = PAIRS.format(old=first, new=second, but_alike=but_alike)
    with connection.cursor() as cursor:
        cursor.execute(pairs + LIST, values)
        rows = cursor.fetchall()
    added, removed, modified, cost, quantity, price, scope = rows[0][:SUMS]
    if max(abs(quantity), abs(price)) >= LARGEST:  # (q1 - q0) × p0 can be beyond any total: then it tells nothing
        quantity, price, scope = Decimal(0), Decimal(0), cost
    changes = [_change(row[SUMS:]) for row in rows if row[SUMS] is not None]
    return Delta(
        counts={"added": added, "removed": removed, "modified": modified},
        cost=cost,
        quantity=quantity,
        price=price,
        scope=scope,
        rounding=cost - quantity - price - scope,
        changes=changes,
    )


def _change(row: tuple[Any, ...]) -> dict[str, Any]:
    lineage, *pairs, is_added, is_removed = row
    before = dict(zip(FIELDS, map(_plain, pairs[0::2]), strict=True))
    after = dict(zip(FIELDS, map(_plain, pairs[1::2]), strict=True))
    named = before if is_removed else after
    change: dict[str, Any] = {
        "lineage": str(lineage),
        "change": "added" if is_added else "removed" if is_removed else "modified",
        "number": named["number"],
        "description": named["description"],
    }
    if is_added or is_removed:
        change["before"], change["after"] = (None, after) if is_added else (before, None)
    else:
        differing = [name for name in FIELDS if before[name] != after[name]]
        change["before"] = {name: before[name] for name in differing}
        change["after"] = {name: after[name] for name in differing}
    return change


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
