"""/api/analytics/projects: how many projects were opened and completed, by day."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.schema import problems
from accounts.pages import actor_of

from ..exceptions import Refused
from ..models import ProjectAnalytics

DAYS, MOST_DAYS = 30, 366
Shape = serializers.Serializer[Any]


class ProjectDaySerializer(Shape):
    day = serializers.DateField()
    currency = serializers.CharField()
    created = serializers.IntegerField()
    completed = serializers.IntegerField(help_text="On the day of the latest audit.")
    average_cost = serializers.DecimalField(
        max_digits=18, decimal_places=2, allow_null=True, help_text="Of the completed ones; null where none was."
    )


class ProjectAnalyticsSerializer(Shape):
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    created = serializers.IntegerField()
    completed = serializers.IntegerField()
    by_day = ProjectDaySerializer(many=True, help_text="Days on which something happened, oldest first, by currency.")


class ProjectAnalyticsView(APIView):
    @extend_schema(
        operation_id="analytics_projects",
        parameters=[
            OpenApiParameter("days", int, description=f"1 to {MOST_DAYS}, today (UTC) included; {DAYS} by default.")
        ],
        responses={200: ProjectAnalyticsSerializer, **problems({400: "`invalid_parameter`."})},
    )
    def get(self, request: Request) -> Response:
        """Projects opened and completed by day, of what the caller may see. Reckoned every night (01:40 UTC): today's
        are in it from tomorrow on."""
        last = timezone.now().astimezone(UTC).date()
        first = last - timedelta(days=_days(request) - 1)
        rows = ProjectAnalytics.objects.visible_to(actor_of(request)).by_day(first, last)
        told = {
            "first_day": first,
            "last_day": last,
            "created": sum(row["created"] for row in rows),
            "completed": sum(row["completed"] for row in rows),
            "by_day": rows,
        }
        return Response(ProjectAnalyticsSerializer(told).data)


def _days(request: Request) -> int:
    text = request.query_params.get("days", str(DAYS))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_DAYS):
        raise Refused(
            f"`days` is a whole number from 1 to {MOST_DAYS}.", code="invalid_parameter", extra={"parameter": "days"}
        )
    return int(text)
