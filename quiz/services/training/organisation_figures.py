"""Figures of training calls, in SQL: an organisation's, or one person's in it.

Days are UTC and whole; a call belongs to the day on which it came in. A criterion's score of a call is that of the
grader who counts: a person before a model before the rules, current grades only. An organisation's scores are read from
their sums by day (CriterionDay); days that have changed since are added up anew first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class Window:
    """Days `first` up to `last`, and as many before them, from `before` on."""

    before: date
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Day:
    """Calls of a day. `total`: of the overall scores of those `graded`."""

    day: date
    sessions: int
    completed: int
    closed: int
    graded: int
    total: float

    @property
    def average(self) -> float | None:
        return self.total / self.graded if self.graded else None


@dataclass(frozen=True, slots=True)
class CriterionFigures:
    """`calls` of the window that have a score, `by` whom; `average` of them; the same of the window before."""

    key: str
    name: str
    calls: int
    average: float | None
    by: dict[str, int]
    before_calls: int
    before_average: float | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person's calls of the window; `average` of the overall scores of those `graded`."""

    id: UUID
    name: str
    sessions: int
    closed: int
    graded: int
    average: float | None
    last_at: datetime | None


def window(*, days: int, today: date) -> Window:
    first = today - timedelta(days=days - 1)
    return Window(first - timedelta(days=days), first, today)


# Told as a literal, so that the planner knows whether one person is asked for.
CALLS = """
s.organisation_id = %(organisation)s AND (%(user)s::uuid IS NULL OR s.user_id = %(user)s::uuid)
AND s.created_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC'
AND s.created_at < (%(last)s::date + 1)::timestamp AT TIME ZONE 'UTC'
"""
# Day by day along the index: grouped by day, PostgreSQL would sort all calls, for it knows nothing of how many days.
DAYS = """
SELECT d.day::date, c.sessions, c.completed, c.closed, c.graded, c.total
FROM generate_series(%(since)s::date::timestamp, %(last)s::date::timestamp, interval '1 day') AS d(day), LATERAL (
  SELECT count(*) AS sessions, count(*) FILTER (WHERE s.status = 'done') AS completed, count(s.closed_at) AS closed,
    count(s.overall) AS graded, coalesce(sum(s.overall::float8), 0) AS total
  FROM quiz_trainingsession s
  WHERE s.organisation_id = %(organisation)s AND (%(user)s::uuid IS NULL OR s.user_id = %(user)s::uuid)
    AND s.created_at >= d.day AT TIME ZONE 'UTC' AND s.created_at < (d.day + interval '1 day') AT TIME ZONE 'UTC'
) AS c ORDER BY 1
"""
# Each score that counts, one row for each call and criterion: of calls s, which come between.
COUNTED = """
SELECT DISTINCT ON (s.id, c.key) (s.created_at AT TIME ZONE 'UTC')::date AS day, s.created_at, c.key, c.name, g.grader,
  x.score
FROM """
SCORES = """
JOIN quiz_sessiongrade g ON g.session_id = s.id AND g.is_current
JOIN quiz_gradescore x ON x.grade_id = g.id AND x.score IS NOT NULL
JOIN quiz_criterion c ON c.id = x.criterion_id
"""
IN_ORDER = """
ORDER BY s.id, c.key, CASE g.grader WHEN 'human' THEN 0 WHEN 'model' THEN 1 ELSE 2 END, g.created_at DESC, g.id"""
SUMS = """
SELECT {}, key, (array_agg(name ORDER BY created_at DESC))[1], count(*), sum(score),
  count(*) FILTER (WHERE grader = 'rule'), count(*) FILTER (WHERE grader = 'model'),
  count(*) FILTER (WHERE grader = 'human')
FROM ("""
IS_STALE = "SELECT EXISTS (SELECT FROM quiz_staleday WHERE organisation_id = %(organisation)s)"
# Lets calls of the organisation be written meanwhile, and nobody else catch up.
ONE_AT_A_TIME = "SELECT FROM accounts_organisation WHERE id = %(organisation)s FOR NO KEY UPDATE"
TAKE_STALE = "DELETE FROM quiz_staleday WHERE organisation_id = %(organisation)s RETURNING day"
FORGET_DAYS = "DELETE FROM quiz_criterionday WHERE organisation_id = %(organisation)s AND day = ANY(%(days)s)"
# A scattered list of days is found by the index on calls, not by reading them all.
OF_STALE_DAYS = """
unnest(%(days)s::date[]) AS d(day) JOIN quiz_trainingsession s ON s.organisation_id = %(organisation)s
  AND s.created_at >= d.day::timestamp AT TIME ZONE 'UTC' AND s.created_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
"""
MAKE_DAYS = (
    "INSERT INTO quiz_criterionday (organisation_id, day, key, name, calls, total, by_rule, by_model, by_human)\n"
    + SUMS.format("%(organisation)s, day")
    + COUNTED
    + OF_STALE_DAYS
    + SCORES
    + IN_ORDER
    + ") AS counted GROUP BY day, key"
)
CRITERIA = """
SELECT day < %(first)s AS is_before, key, (array_agg(name ORDER BY day DESC))[1], sum(calls), sum(total), sum(by_rule),
  sum(by_model), sum(by_human)
FROM quiz_criterionday WHERE organisation_id = %(organisation)s AND day BETWEEN %(since)s AND %(last)s GROUP BY 1, 2
"""
CRITERIA_OF_ONE = (
    SUMS.format("day < %(first)s")
    + COUNTED
    + "quiz_trainingsession s"
    + SCORES
    + "WHERE "
    + CALLS
    + IN_ORDER
    + ") AS counted GROUP BY 1, key"
)
PEOPLE = (
    """
WITH called AS (
  SELECT s.user_id, count(*) AS sessions, count(s.closed_at) AS closed, count(s.overall) AS graded,
    avg(s.overall::float8) AS average, max(s.created_at) AS last_at
  FROM quiz_trainingsession s WHERE s.user_id IS NOT NULL AND """
    + CALLS
    + """ GROUP BY 1
), everybody AS (
  SELECT coalesce(c.user_id, m.user_id) AS id, coalesce(c.sessions, 0) AS sessions, coalesce(c.closed, 0) AS closed,
    coalesce(c.graded, 0) AS graded, c.average, c.last_at
  FROM called c FULL JOIN (
    SELECT user_id FROM accounts_membership
    WHERE organisation_id = %(organisation)s AND (%(user)s::uuid IS NULL OR user_id = %(user)s::uuid)
  ) m ON m.user_id = c.user_id
)
SELECT e.id, coalesce(nullif(u.full_name, ''), u.email), e.sessions, e.closed, e.graded, e.average, e.last_at
FROM (
  SELECT * FROM everybody
  WHERE %(after_sessions)s::bigint IS NULL OR (-sessions, id) > (-%(after_sessions)s::bigint, %(after_id)s::uuid)
  ORDER BY -sessions, id LIMIT %(limit)s
) e JOIN accounts_user u ON u.id = e.id ORDER BY -e.sessions, e.id
"""
)


