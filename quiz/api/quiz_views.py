"""What anybody may ask: a quiz without its answers, clauses, the names of categories. With a token also what belongs to
one's organisations. Public hits of the quiz are answered before they come here (quiz.front)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..levels import LEVELS
from ..models import Category
from ..services.pool import DEFAULT, MOST, quiz, wish_of
from ..services.searching import LONGEST, search_clauses
from .attempt_views import PROBLEM
from .serializers import AskedSerializer


class PublicQuestionSerializer(AskedSerializer):
    id = serializers.UUIDField()
    category = serializers.CharField()


class QuizSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    questions = PublicQuestionSerializer(many=True)


class FoundClauseSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    standard = serializers.CharField()
    edition = serializers.CharField()
    number = serializers.CharField()
    title = serializers.CharField()
    excerpt = serializers.CharField()


class CategorySerializer(serializers.ModelSerializer[Category]):
    class Meta:
        model = Category
        fields = ["id", "name", "description", "exam_questions", "exam_minutes", "pass_share"]


class QuizView(APIView):
    permission_classes = (AllowAny,)
    throttle_scope = "quiz"

    @extend_schema(
        parameters=[
            OpenApiParameter("category", str, description="Name of a category; none: all."),
            OpenApiParameter("count", int, description=f"1 to {MOST}; {DEFAULT} by default."),
            OpenApiParameter("difficulty", str, enum=list(LEVELS), description="None: any."),
        ],
        responses={
            200: OpenApiResponse(QuizSerializer, description="`X-Cache`: hit (from a pool) or miss (from the tables)."),
            400: PROBLEM,
            404: PROBLEM,
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Random questions without their answers, others on each call. To be marked, start an attempt."""
        body, is_hit = quiz(user=request.user, wish=wish_of(request.query_params))
        headers = {"X-Cache": "hit" if is_hit else "miss", "Cache-Control": "no-store"}
        return HttpResponse(body, content_type="application/json", headers=headers)


class CategoriesView(APIView):
    permission_classes = (AllowAny,)
    throttle_scope = "quiz"

    @extend_schema(responses={200: CategorySerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What a quiz can be picked by."""
        rows = Category.objects.visible_to(request.user)
        return Response(CategorySerializer(rows, many=True).data)


class ClauseSearchView(APIView):
    permission_classes = (AllowAny,)
    throttle_scope = "quiz"

    @extend_schema(
        parameters=[
            OpenApiParameter("q", str, required=True, description=f"A number or its beginning, or words; ≤ {LONGEST}.")
        ],
        responses={200: FoundClauseSerializer(many=True), 400: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """Clauses of current editions, at most 20: by number first, then by words."""
        return Response(search_clauses(user=request.user, q=request.query_params.get("q", "")))
