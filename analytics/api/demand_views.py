"""/api/analytics/demand/…: what is asked for. Each answer is kept for two seconds per circle of organisations."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.pages import actor_of
from config.cache import get_or_set

from ..exceptions import BadRequest
from ..services import demand, demand_patterns
from ..streams.trends import SPANS
from . import demand_serializers as shapes
from .demand_parameters import LIMIT, MOST, identity, limit_of, number, timeframe_of, truth, type_of, whole

PROBLEM = OpenApiResponse(OpenApiTypes.OBJECT, description="Problem details (RFC 9457).")
LIMIT_PARAMETER = OpenApiParameter("limit", int, description=f"1 to {MOST}; {LIMIT} by default.")
TIMEFRAME = OpenApiParameter("timeframe", str, enum=list(SPANS), description="7d by default.")
STALE = [
    OpenApiParameter("min_demand_score", float, description="0 to 1,000,000; 5 by default."),
    OpenApiParameter("days_since_update", int, description="0 to 3,650; 30 by default."),
]
ENTITY_TYPE = OpenApiParameter("entity_type", str, description="None: all.")
EXPORTS = ("top", "trending", "stale", "queries")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes a text that begins so for a formula


def kept(name: str, request: Request, parts: Sequence[str | int], make: Callable[[demand.Scope], demand.Row]) -> Any:
    scope = demand.scope_of(actor_of(request))
    return get_or_set("demand", (name, scope.key, *parts), lambda: make(scope))


class StatsView(APIView):
    @extend_schema(responses={200: shapes.StatsSerializer})
    def get(self, request: Request) -> Response:
        """Totals of what the caller may see."""
        return Response(kept("stats", request, (), lambda scope: demand.stats(scope=scope)))


def top(request: Request, limit: int) -> Any:
    entity_type = type_of(request.query_params)
    return kept(
        "top",
        request,
        (limit, entity_type),
        lambda scope: demand.top(scope=scope, limit=limit, entity_type=entity_type),
    )


class TopView(APIView):
    @extend_schema(parameters=[LIMIT_PARAMETER, ENTITY_TYPE], responses={200: shapes.TopSerializer, 400: PROBLEM})
    def get(self, request: Request) -> Response:
        """What is wanted most, by decayed score."""
        return Response(top(request, limit_of(request.query_params)))


def trending(request: Request, limit: int) -> Any:
    timeframe = timeframe_of(request.query_params)
    return kept(
        "trending",
        request,
        (limit, timeframe),
        lambda scope: demand.trending(scope=scope, limit=limit, timeframe=timeframe),
    )


class TrendingView(APIView):
    @extend_schema(parameters=[LIMIT_PARAMETER, TIMEFRAME], responses={200: shapes.TrendingSerializer, 400: PROBLEM})
    def get(self, request: Request) -> Response:
        """What is asked for clearly more than in the window before."""
        return Response(trending(request, limit_of(request.query_params)))


def stale(request: Request, limit: int) -> Any:
    least = number(request.query_params, "min_demand_score", default=5.0, least=0, most=1_000_000)
    days = whole(request.query_params, "days_since_update", default=30, least=0, most=3650)
    return kept(
        "stale",
        request,
        (limit, repr(least), days),
        lambda scope: demand.stale(scope=scope, limit=limit, min_demand_score=least, days_since_update=days),
    )


class StaleView(APIView):
    @extend_schema(parameters=[LIMIT_PARAMETER, *STALE], responses={200: shapes.StaleSerializer, 400: PROBLEM})
    def get(self, request: Request) -> Response:
        """What is wanted, and marked for an update or not refreshed for long."""
        return Response(stale(request, limit_of(request.query_params)))


class EntityView(APIView):
    @extend_schema(responses={200: shapes.OneEntitySerializer, 400: PROBLEM, 404: PROBLEM})
    def get(self, request: Request, entity_id: str) -> Response:
        """The demand for one entity, with its series over 30 days."""
        scope, pk = demand.scope_of(actor_of(request)), identity(entity_id)
        found = get_or_set("demand", ("entity", scope.key, pk), lambda: demand.entity(scope=scope, entity_id=pk))
        return Response(found)


class RelatedView(APIView):
    @extend_schema(parameters=[LIMIT_PARAMETER], responses={200: shapes.RelatedSerializer, 400: PROBLEM, 404: PROBLEM})
    def get(self, request: Request, entity_id: str) -> Response:
        """What is asked for in the same hours."""
        user, pk, limit = actor_of(request), identity(entity_id), limit_of(request.query_params)
        key = ("related", demand.scope_of(user).key, pk, limit)
        found = get_or_set(
            "demand_patterns", key, lambda: demand_patterns.related(user=user, entity_id=pk, limit=limit)
        )
        return Response(found)


class SpikesView(APIView):
    @extend_schema(
        parameters=[LIMIT_PARAMETER, OpenApiParameter("hours", int, description="1 to 168; 24 by default.")],
        responses={200: shapes.SpikesSerializer, 400: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """Hours in which something was asked for far more than in the days before."""
        limit = limit_of(request.query_params)
        hours = whole(request.query_params, "hours", default=24, least=1, most=168)
        scope = demand.scope_of(actor_of(request))
        found = get_or_set(
            "demand_patterns",
            ("spikes", scope.key, limit, hours),
            lambda: demand_patterns.recent_spikes(scope=scope, limit=limit, hours=hours),
        )
        return Response(found)


def queries(request: Request, limit: int) -> Any:
    days = whole(request.query_params, "days", default=7, least=1, most=365)
    missed = truth(request.query_params, "unanswered")
    return demand.queries(user=actor_of(request), limit=limit, days=days, unanswered=missed)


class QueriesView(APIView):
    @extend_schema(
        parameters=[
            LIMIT_PARAMETER,
            OpenApiParameter("days", int, description="1 to 365; 7 by default."),
            OpenApiParameter("unanswered", bool, description="Only what found nothing."),
        ],
        responses={200: shapes.QueriesSerializer, 400: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """What the caller's organisations asked, one line for each question however it was spelt."""
        return Response(queries(request, limit_of(request.query_params)))


