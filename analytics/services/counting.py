"""Counting a batch of signals: one transaction, exactly once.

Order of locks, the same for everybody: the frame (shared; whoever moves windows or rolls hours up takes it alone), rows
of EntityDemand by id, buckets, questions by key, totals by key. Two consumers that have an entry in common therefore
meet at a lock before either looks at the ledger: the second sees what the first has counted. It looks at the very end;
should an entry have been counted before, which is rare, everything is undone and done again without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ..models import DeadSignal, DemandClock
from ..streams.batch import Sums, add_up, day_of, weights
from ..streams.entries import Signal
from ..streams.scoring import ADD_RANKS, half_lives
from ..streams.trends import SPANS
from . import live
from .deadletters import Dead, keep_dead
from .ledger import Ledger, SeenBeforeError
from .raw import literal, raw_cursor

FRAME_LOCK = 0x64656D61  # advisory: "dema"

CLOCK = f"SELECT pg_advisory_xact_lock_shared({FRAME_LOCK})"
CLOCK_READ = "SELECT extract(epoch FROM windows_at)::bigint / 3600, half_life_days FROM analytics_demandclock"
LOCK = """
SELECT count(*) FROM (
    SELECT FROM analytics_entitydemand WHERE entity_id = ANY(%s::uuid[]) ORDER BY entity_id FOR UPDATE
) locked
"""
MISSING = """
SELECT id::text FROM unnest(%s::uuid[]) AS v (id)
WHERE NOT EXISTS (SELECT FROM analytics_entitydemand d WHERE d.entity_id = v.id)
"""
# Of entities that exist and were never asked for. In id order, like every lock on this table.
BEGIN = """
INSERT INTO analytics_entitydemand (entity_id, organisation_id, entity_type, rank, query_count, first_queried_at,
    last_queried_at, current_1d, previous_1d, growth_1d, current_7d, previous_7d, growth_7d, current_30d, previous_30d,
    growth_30d, needs_update, refreshed_at)
SELECT id, organisation_id, entity_type, 0, 0, 'infinity', '-infinity', 0, 0, 0, 0, 0, 0, 0, 0, 0, needs_update,
    updated_at
FROM analytics_entity WHERE id = ANY(%s::text[]::uuid[]) ORDER BY id
ON CONFLICT DO NOTHING
"""
GROWTH = "({current} - {previous}) / sqrt({current} + {previous} + 1)"
WINDOWS = ", ".join(
    f"current_{span} = d.current_{span} + v.c{span}, previous_{span} = d.previous_{span} + v.p{span}, "
    f"growth_{span} = "
    + GROWTH.format(current=f"(d.current_{span} + v.c{span})", previous=f"(d.previous_{span} + v.p{span})")
    for span in SPANS
)
ADDED = ", ".join(f"sum(n * c{span})::int AS c{span}, sum(n * p{span})::int AS p{span}" for span in SPANS)
# The ids go over once: a row for each entity and hour, and one of weights for each hour. Ranks are as they are in the
# latest hour of the batch, since sums of 2^rank would overflow.
COUNT = f"""
WITH told AS MATERIALIZED (
    SELECT v.id, v.n, v.first_s, v.last_s, w.*
    FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::float8[], %s::float8[]) AS v (id, hour, n, first_s, last_s)
    JOIN unnest(%s::int[], %s::float8[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[])
        AS w (hour, half_lives, c1d, p1d, c7d, p7d, c30d, p30d) ON w.hour = v.hour
), kept AS (
    INSERT INTO analytics_demandbucket AS b (entity_id, hour, count)
    SELECT id, to_timestamp(hour * 3600::bigint), n FROM told
    ON CONFLICT (entity_id, hour) DO UPDATE SET count = b.count + excluded.count
), added AS (
    SELECT id, sum(n)::int AS n, min(first_s) AS first_s, max(last_s) AS last_s,
        ln(sum(n * power(2::float8, greatest(half_lives, -1000)))) / ln(2::float8) + %s::float8 AS rank, {ADDED}
    FROM told GROUP BY id
), counted AS (
    UPDATE analytics_entitydemand d SET
        query_count = d.query_count + v.n,
        rank = {ADD_RANKS.format(a="d.rank", b="v.rank")},
        first_queried_at = least(d.first_queried_at, to_timestamp(v.first_s)),
        last_queried_at = greatest(d.last_queried_at, to_timestamp(v.last_s)),
        {WINDOWS}
    FROM added v WHERE d.entity_id = v.id
    RETURNING d.organisation_id, d.entity_type, v.n, v.rank, d.query_count = v.n AS is_new
)
SELECT organisation_id, entity_type, sum(n)::bigint, count(*) FILTER (WHERE is_new),
    sum(power(2::float8, greatest(rank - %s::float8, -1000)))
