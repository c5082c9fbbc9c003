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

LARGEST = Decimal(10) ** 15
LISTED_CHANGES = 200  # a version of 100,000 changed positions lists the first; the counts are complete

# Both sides are read through the partial indexes position_closed and position_added.
PAIRS = """
WITH pairs AS (
  SELECT coalesce(o.lineage, n.lineage) AS lineage, o.id AS old_id, n.id AS new_id,
    CASE WHEN o.billing IN ('alternative', 'optional') THEN 0 ELSE coalesce(o.total, 0) END AS old_total,
    CASE WHEN n.billing IN ('alternative', 'optional') THEN 0 ELSE coalesce(n.total, 0) END AS new_total,
    (o.id IS NOT NULL AND n.id IS NOT NULL AND o.quantity IS NOT NULL AND n.quantity IS NOT NULL
      AND (o.billing IN ('alternative', 'optional')) = (n.billing IN ('alternative', 'optional'))
      AND NOT n.billing IN ('alternative', 'optional')) AS comparable,
    o.quantity AS q0, n.quantity AS q1, coalesce(o.unit_price, 0) AS p0, coalesce(n.unit_price, 0) AS p1,
    coalesce(n.ordinal, o.ordinal) AS ordinal
  FROM (SELECT * FROM projects_position WHERE project_id = %(project)s AND removed_in = %(number)s) o
  FULL JOIN (SELECT * FROM projects_position WHERE project_id = %(project)s AND added_in = %(number)s) n
    ON n.lineage = o.lineage
)
"""
SPLIT = """
SELECT count(*) FILTER (WHERE old_id IS NULL), count(*) FILTER (WHERE new_id IS NULL),
  count(*) FILTER (WHERE old_id IS NOT NULL AND new_id IS NOT NULL),
  coalesce(sum(new_total - old_total), 0),
  coalesce(sum(round((q1 - q0) * p0, 2)) FILTER (WHERE comparable), 0),
  coalesce(sum(round((p1 - p0) * q1, 2)) FILTER (WHERE comparable), 0),
  coalesce(sum(new_total - old_total) FILTER (WHERE NOT comparable), 0)
FROM pairs
"""
FIELDS = ("number", "code", "description", "unit", "quantity", "unit_price", "total", "billing", "kind", "section")
LIST = f"""
SELECT pairs.lineage, {", ".join(f"o.{f}, n.{f}" for f in FIELDS)}, old_id IS NULL, new_id IS NULL
FROM pairs LEFT JOIN projects_position o ON o.id = old_id LEFT JOIN projects_position n ON n.id = new_id
ORDER BY abs(new_total - old_total) DESC, pairs.ordinal LIMIT {LISTED_CHANGES}
"""


@dataclass(frozen=True, slots=True)
class Delta:
    counts: dict[str, int]  # added, removed, modified
    cost: Decimal  # = quantity + price + scope + rounding
    quantity: Decimal
    price: Decimal
    scope: Decimal
    rounding: Decimal
    changes: list[dict[str, Any]]  # {"lineage","change","number","description","before":{…},"after":{…}}


def of_version(*, project_id: UUID, number: int) -> Delta:
    """The delta of version `number` against the one before, from the rows it closed and added. Two queries."""
    values: dict[str, Any] = {"project": project_id, "number": number}
    with connection.cursor() as cursor:
        cursor.execute(PAIRS + SPLIT, values)
        added, removed, modified, cost, quantity, price, scope = cursor.fetchone()
        if max(abs(quantity), abs(price)) >= LARGEST:  # (q1 - q0) × p0 can be beyond any total: then it tells nothing
            quantity, price, scope = Decimal(0), Decimal(0), cost
        changes: list[dict[str, Any]] = []
        if number > 1:  # everything in version 1 is new: listing it would repeat the bill
            cursor.execute(PAIRS + LIST, values)
            changes = [_change(row) for row in cursor.fetchall()]
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