class ExportView(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("what", str, required=True, enum=list(EXPORTS)),
            OpenApiParameter("limit", int, description="1 to 1,000; 100 by default."),
            ENTITY_TYPE,
            TIMEFRAME,
            *STALE,
            OpenApiParameter("days", int),
            OpenApiParameter("unanswered", bool),
        ],
        responses={(200, "text/csv"): OpenApiTypes.STR, 400: PROBLEM},
    )
    def get(self, request: Request) -> HttpResponse:
        """One of the lists as CSV, with the parameters of its endpoint."""
        makers = {"top": top, "trending": trending, "stale": stale, "queries": queries}
        what = request.query_params.get("what", "")
        if what not in makers:
            raise BadRequest(f"`what` is one of {', '.join(EXPORTS)}.", extra={"parameter": "what"})
        limit = whole(request.query_params, "limit", default=100, least=1, most=1000)
        found = makers[what](request, limit)
        rows = next(value for value in found.values() if isinstance(value, list))
        headers = {"Content-Disposition": f'attachment; filename="demand-{what}.csv"'}
        return HttpResponse(as_csv(rows), content_type="text/csv; charset=utf-8", headers=headers)


def as_csv(rows: Sequence[demand.Row]) -> str:
    """With the mark by which spreadsheets know UTF-8; texts that would be formulas begin with an apostrophe."""
    out = io.StringIO()
    out.write("\ufeff")
    if rows:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return "'" + value if value.lstrip().startswith(FORMULA) or value.startswith(FORMULA) else value
    return value.isoformat() if hasattr(value, "isoformat") else value