FROM counted GROUP BY 1, 2
"""
# Questions of organisations that are gone are nobody's to read.
QUESTIONS = """
INSERT INTO analytics_askedquestion AS q (organisation_id, folded, text, day, asked, unanswered, last_asked_at)
SELECT v.organisation, v.folded, v.text, v.day, v.asked, v.unanswered, to_timestamp(v.last_s)
FROM json_to_recordset(%s::json)
    AS v (organisation uuid, folded text, text text, day date, asked int, unanswered int, last_s float8)
LEFT JOIN accounts_organisation o ON o.id = v.organisation
WHERE v.organisation IS NULL OR o.id IS NOT NULL
ORDER BY v.organisation, v.folded, v.day
ON CONFLICT (organisation_id, folded, day) DO UPDATE SET
    asked = q.asked + excluded.asked, unanswered = q.unanswered + excluded.unanswered,
    text = CASE WHEN excluded.last_asked_at >= q.last_asked_at THEN excluded.text ELSE q.text END,
    last_asked_at = greatest(q.last_asked_at, excluded.last_asked_at)
"""
# Scores of another moment are brought to this one by the half-life.
TOTALS = """
INSERT INTO analytics_entitytotal AS t (organisation_id, entity_type, entities, queries, with_demand, needing_update,
    demand, demand_at)
SELECT organisation, entity_type, 0, queries, fresh, 0, demand, to_timestamp(%s::float8)
FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::float8[])
    AS v (organisation, entity_type, queries, fresh, demand)
ORDER BY organisation, entity_type
ON CONFLICT (organisation_id, entity_type) DO UPDATE SET
    queries = t.queries + excluded.queries, with_demand = t.with_demand + excluded.with_demand,
    demand = excluded.demand
        + t.demand * power(2::float8,
            greatest(extract(epoch FROM t.demand_at - excluded.demand_at)::float8 / %s::float8, -1000)),
    demand_at = excluded.demand_at
