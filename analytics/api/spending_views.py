"""/api/analytics/ai: what language models cost."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.schema import problems
from accounts.pages import actor_of

from ..services import spending
from .demand_parameters import whole

Shape = serializers.Serializer[Any]


class SpentSerializer(Shape):
    calls = serializers.IntegerField()
    cached = serializers.IntegerField(help_text="Answered from the cache, at no cost.")
    failed = serializers.IntegerField()
    tokens_in = serializers.IntegerField()
    tokens_out = serializers.IntegerField()
    cost_usd = serializers.DecimalField(max_digits=14, decimal_places=6, help_text="An estimate for calls that run.")


class SpentInAllSerializer(SpentSerializer):
    cache_hit_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null: nothing was asked.")


class SpentOnPurposeSerializer(SpentInAllSerializer):
    purpose = serializers.CharField()


class SpentOnDaySerializer(SpentInAllSerializer):
    day = serializers.DateField()


class SpentOnDayAndPurposeSerializer(SpentSerializer):
    day = serializers.DateField()
    purpose = serializers.CharField()


class BudgetSerializer(Shape):
    daily_usd = serializers.DecimalField(max_digits=14, decimal_places=6, allow_null=True, help_text="null: no limit.")
    spent_today_usd = serializers.DecimalField(max_digits=14, decimal_places=6)


class SpendingSerializer(Shape):
    days = serializers.IntegerField()
    provider = serializers.CharField(help_text="offline: no model is configured.")
    model = serializers.CharField()
    is_configured = serializers.BooleanField()
    budget = BudgetSerializer(allow_null=True, help_text="Of the whole installation; null for all but staff.")
    totals = SpentInAllSerializer()
    by_purpose = SpentOnPurposeSerializer(many=True)
    by_day = SpentOnDaySerializer(many=True)
    by_day_and_purpose = SpentOnDayAndPurposeSerializer(many=True)


class SpendingView(APIView):
    @extend_schema(
        operation_id="analytics_ai",
        parameters=[OpenApiParameter("days", int, description="1 to 90, today (UTC) included; 30 by default.")],
        responses={
            200: SpendingSerializer,
            **problems(
                {400: "`invalid_parameter`.", 404: "`spending_not_found`: you own no organisation and are no staff."}
            ),
        },
    )
    def get(self, request: Request) -> Response:
        """Calls of language models, their tokens, cost and cache hits, by purpose and day: of the organisations that
        the caller owns; for staff who may view calls, of all."""
        days = whole(request.query_params, "days", default=spending.DAYS, least=1, most=spending.MOST_DAYS)
        return Response(SpendingSerializer(spending.spending(user=actor_of(request), days=days)).data)
