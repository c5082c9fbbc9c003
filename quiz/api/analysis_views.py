"""Item analysis over the API: for those whom the site lets see item statistics; nobody else finds it."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.pages import actor_of

from ..models import ItemStatistics
from ..practice.markup import bare_text
from ..services import item_statistics as items
from ..statistics import FLAGS
from .attempt_views import PROBLEM


class ChoiceTakersSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    is_right = serializers.BooleanField()
    takers = serializers.ListField(
        child=serializers.IntegerField(), help_text="Of the weakest 27 % of those ranked, the middle, the best 27 %."
    )


class ItemFlagSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    word = serializers.CharField()
    means = serializers.CharField(help_text="What the heuristic rests on.")


class ItemStatisticsSerializer(serializers.Serializer[Any]):
    version = serializers.UUIDField(help_text="Of the wording.")
    question = serializers.UUIDField()
    external_id = serializers.CharField()
    bank = serializers.CharField()
    edition = serializers.CharField()
    category = serializers.CharField()
    stem = serializers.CharField(help_text="Words alone.")
    is_current = serializers.BooleanField(help_text="Whether it is the question's wording now.")
    answers = serializers.IntegerField(help_text="First answers of each person: n of `facility`, `median_seconds`.")
    facility = serializers.FloatField(allow_null=True, help_text="Null under 30 of them.")
    median_seconds = serializers.FloatField(allow_null=True)
    ranked = serializers.IntegerField(help_text="People with enough other answers: n of all below.")
    discrimination = serializers.FloatField(allow_null=True, help_text="Best 27 % less weakest 27 %, -1 to 1.")
    item_total = serializers.FloatField(allow_null=True, help_text="Corrected item-total correlation, -1 to 1.")
    choices = ChoiceTakersSerializer(many=True)
    flags = ItemFlagSerializer(many=True)
    analysed_at = serializers.DateTimeField()


class AnalysisView(GenericAPIView[ItemStatistics]):
    queryset = ItemStatistics.objects.none()
    serializer_class = ItemStatisticsSerializer
    filter_backends = ()

    @extend_schema(
        parameters=[
            OpenApiParameter("bank", str, description="Id of a bank."),
            OpenApiParameter("category", str, description="Id of a category."),
            OpenApiParameter("flag", str, enum=list(FLAGS), description="With this flag alone."),
            OpenApiParameter("show", str, enum=list(items.STATES), description="`told`, the default: with figures."),
            OpenApiParameter("sort", str, enum=list(items.SORTS), description=f"`{items.FIRST_SORT}` by default."),
        ],
        responses={200: ItemStatisticsSerializer(many=True), 404: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """How questions do, by the first answers of each person. Needs the permission to view item statistics."""
        rows = items.found(user=actor_of(request), wish=items.wish_of(request.query_params))
        page = cast(Any, self.paginate_queryset(rows))
        return self.get_paginated_response(ItemStatisticsSerializer([_told(row) for row in page], many=True).data)


def _told(row: ItemStatistics) -> dict[str, Any]:
    version, question = row.version, row.version.question
    return {
        "version": row.pk,
        "question": question.pk,
        "external_id": question.external_id,
        "bank": question.bank.name,
        "edition": question.edition,
        "category": question.category.name,
        "stem": bare_text(version.stem, version.markup),
        "is_current": question.current_id == row.pk,
        "answers": row.answers,
        "facility": row.facility,
        "median_seconds": row.median_seconds,
        "ranked": row.ranked,
        "discrimination": row.discrimination,
        "item_total": row.item_total,
        "choices": [
            {"text": bare_text(line.text, version.markup), "is_right": line.is_right, "takers": line.takers}
            for line in items.lines_of(row)
        ],
        "flags": [{"code": flag.code, "word": flag.word, "means": flag.means} for flag in items.flags_told(row)],
        "analysed_at": row.analysed_at,
    }