"""


@dataclass(slots=True)
class Counted:
    """`applied` entries were counted now, `already` had been; `dead` name entities that do not exist."""

    applied: int = 0
    already: int = 0
    dead: list[Dead] = field(default_factory=list)


def count_signals(
    *, stream: str, signals: Sequence[Signal], consumer: str, payloads: dict[int, dict[str, Any]] | None = None
) -> Counted:
    """Count them, all or none. `payloads`: of entries, for those that turn out to be dead. Raises database errors."""
    counted, left = Counted(), list(signals)
    while left:
        written = _written(add_up(left))
        try:
            with transaction.atomic():
                missing = _apply(stream, written, consumer)
            if missing is None:
                counted.applied += len(left)
                break
        except SeenBeforeError as seen:
            counted.already += len(seen.numbers)
            left = [signal for signal in left if signal[0] not in seen.numbers]
            continue
        unknown = _begin(missing)
        counted.dead += _dead_of(stream, [s for s in left if s[1] in unknown], {} if payloads is None else payloads)
        left = [signal for signal in left if signal[1] not in unknown]
    keep_dead(counted.dead)
    return counted


@dataclass(slots=True)
class Written:
    """A batch as the statements take it: made before the first lock, since other consumers wait behind it."""

    sums: Sums
    entities: str
    count: int
    columns: list[str]  # of COUNT, signals by entity and hour
    questions: str
    ledger: Ledger


def _written(sums: Sums) -> Written:
    ids: list[str] = []
    hours: list[int] = []
    counts: list[list[int]] = []
    for hour, asked in sums.hours.items():
        ids += asked
        hours += [hour] * len(asked)
        counts += asked.values()
    columns = [
        literal(ids),
        literal(hours),
        literal([count[0] for count in counts]),
        literal([count[1] / 1000 for count in counts]),
        literal([count[2] / 1000 for count in counts]),
    ]
    entities = sums.entities
    return Written(sums, literal(entities), len(entities), columns, _questions_of(sums), Ledger(sums.numbers))


def _apply(stream: str, written: Written, consumer: str) -> list[str] | None:
    """Within the caller's transaction: everything; or nothing but locks, and the entities that have no row yet (none:
    somebody has just made it)."""
    with raw_cursor() as cursor:
        windows_at, half_life_days = _frame(cursor)
        totals: list[Any] = []
        if written.count:
            if cursor.execute(LOCK, [written.entities]).fetchone()[0] < written.count:
                return [row[0] for row in cursor.execute(MISSING, [written.entities]).fetchall()]
            totals = _count(cursor, written, half_life_days, windows_at)
        if written.questions:
            cursor.execute(QUESTIONS, [written.questions])
        moved: set[Any] = {organisation for organisation, _, _ in written.sums.questions}
        if totals:
            _totals(cursor, totals, half_life_days)
            moved |= {row[0] for row in totals}
        live.moved_on_commit(moved)
        written.ledger.enter(cursor, stream, consumer)
    return None


def _frame(cursor: Any) -> tuple[int, float]:
    cursor.execute(CLOCK)
    row = cursor.execute(CLOCK_READ).fetchone()
    if row is None:
        frame = clock()
        cursor.execute(
            "INSERT INTO analytics_demandclock (id, windows_at, half_life_days, lost) "
            "VALUES (1, %s, %s, 0) ON CONFLICT DO NOTHING",
            [frame.windows_at, frame.half_life_days],
        )
        row = cursor.execute(CLOCK_READ).fetchone()
    return int(row[0]), float(row[1])


def _count(cursor: Any, written: Written, half_life_days: float, windows_at: int) -> list[Any]:
    """Of what the batch holds, by organisation and type: (organisation, type, signals, entities new, score, as of
    which rank)."""
    told = weights(written.sums.hours, half_life_days=half_life_days, windows_at=windows_at)
    top = max(weight.half_lives for weight in told.values())
    rows = cursor.execute(
        COUNT,
        [
            *written.columns,
            literal(told),
            literal([weight.half_lives - top for weight in told.values()]),
            *(literal(column) for column in zip(*(weight.windows for weight in told.values()), strict=True)),
            top,
            top,
        ],
    ).fetchall()
    return [(*row, top) for row in rows]


def _totals(cursor: Any, totals: list[Any], half_life_days: float) -> None:
    now_s = timezone.now().timestamp()
    here = half_lives(now_s, half_life_days)
    cursor.execute(
        TOTALS,
        [
            now_s,
            [row[0] for row in totals],
            [row[1] for row in totals],
            [row[2] for row in totals],
            [row[3] for row in totals],
            [row[4] * 2.0 ** (row[5] - here) for row in totals],
            half_life_days * 86400,
        ],
    )


def _questions_of(sums: Sums) -> str:
    rows = [
        {
            "organisation": organisation,
            "folded": folded,
            "text": question.text,
            "day": day_of(day),
            "asked": question.asked,
            "unanswered": question.unanswered,
            "last_s": question.last_ms / 1000,
        }
        for (organisation, folded, day), question in sums.questions.items()
    ]
    return orjson.dumps(rows).decode() if rows else ""


def _begin(missing: list[str]) -> set[str]:
    """Rows for entities that are asked for the first time; those that do not exist. In a transaction of its own: so
    that the counting one takes all its locks in one order."""
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(BEGIN, [missing])
        found = cursor.execute(
            "SELECT entity_id::text FROM analytics_entitydemand WHERE entity_id = ANY(%s::text[]::uuid[])", [missing]
        ).fetchall()
    return set(missing) - {row[0] for row in found}


def _dead_of(stream: str, signals: list[Signal], payloads: dict[int, dict[str, Any]]) -> list[Dead]:
    reason = DeadSignal.Reason.UNKNOWN_ENTITY
    return [
        Dead(stream, signal[0], reason, f"There is no entity {signal[1]}.", payloads.get(signal[0], {}))
        for signal in signals
    ]


def clock() -> DemandClock:
    """The frame, as it is; as it would be begun where nothing was counted yet."""
    return DemandClock.objects.first() or DemandClock(
        windows_at=datetime.now(UTC).replace(minute=0, second=0, microsecond=0),
        half_life_days=float(settings.DEMAND_HALF_LIFE_DAYS),
    )
