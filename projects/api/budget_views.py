"""The projects API: versions, positions, findings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.pages import actor_of
from config.api.throttles import throttle_scope

from ..exceptions import Missing, PositionNotFound, Refused
from ..models import BudgetVersion, Finding, Position, Project
from ..services import deltas, editing, overrides, versions
from ..services.access import visible_project
from . import serializers
from .comparison_serializers import ComparisonSerializer
from .filters import FindingFilter, PositionFilter
from .paging import PositionPages
from .views import PROBLEM, UUID_REGEX

VERSION = OpenApiParameter("version", OpenApiTypes.INT, description="As of this version; by default the current one.")
SEEN = OpenApiParameter("seen", OpenApiTypes.INT, required=True, description="The `id` of the row you have seen.")


class VersionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[BudgetVersion]):
    """Versions of the budget, newest first, each with its delta; one with its changes."""

    serializer_class = serializers.VersionSerializer
    queryset = BudgetVersion.objects.none()
    filter_backends = []
    lookup_field = "number"
    lookup_value_regex = "[0-9]{1,9}"

    def get_queryset(self) -> Any:
        project = visible_project(project_id=self.kwargs["project_id"], user=actor_of(self.request))
        return BudgetVersion.objects.filter(project=project).select_related("created_by")

    def get_serializer_class(self) -> type[serializers.VersionSerializer]:
        return serializers.VersionDetailSerializer if self.action == "retrieve" else self.serializer_class

    @extend_schema(request=None, responses={201: serializers.VersionDetailSerializer, 404: PROBLEM, 409: PROBLEM})
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def restore(self, request: Request, project_id: UUID, number: str) -> Response:
        """Make the budget what it was in this version, as a new version."""
        version = versions.restore_version(project_id=project_id, number=int(number), actor=actor_of(request))
        return Response(serializers.VersionDetailSerializer(version).data, status=201)

    @extend_schema(responses={200: ComparisonSerializer, 404: PROBLEM})
    @action(detail=True, url_path="compare/(?P<other>[0-9]{1,9})", pagination_class=None)
    @throttle_scope("expensive")
    def compare(self, request: Request, project_id: UUID, number: str, other: str) -> Response:
        """What it takes from this version to another one, any two of them: counts, effects on the cost, a waterfall,
        and the changes that move most money."""
        project = visible_project(project_id=project_id, user=actor_of(request))
        compared = deltas.compare_versions(project_id=project.pk, old=int(number), new=int(other))
        return Response(ComparisonSerializer(compared, context={"currency": project.currency}).data)


@extend_schema_view(list=extend_schema(parameters=[VERSION]), retrieve=extend_schema(parameters=[VERSION]))
class PositionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Position]):
    """Positions of a version with their verdicts; addressed by lineage, which stays the same through edits."""

    serializer_class = serializers.PositionSerializer
    filterset_class = PositionFilter
    pagination_class = PositionPages
    queryset = Position.objects.none()
    lookup_field = "lineage"
    all_have_verdicts = False
    lookup_value_regex = UUID_REGEX

    def get_queryset(self) -> Any:
        project = visible_project(project_id=self.kwargs["project_id"], user=actor_of(self.request))
        version = self._version()
        if version is not None and not BudgetVersion.objects.filter(project=project, number=version).exists():
            raise Missing(f"This project has no version {version}.", code="version_not_found")
        self.all_have_verdicts = version is None and project.is_audited
        rows = Position.objects.filter(project=project).of_version(version).select_related("verdict")
        if self.all_have_verdicts:
            rows = rows.filter(verdict__project=project)  # the index of verdicts begins with the project
        if self.action == "retrieve":
            findings = Finding.objects.select_related("override__by", "position").order_by("role", "rule_id", "id")
            return rows.prefetch_related(Prefetch("findings", queryset=findings))
        self._tell_count(project)
        return rows

    def _tell_count(self, project: Project) -> None:
        """What the project's row knows need not be counted: the current positions, all of them or of one grade."""
        if self.action != "list" or not isinstance(self.paginator, PositionPages):
            return
        asked = {name: value for name, value in self.request.query_params.items() if value}
        narrowing = set(asked) - {"sort", "page", "page_size", "format"}
        if not narrowing:
            self.paginator.known_count = project.total_positions
        elif narrowing == {"grade"} and self.all_have_verdicts and asked["grade"] in serializers.GRADES:
            self.paginator.known_count = getattr(project, f"count_{asked['grade']}")

    def _version(self) -> int | None:
        value = self.request.query_params.get("version", "")
        if not value:
            return None
        if not value.isdecimal() or len(value) > 9:
            raise Refused("version is a number: 1, 2, …", code="invalid_version")
        return int(value)

    def get_serializer_class(self) -> type[serializers.PositionSerializer]:
        return serializers.PositionDetailSerializer if self.action == "retrieve" else self.serializer_class

    @extend_schema(
        request=serializers.PositionNewSerializer,
        responses={201: serializers.PositionDetailSerializer, 400: PROBLEM},
    )
    def create(self, request: Request, project_id: UUID) -> Response:
        """Add a position by hand: a new version."""
        fields = self._fields(serializers.PositionNewSerializer, request)
        reason = fields.pop("reason", "")
        _, lineage = editing.add_position(project_id=project_id, actor=actor_of(request), fields=fields, reason=reason)
        return Response(self._detail(project_id, lineage), status=201)

    @extend_schema(
        request=serializers.PositionEditSerializer,
        responses={200: serializers.PositionDetailSerializer, 400: PROBLEM, 409: PROBLEM},
    )
    def partial_update(self, request: Request, project_id: UUID, lineage: str) -> Response:
        """Edit a position: a new version. 409 with both values if someone else was first."""
        fields = self._fields(serializers.PositionEditSerializer, request)
        seen, reason = fields.pop("seen"), fields.pop("reason", "")
        editing.edit_position(
            project_id=project_id,
            lineage=UUID(lineage),
            actor=actor_of(request),
            seen=seen,
            changes=fields,
            reason=reason,
        )
        return Response(self._detail(project_id, UUID(lineage)))

    @extend_schema(parameters=[SEEN], responses={204: None, 409: PROBLEM})
    def destroy(self, request: Request, project_id: UUID, lineage: str) -> Response:
        """Delete a position: a new version; earlier versions keep it."""
        seen = request.query_params.get("seen", "")
        if not seen.isdecimal() or len(seen) > 18:
            raise Refused("Say which row you have seen: ?seen=<id>.", code="seen_missing")
        editing.delete_position(project_id=project_id, lineage=UUID(lineage), actor=actor_of(request), seen=int(seen))
        return Response(status=204)

    def _fields(self, serializer_class: Any, request: Request) -> dict[str, Any]:
        form = serializer_class(data=request.data)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def _detail(self, project_id: UUID, lineage: UUID) -> Any:
        row = (
            Position.objects.filter(project_id=project_id, lineage=lineage, removed_in__isnull=True)
            .select_related("verdict")
            .first()
        )
        if row is None:
            raise PositionNotFound("Someone has deleted this position just now.")
        return serializers.PositionDetailSerializer(row).data


