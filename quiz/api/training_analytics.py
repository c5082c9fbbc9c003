"""/api/analytics/organisation: how an organisation's training calls go, and the same as files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.pages import actor_of

from ..services.training import organisation as analytics
from ..services.training.organisation import Figures, Scope, Totals
from ..services.training.organisation_figures import Person
from ..training_exceptions import BadPeriod, OrganisationMissing
from .attempt_views import PROBLEM

# A spreadsheet takes a text that begins so for a formula (OWASP: CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")
FILES = ("people", "criteria", "days")
PERIOD = OpenApiParameter("period", str, enum=list(analytics.PERIODS), description="30d by default.")
ORGANISATION = OpenApiParameter("organisation", UUID, description="The one joined first by default.")


class TotalsSerializer(serializers.Serializer[Any]):
    sessions = serializers.IntegerField(help_text="Calls that came in.")
    completed = serializers.IntegerField(help_text="Of them, those read, measured and graded.")
    completion_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null without calls.")
    closed = serializers.IntegerField(help_text="Of them, those that a coach has closed.")
    close_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null without calls.")
    graded = serializers.IntegerField(help_text="Of them, those with an overall score: n of `average`.")
    average = serializers.FloatField(allow_null=True, help_text="Of overall scores, 0 to 100.")


class CriterionBeforeSerializer(serializers.Serializer[Any]):
    n = serializers.IntegerField()
    average = serializers.FloatField(allow_null=True)


class CriterionGradersSerializer(serializers.Serializer[Any]):
    rule = serializers.IntegerField()
    model = serializers.IntegerField()
    human = serializers.IntegerField()


class CriterionAverageSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    n = serializers.IntegerField(help_text="Calls with a score.")
    average = serializers.FloatField(allow_null=True, help_text="0 to 100.")
    by = CriterionGradersSerializer(help_text="Whose scores count: a person's before a model's before the rules'.")
    before = CriterionBeforeSerializer()


class TrendDaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    sessions = serializers.IntegerField()
    completed = serializers.IntegerField()
    closed = serializers.IntegerField()
    graded = serializers.IntegerField()
    average = serializers.FloatField(allow_null=True)


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    sessions = serializers.IntegerField()
    closed = serializers.IntegerField()
    graded = serializers.IntegerField()
    average = serializers.FloatField(allow_null=True)
    last = serializers.DateTimeField(allow_null=True, help_text="When the latest call of the period came in.")


class PeopleSerializer(serializers.Serializer[Any]):
    results = PersonSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page; null: that was all.")


class OrganisationNameSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class OrganisationAnalyticsSerializer(TotalsSerializer):
    organisation = OrganisationNameSerializer()
    scope = serializers.ChoiceField(
        choices=["organisation", "own"], help_text="`own`: the caller may see their own calls alone."
    )
    period = serializers.ChoiceField(choices=list(analytics.PERIODS))
    first_day = serializers.DateField(help_text="UTC.")
    last_day = serializers.DateField()
    before = TotalsSerializer(help_text="As many days before.")
    criteria = CriterionAverageSerializer(many=True)
    trend = TrendDaySerializer(many=True)
    users = PeopleSerializer()


class OrganisationAnalyticsView(APIView):
    @extend_schema(
        parameters=[
            PERIOD,
            ORGANISATION,
            OpenApiParameter("cursor", str, description="Of `users.next`: further people."),
            OpenApiParameter("limit", int, description="People on a page, 1 to 200; 50 by default."),
        ],
        responses={200: OrganisationAnalyticsSerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """How training calls go, beside the period before. Coaches and owners see the organisation, others themselves.

        All but `users` may be two minutes old; a grade or a close makes it anew at once.
        """
        scope, period = asked(request)
        told = analytics.figures_of(scope=scope, period=period)
        people = analytics.people_of(
            scope=scope, period=period, cursor=request.query_params.get("cursor", ""), limit=limit_of(request)
        )
        users = {"results": [_person(row) for row in people.rows], "next": people.cursor}
        return Response(OrganisationAnalyticsSerializer(_told(scope, period, told) | {"users": users}).data)


class OrganisationExportView(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("what", str, required=True, enum=list(FILES)), PERIOD, ORGANISATION],
        responses={(200, "text/csv"): OpenApiTypes.STR, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """People, criteria or days of a period as CSV."""
        scope, period = asked(request)
        return file_of(scope, period, request.query_params.get("what", ""))


def asked(request: Request) -> tuple[Scope, str]:
    told = request.query_params.get("organisation", "")
    try:
        organisation_id = UUID(told) if told else None
    except ValueError:
        raise OrganisationMissing("You are a member of no such organisation.") from None
    period = request.query_params.get("period") or analytics.FIRST_PERIOD
    analytics.days_of(period)
    return analytics.scope_of(user=actor_of(request), organisation_id=organisation_id), period


def limit_of(request: Request) -> int:
    told = request.query_params.get("limit") or str(analytics.PEOPLE)
    if not (told.isascii() and told.isdigit() and 1 <= int(told[:9]) <= analytics.MOST_PEOPLE):
        message = f"`limit` is 1 to {analytics.MOST_PEOPLE}."
        raise BadPeriod(message, extra={"parameter": "limit"})
    return int(told)


def file_of(scope: Scope, period: str, what: str) -> StreamingHttpResponse:
    """Written as it is read. Raises BadPeriod."""
    makers = {"people": _people_rows, "criteria": _criteria_rows, "days": _day_rows}
    if what not in makers:
        raise BadPeriod(f"`what` is one of {', '.join(FILES)}.", extra={"parameter": "what"})
    analytics.days_of(period)
    answer = StreamingHttpResponse(_written(makers[what](scope, period)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="training-{what}-{period}.csv"'
    return answer


def _people_rows(scope: Scope, period: str) -> Iterator[tuple[Any, ...]]:
    yield "id", "name", "sessions", "closed", "graded", "average", "last"
    for row in analytics.everybody(scope=scope, period=period):
        yield row.id, row.name, row.sessions, row.closed, row.graded, _rounded(row.average), row.last_at


def _criteria_rows(scope: Scope, period: str) -> Iterator[tuple[Any, ...]]:
    yield "key", "name", "n", "average", "by_rule", "by_model", "by_human", "n_before", "average_before"
    for row in analytics.figures_of(scope=scope, period=period).criteria:
        by = row.by["rule"], row.by["model"], row.by["human"]
        yield row.key, row.name, row.calls, _rounded(row.average), *by, row.before_calls, _rounded(row.before_average)


def _day_rows(scope: Scope, period: str) -> Iterator[tuple[Any, ...]]:
    yield "day", "sessions", "completed", "closed", "graded", "average"
    for row in analytics.figures_of(scope=scope, period=period).trend:
        yield row.day, row.sessions, row.completed, row.closed, row.graded, _rounded(row.average)


class _Line:
    """What csv writes into: gives the line back."""

    def write(self, line: str) -> str:
        return line


def _written(rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    writer = csv.writer(_Line(), lineterminator="\r\n")
    yield "\ufeff"  # by which Excel knows UTF-8
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        text = value.replace("\x00", "")
        return f"'{text}" if text.lstrip().startswith(FORMULA) else text
    return "" if value is None else value


def _told(scope: Scope, period: str, told: Figures) -> dict[str, Any]:
    criteria = [
        {
            "key": row.key,
            "name": row.name,
            "n": row.calls,
            "average": _rounded(row.average),
            "by": row.by,
            "before": {"n": row.before_calls, "average": _rounded(row.before_average)},
        }
        for row in told.criteria
    ]
    trend = [
        {
            "day": row.day,
            "sessions": row.sessions,
            "completed": row.completed,
            "closed": row.closed,
            "graded": row.graded,
            "average": _rounded(row.average),
        }
        for row in told.trend
    ]
    return _totals(told.now) | {
        "organisation": {"id": scope.organisation_id, "name": scope.name},
        "scope": scope.word,
        "period": period,
        "first_day": told.window.first,
        "last_day": told.window.last,
        "before": _totals(told.before),
        "criteria": criteria,
        "trend": trend,
    }


def _totals(told: Totals) -> dict[str, Any]:
    return {
        "sessions": told.sessions,
        "completed": told.completed,
        "completion_rate": _rounded(told.completion_rate, 4),
        "closed": told.closed,
        "close_rate": _rounded(told.close_rate, 4),
        "graded": told.graded,
        "average": _rounded(told.average),
    }


def _person(row: Person) -> dict[str, Any]:
    figures = {"sessions": row.sessions, "closed": row.closed, "graded": row.graded}
    return {"id": row.id, "name": row.name, **figures, "average": _rounded(row.average), "last": row.last_at}


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
