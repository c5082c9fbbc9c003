"""The nightly proof that nothing was lost or counted twice: hours and days of every entity add up to its count."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from ..models import AppliedBatch, DeadSignal, DemandProof
from ..streams.scoring import ORIGIN_S
from ..streams.trends import HOURS_OF, SPANS
from .counting import clock
from .raw import raw_cursor
from .windows import ALONE

log = structlog.get_logger(__name__)
Report = Callable[[int, int, str], None]

LISTED = 20
LEDGER_KEPT = timedelta(days=8)  # no entry older than a week is counted as it says, and streams keep far less
PROOFS_KEPT = timedelta(days=400)
SETTLED_KEPT = timedelta(days=30)

COMPARED = """
CREATE TEMP TABLE demand_compared ON COMMIT DROP AS
SELECT d.entity_id, d.query_count, coalesce(b.n, 0) + coalesce(y.n, 0) AS in_buckets
FROM analytics_entitydemand d
LEFT JOIN (SELECT entity_id, sum(count)::bigint AS n FROM analytics_demandbucket GROUP BY 1) b USING (entity_id)
LEFT JOIN (SELECT entity_id, sum(count)::bigint AS n FROM analytics_demandday GROUP BY 1) y USING (entity_id)
"""
SUMS = """
SELECT count(*), coalesce(sum(query_count), 0)::bigint, coalesce(sum(in_buckets), 0)::bigint,
    count(*) FILTER (WHERE query_count <> in_buckets) FROM demand_compared