def days_of(*, organisation_id: UUID, user_id: UUID | None, window: Window) -> list[Day]:
    """Every day of the window and of the one before, in order."""
    parameters = _parameters(organisation_id, user_id, window.before, window)
    return [Day(*row) for row in _rows(DAYS, parameters)]


def criteria_of(*, organisation_id: UUID, user_id: UUID | None, window: Window) -> list[CriterionFigures]:
    """Those that have a score in the window, by name. One person's are added up from the scores themselves."""
    if user_id is None:
        catch_up(organisation_id=organisation_id)
    parameters = _parameters(organisation_id, user_id, window.before, window) | {"first": window.first}
    rows = _rows(CRITERIA if user_id is None else CRITERIA_OF_ONE, parameters)
    now = {row[1]: row for row in rows if not row[0]}
    before = {row[1]: row for row in rows if row[0]}
    found = []
    for key, row in now.items():
        old = before.get(key)
        by = {"rule": int(row[5]), "model": int(row[6]), "human": int(row[7])}
        old_calls, old_average = (int(old[3]), _average(old)) if old else (0, None)
        found.append(CriterionFigures(key, row[2], int(row[3]), _average(row), by, old_calls, old_average))
    return sorted(found, key=lambda each: (each.name, each.key))


def people_of(
    *, organisation_id: UUID, user_id: UUID | None, window: Window, limit: int, after: tuple[int, UUID] | None = None
) -> list[Person]:
    """Who has most calls first, then by id; members without any stand at the end. `after`: calls and id of the last
    one who has been told."""
    parameters = _parameters(organisation_id, user_id, window.first, window) | {
        "limit": limit,
        "after_sessions": after[0] if after else None,
        "after_id": after[1] if after else None,
    }
    return [Person(*row) for row in _rows(PEOPLE, parameters)]


def catch_up(*, organisation_id: UUID) -> int:
    """Add up anew what days have changed; how many those were.

    One at a time for an organisation, by the lock of its row. Marks are taken away before scores are read: whoever
    changes a score after that leaves a mark of their own.
    """
    parameters: dict[str, Any] = {"organisation": organisation_id}
    if not _rows(IS_STALE, parameters)[0][0]:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, parameters)
        cursor.execute(TAKE_STALE, parameters)
        days = sorted({row[0] for row in cursor.fetchall()})
        if days:
            parameters["days"] = days
            cursor.execute(FORGET_DAYS, parameters)
            cursor.execute(MAKE_DAYS, parameters)
    return len(days)


def _average(row: tuple[Any, ...]) -> float | None:
    return float(row[4]) / int(row[3]) if row[3] else None


def _parameters(organisation_id: UUID, user_id: UUID | None, since: date, window: Window) -> dict[str, Any]:
    return {"organisation": organisation_id, "user": user_id, "since": since, "last": window.last}


def _rows(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
