"""What all pages of training calls share: who the asker is there, the tabs, and reading what forms send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import Membership, Organisation
from accounts.pages import PageRequest

from ..models import TrainingSession
from ..services.training.access import TELL_COACH
from ..training_exceptions import BadForm, CoachesOnly, SessionMissing
from ..training_querysets import COACHES

MOST_WAITING = 99


@dataclass(frozen=True, slots=True)
class Standing:
    """Organisations of the asker: all, those where they may write, those that they coach, and own; by name."""

    all: list[Organisation]
    written: list[Organisation]
    coached: list[Organisation]
    owned: list[Organisation]

    @property
    def is_coach(self) -> bool:
        return bool(self.coached)

    @property
    def is_owner(self) -> bool:
        return bool(self.owned)

    def require_coach(self) -> None:
        """Raises CoachesOnly (403)."""
        if not self.coached:
            raise CoachesOnly(TELL_COACH)

    def coached_one(self, told: str) -> Organisation:
        """The one that a form names; the only one unless it does. Raises SessionMissing."""
        return self._one(self.coached, told)

    def written_one(self, told: str) -> Organisation:
        return self._one(self.written or self.all, told)

    def owned_one(self, told: str) -> Organisation:
        return self._one(self.owned, told)

    def _one(self, among: list[Organisation], told: str) -> Organisation:
        found = [each for each in among if str(each.pk) == told] if told else among[:1]
        if not found:
            raise SessionMissing("You are a member of no such organisation.", code="organisation_not_found")
        return found[0]


def standing_of(request: PageRequest) -> Standing:
    """One query."""
    rows = Membership.objects.of(request.user).select_related("organisation").order_by("organisation__name", "pk")
    told = [(row.organisation, row.role) for row in rows]
    return Standing(
        all=[organisation for organisation, _ in told],
        written=[organisation for organisation, role in told if role != Membership.Role.VIEWER],
        coached=[organisation for organisation, role in told if role in COACHES],
        owned=[organisation for organisation, role in told if role == Membership.Role.OWNER],
    )


def shown(
    request: PageRequest, template: str, context: dict[str, Any], *, standing: Standing, status: int = 200
) -> HttpResponse:
    """The page, with its tabs: those of coaches say how many calls wait for one."""
    waiting = 0
    if standing.is_coach:
        rows = TrainingSession.objects.filter(organisation__in=standing.coached).to_review()
        waiting = rows.order_by()[: MOST_WAITING + 1].count()
    told = {"standing": standing, "waiting": waiting, "most_waiting": MOST_WAITING}
    return render(request, template, context | told, status=status)


def uuid_of(told: str | None) -> UUID | None:
    """None: nothing was told, or no id."""
    try:
        return UUID(told) if told else None
    except ValueError:
        return None


def moment_of(told: str) -> datetime | None:
    """Of a field of date and time; UTC, as all times on the pages. Raises BadForm."""
    if not told.strip():
        return None
    try:
        found = parse_datetime(told.strip())
    except ValueError:
        found = None
    if found is None:
        raise BadForm("That is no day and time.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)
