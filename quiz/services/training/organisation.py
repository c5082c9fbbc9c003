"""How an organisation's training goes: calls, grades, criteria, days and people, beside the period before.

Coaches and owners see all of it, everybody else their own calls alone. What coaches see is kept for two minutes, and
made stale by whatever grades, closes or opens a call: `invalidate`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from uuid import UUID

from django.utils import timezone

from accounts.models import Organisation, User
from accounts.querysets import acting_organisation_id
from config import cache

from ...training_exceptions import BadPeriod, OrganisationMissing
from . import organisation_figures as figures
from .access import coaches
from .organisation_figures import CriterionFigures, Day, Person, Window

PERIODS = {"7d": 7, "30d": 30, "90d": 90}
FIRST_PERIOD = "30d"
PEOPLE = 50  # on a page of the table
MOST_PEOPLE = 200
AT_ONCE = 1000  # of a file's


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked about: `user_id` where somebody may see their own calls alone."""

    organisation_id: UUID
    name: str
    user_id: UUID | None

    @property
    def word(self) -> str:
        return "organisation" if self.user_id is None else "own"


@dataclass(frozen=True, slots=True)
class Totals:
    """Calls that came in. `completed`: read, measured and graded. `average`: of the overall scores of those `graded`
    with one; rules give none."""

    sessions: int
    completed: int
    closed: int
    graded: int
    average: float | None

    @property
    def completion_rate(self) -> float | None:
        return self.completed / self.sessions if self.sessions else None

    @property
    def close_rate(self) -> float | None:
        return self.closed / self.sessions if self.sessions else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything but people. `trend`: every day of the window, in order, those without calls too."""

    window: Window
    now: Totals
    before: Totals
    criteria: list[CriterionFigures]
    trend: list[Day]


@dataclass(frozen=True, slots=True)
class People:
    """A page of the table; `cursor` leads on, None: that was all."""

    rows: list[Person]
    cursor: str | None


def scope_of(*, user: User, organisation_id: UUID | None = None) -> Scope:
    """None: the organisation that the user acts for. Raises OrganisationMissing (404) for whoever is no member."""
    wanted = organisation_id or acting_organisation_id(user)
    found = Organisation.objects.visible_to(user).filter(pk=wanted).first() if wanted else None
    if found is None:
        raise OrganisationMissing("You are a member of no such organisation.")
    return Scope(found.pk, found.name, None if coaches(user, found.pk) else user.pk)


def days_of(period: str) -> int:
    """Raises BadPeriod."""
    try:
        return PERIODS[period]
    except KeyError:
        raise BadPeriod(f"`period` is one of {', '.join(PERIODS)}.", extra={"parameter": "period"}) from None


def figures_of(*, scope: Scope, period: str) -> Figures:
    """Of the last 7, 30 or 90 days (UTC, today among them). Raises BadPeriod."""
    days = days_of(period)
    if scope.user_id is not None:
        return _made(scope, days)
    return cache.get_or_set("analytics", (scope.organisation_id, period), lambda: _made(scope, days))


def invalidate(organisation_id: UUID) -> None:
    """A call of it was graded, closed, opened or removed: its figures are made anew once the transaction commits."""
    for period in PERIODS:
        cache.forget("analytics", organisation_id, period)


def people_of(*, scope: Scope, period: str, cursor: str = "", limit: int = PEOPLE) -> People:
    """Whoever has most calls first. Raises BadPeriod, also for a cursor that is none."""
    told = figures.window(days=days_of(period), today=_today())
    limit = max(1, min(limit, MOST_PEOPLE))
    rows = figures.people_of(
        organisation_id=scope.organisation_id,
        user_id=scope.user_id,
        window=told,
        limit=limit + 1,
        after=_read_cursor(cursor) if cursor else None,
    )
    shown = rows[:limit]
    return People(shown, _cursor(shown[-1]) if len(rows) > limit else None)


def everybody(*, scope: Scope, period: str) -> Iterator[Person]:
    """For a file: read a thousand at a time."""
    told = figures.window(days=days_of(period), today=_today())
    after: tuple[int, UUID] | None = None
    while True:
        rows = figures.people_of(
            organisation_id=scope.organisation_id, user_id=scope.user_id, window=told, limit=AT_ONCE, after=after
        )
        yield from rows
        if len(rows) < AT_ONCE:
            return
        after = (rows[-1].sessions, rows[-1].id)


def _made(scope: Scope, days: int) -> Figures:
    told = figures.window(days=days, today=_today())
    rows = figures.days_of(organisation_id=scope.organisation_id, user_id=scope.user_id, window=told)
    criteria = figures.criteria_of(organisation_id=scope.organisation_id, user_id=scope.user_id, window=told)
    now = [row for row in rows if row.day >= told.first]
    before = [row for row in rows if row.day < told.first]
    return Figures(told, _totals(now), _totals(before), criteria, now)


def _totals(rows: list[Day]) -> Totals:
    graded = sum(row.graded for row in rows)
    return Totals(
        sessions=sum(row.sessions for row in rows),
        completed=sum(row.completed for row in rows),
        closed=sum(row.closed for row in rows),
        graded=graded,
        average=sum(row.total for row in rows) / graded if graded else None,
    )


def _today() -> date:
    return timezone.now().astimezone(UTC).date()


def _cursor(person: Person) -> str:
    return base64.urlsafe_b64encode(f"{person.sessions}.{person.id.hex}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[int, UUID]:
    refusal = BadPeriod("`cursor` is not one that was told. Begin again without it.", extra={"parameter": "cursor"})
    try:
        told = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
        sessions, _, identity = told.partition(".")
        found = int(sessions), UUID(identity)
    except ValueError:  # of base64, of UTF-8, of numbers
        raise refusal from None
    if not 0 <= found[0] < 1 << 62:
        raise refusal
    return found