@extend_schema_view(list=extend_schema(description="Findings on the current positions, most money at stake first."))
class FindingViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Finding]):
    serializer_class = serializers.FindingSerializer
    filterset_class = FindingFilter
    queryset = Finding.objects.none()

    def get_queryset(self) -> Any:
        project = visible_project(project_id=self.kwargs["project_id"], user=actor_of(self.request))
        findings = Finding.objects.of_current_positions(project.pk)
        return findings.select_related("override__by", "position").order_by("-money_at_stake", "id")


class FindingDecisionViewSet(viewsets.GenericViewSet[Finding]):
    """Deciding on a finding."""

    serializer_class = serializers.FindingSerializer
    queryset = Finding.objects.none()
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        request=serializers.OverrideRequestSerializer,
        responses={200: serializers.FindingSerializer, 400: PROBLEM, 409: PROBLEM},
    )
    @action(detail=True, methods=["post"])
    def override(self, request: Request, pk: str) -> Response:
        """Override or accept a finding, with a reason. Survives re-audits while the position is unchanged."""
        form = serializers.OverrideRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        finding = overrides.override_finding(finding_id=int(pk), actor=actor_of(request), **form.validated_data)
        return Response(serializers.FindingSerializer(finding).data)

    @extend_schema(request=None, responses={200: serializers.FindingSerializer, 409: PROBLEM})
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take the decision back: the finding counts again."""
        finding = overrides.withdraw_override(finding_id=int(pk), actor=actor_of(request))
        return Response(serializers.FindingSerializer(finding).data)
