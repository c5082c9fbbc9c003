"""/api/projects/{id}/compare: whether two uploads are the same budget."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.schema import problems
from accounts.pages import actor_of
from config.api.throttles import throttle_scope

from ..exceptions import Refused
from ..parsers.equality import Verdict
from ..services.comparing import LISTED, compare_documents

Shape = serializers.Serializer[Any]


class ComparedSideSerializer(Shape):
    document_id = serializers.UUIDField()
    name = serializers.CharField()
    currency = serializers.CharField(allow_blank=True)
    positions = serializers.IntegerField()
    total = serializers.CharField()
    digest = serializers.CharField(help_text="SHA-256 of everything compared, in order.")


class ComparedCountsSerializer(Shape):
    matched = serializers.IntegerField()
    changed = serializers.IntegerField()
    moved = serializers.IntegerField()
    only_left = serializers.IntegerField()
    only_right = serializers.IntegerField()


class ComparedRowSerializer(Shape):
    number = serializers.CharField()
    code = serializers.CharField()
    description = serializers.CharField()
    unit = serializers.CharField()
    quantity = serializers.CharField(allow_null=True)
    unit_price = serializers.CharField(allow_null=True)
    total = serializers.CharField(allow_null=True)
    object_code = serializers.CharField()
    section = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]


class BillComparisonSerializer(Shape):
    verdict = serializers.ChoiceField(choices=[(verdict.value, verdict.value) for verdict in Verdict])
    is_same_budget = serializers.BooleanField(help_text="The same positions, in whatever order.")
    left = ComparedSideSerializer()
    right = ComparedSideSerializer()
    delta = serializers.CharField(help_text="Total of right less that of left.")
    counts = ComparedCountsSerializer()
    changed = serializers.ListField(
        child=serializers.DictField(), help_text="Pairs: `left`, `right` and the `fields` that differ."
    )
    moved = serializers.ListField(child=serializers.DictField(), help_text="Pairs that only stand elsewhere.")
    only_left = ComparedRowSerializer(many=True)
    only_right = ComparedRowSerializer(many=True)
    not_compared = serializers.ListField(child=serializers.CharField(), help_text="What is not part of the proof.")


class ComparisonView(APIView):
    @extend_schema(
        operation_id="projects_compare",
        parameters=[
            OpenApiParameter("left", UUID, required=True, description="A read bill of this project."),
            OpenApiParameter("right", UUID, required=True, description="Another one, of any project you may see."),
        ],
        responses={
            200: BillComparisonSerializer,
            **problems(
                {
                    400: "`invalid_parameter`, `same_document`, `not_read`, `not_kept`, `too_large`.",
                    404: "`project_not_found`, `document_not_found`.",
                }
            ),
        },
    )
    @throttle_scope("expensive")
    def get(self, request: Request, project_id: UUID) -> Response:
        """Compare two uploads position by position. Each list holds the first rows only; `counts` are of all."""
        left, right = (_id(request, name) for name in ("left", "right"))
        found = compare_documents(project_id=project_id, left=left, right=right, user=actor_of(request))
        return Response(found.as_json(LISTED))


def _id(request: Request, name: str) -> UUID:
    try:
        return UUID(request.query_params.get(name, ""))
    except ValueError:
        raise Refused(
            f"`{name}` is the id of a document.", code="invalid_parameter", extra={"parameter": name}
        ) from None