"""
EXAMPLES = (
    "SELECT entity_id::text, query_count, in_buckets FROM demand_compared WHERE query_count <> in_buckets LIMIT %s"
)
WINDOWS = """
WITH told AS (
    SELECT entity_id, {sums} FROM analytics_demandbucket WHERE hour > %(oldest)s GROUP BY entity_id
), wrong AS (
    SELECT d.entity_id, {wanted} FROM analytics_entitydemand d LEFT JOIN told t USING (entity_id)
    WHERE ({current}) IS DISTINCT FROM ({told})
)
UPDATE analytics_entitydemand d SET {sets} FROM wrong w WHERE d.entity_id = w.entity_id
"""
TOTALS = """
WITH counted AS (
    SELECT e.organisation_id, e.entity_type, count(*) AS entities, coalesce(sum(d.query_count), 0)::bigint AS queries,
        count(d.entity_id) AS with_demand, count(*) FILTER (WHERE e.needs_update) AS needing_update,
        coalesce(sum(power(2::float8, greatest(d.rank - %(here)s, -1000))) FILTER (WHERE d.rank <> 0), 0) AS demand
    FROM analytics_entity e LEFT JOIN analytics_entitydemand d ON d.entity_id = e.id GROUP BY 1, 2
), gone AS (
    DELETE FROM analytics_entitytotal t WHERE NOT EXISTS (SELECT FROM counted c
        WHERE c.organisation_id IS NOT DISTINCT FROM t.organisation_id AND c.entity_type = t.entity_type)
    RETURNING 1
), put AS (
    INSERT INTO analytics_entitytotal AS t (organisation_id, entity_type, entities, queries, with_demand,
        needing_update, demand, demand_at)
    SELECT organisation_id, entity_type, entities, queries, with_demand, needing_update, demand, %(now)s FROM counted
    ORDER BY 1, 2
    ON CONFLICT (organisation_id, entity_type) DO UPDATE SET entities = excluded.entities, queries = excluded.queries,
        with_demand = excluded.with_demand, needing_update = excluded.needing_update, demand = excluded.demand,
        demand_at = excluded.demand_at
    WHERE (t.entities, t.queries, t.with_demand, t.needing_update)
        IS DISTINCT FROM (excluded.entities, excluded.queries, excluded.with_demand, excluded.needing_update)
        OR abs(t.demand * power(2::float8, -extract(epoch FROM excluded.demand_at - t.demand_at)::float8
            / %(half_life_s)s) - excluded.demand) > 0.01 * excluded.demand + 0.01
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
"""


def prove(*, report: Report | None = None) -> DemandProof:
    """Compare and keep what was found. Consumers wait meanwhile (a second or so per million entities).

    Counts are never changed: a difference is a fault of the program, logged as an error, with examples. Windows and
    totals, which are made of counts, are put right.
    """
    began = time.monotonic()
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(ALONE)
        _say(report, 0, "Adding up hours and days")
        cursor.execute(COMPARED)
        entities, queries, in_buckets, differing = cursor.execute(SUMS).fetchone()
        examples = cursor.execute(EXAMPLES, [LISTED]).fetchall() if differing else []
        _say(report, 1, "Comparing windows and totals")
        windows_mended, totals_mended = _windows(cursor), _totals(cursor)
        proof = DemandProof.objects.create(
            entities=entities,
            queries=queries,
            in_buckets=in_buckets,
            differing=differing,
            windows_mended=windows_mended,
            totals_mended=totals_mended,
            examples=[{"entity": row[0], "query_count": row[1], "in_buckets": int(row[2])} for row in examples],
            took_ms=int((time.monotonic() - began) * 1000),
        )
    if not proof.holds:
        log.error("demand_does_not_add_up", differing=differing, queries=queries, in_buckets=in_buckets)
    _say(report, 2, str(proof))
    return proof


def _say(report: Report | None, done: int, words: str) -> None:
    if report is not None:
        report(done, 2, words)


def _windows(cursor: Any) -> int:
    end = clock().windows_at
    parameters: dict[str, Any] = {"oldest": end - 2 * timedelta(hours=max(HOURS_OF.values()))}
    sums, names = [], []
    for span in SPANS:
        length = timedelta(hours=HOURS_OF[span])
        parameters |= {f"{span}_cur": end - length, f"{span}_pre": end - 2 * length}
        sums.append(f"sum(count) FILTER (WHERE hour > %({span}_cur)s) AS current_{span}")
        sums.append(f"sum(count) FILTER (WHERE hour > %({span}_pre)s AND hour <= %({span}_cur)s) AS previous_{span}")
        names += [f"current_{span}", f"previous_{span}"]
    told = [f"coalesce(t.{name}, 0)::int" for name in names]
    growth = [
        f"growth_{span} = (w.current_{span} - w.previous_{span}) / sqrt(w.current_{span} + w.previous_{span} + 1)"
        for span in SPANS
    ]
    statement = WINDOWS.format(
        sums=", ".join(sums),
        wanted=", ".join(f"{each} AS {name}" for each, name in zip(told, names, strict=True)),
        current=", ".join(f"d.{name}" for name in names),
        told=", ".join(told),
        sets=", ".join([*(f"{name} = w.{name}" for name in names), *growth]),
    )
    return int(cursor.execute(statement, parameters).rowcount)


def _totals(cursor: Any) -> int:
    half_life_s, now = clock().half_life_days * 86400, timezone.now()
    here = (now.timestamp() - ORIGIN_S) / half_life_s
    row = cursor.execute(TOTALS, {"here": here, "now": now, "half_life_s": half_life_s}).fetchone()
    return int(row[0])


def trim() -> dict[str, int]:
    """Remove what no longer proves anything: entries of the ledger that can't come again, old proofs, dead signals
    that were settled a month ago."""
    now = timezone.now()
    return {
        "batches": AppliedBatch.objects.filter(
            applied_at__lt=now - LEDGER_KEPT, last_ms__lt=int((now - LEDGER_KEPT).timestamp() * 1000)
        ).delete()[0],
        "proofs": DemandProof.objects.filter(checked_at__lt=now - PROOFS_KEPT).delete()[0],
        "dead_signals": DeadSignal.objects.filter(settled_at__lt=now - SETTLED_KEPT).delete()[0],
    }
