"""The projects API: the building behind a budget. Elements, ratios, assumptions; all to be read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.pages import actor_of

from ..ifc.assumptions import Assumptions
from ..models import BuildingElement
from ..services.access import visible_project
from ..services.building import floor_area_of, ratios_of
from .filters import ElementFilter
from .views import PROBLEM

GUID_REGEX = "[0-9A-Za-z_$]{1,22}"


class ElementQuantitySerializer(serializers.Serializer[Any]):
    value = serializers.DecimalField(max_digits=18, decimal_places=4)
    unit = serializers.CharField()
    basis = serializers.ChoiceField(choices=["stated", "geometry"])


class ElementLayerSerializer(serializers.Serializer[Any]):
    material = serializers.CharField()
    thickness_m = serializers.DecimalField(max_digits=18, decimal_places=4)


class ElementSerializer(serializers.ModelSerializer[BuildingElement]):
    document_id = serializers.UUIDField(read_only=True)
    quantities = serializers.SerializerMethodField(
        help_text="By name: volume, area, upright, underside, length, weight."
    )
    layers = serializers.SerializerMethodField()
    positions = serializers.ListField(child=serializers.UUIDField(), help_text="Lineages of the positions it is in.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="What could not be had, and why.")

    class Meta:
        model = BuildingElement
        fields = [
            "guid", "ifc_class", "name", "type_name", "predefined_type", "storey", "material", "layers", "quantities",
            "notes", "positions", "document_id",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(child=ElementQuantitySerializer()))
    def get_quantities(self, element: BuildingElement) -> dict[str, dict[str, str]]:
        return {
            name: {"value": value, "unit": unit, "basis": basis}
            for name, (value, unit, basis) in element.quantities.items()
        }

    @extend_schema_field(ElementLayerSerializer(many=True))
    def get_layers(self, element: BuildingElement) -> list[dict[str, str]]:
        return [{"material": material, "thickness_m": thickness} for material, thickness in element.layers]


class ElementViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[BuildingElement]):
    """Elements of the project's building models, each with its quantities and the positions that it is counted in."""

    serializer_class = ElementSerializer
    filterset_class = ElementFilter
    queryset = BuildingElement.objects.none()
    lookup_field = "guid"
    lookup_value_regex = GUID_REGEX

    def get_queryset(self) -> Any:
        project = visible_project(project_id=self.kwargs["project_id"], user=actor_of(self.request))
        return BuildingElement.objects.filter(project=project).order_by("storey", "ifc_class", "name", "pk")

    def get_object(self) -> BuildingElement:
        """Of several models that have it, the newest."""
        from ..exceptions import Missing

        found = self.get_queryset().filter(guid=self.kwargs["guid"]).order_by("-document__created_at").first()
        if found is None:
            raise Missing("There is no such element.", code="no_element")
        return found  # type: ignore[no-any-return]


class RatioSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a name that fields have too
    unit = serializers.CharField()
    value = serializers.DecimalField(max_digits=18, decimal_places=3, allow_null=True)
    over = serializers.DecimalField(max_digits=18, decimal_places=4, help_text="m3 of concrete or m2 of floor.")
    low = serializers.DecimalField(max_digits=18, decimal_places=3, allow_null=True, help_text="Of the usual range.")
    high = serializers.DecimalField(max_digits=18, decimal_places=3, allow_null=True)
    state = serializers.ChoiceField(choices=["usual", "low", "high", "assumed", ""])
    is_assumed = serializers.BooleanField(help_text="Made from a ratio itself: it says nothing about the building.")
    source = serializers.CharField()  # type: ignore[assignment]
    gap = serializers.CharField(help_text="Why there is no value.")


class AssumptionSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a name that fields have too
    value = serializers.DecimalField(max_digits=18, decimal_places=4)
    unit = serializers.CharField()
    is_own = serializers.BooleanField(help_text="Whether the project changed it.")
    source = serializers.CharField()  # type: ignore[assignment]


class ProfileSerializer(serializers.Serializer[Any]):
    floor_area_m2 = serializers.DecimalField(max_digits=18, decimal_places=4, allow_null=True)
    floor_area_source = serializers.CharField()
    ratios = RatioSerializer(many=True)
    assumptions = AssumptionSerializer(many=True)


class BuildingProfileView(APIView):
    """The building's ratios (steel, formwork, concrete) with their usual ranges, and what was assumed."""

    @extend_schema(operation_id="projects_building_profile", responses={200: ProfileSerializer, 404: PROBLEM})
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(project_id=project_id, user=actor_of(request))
        floor_area, source = floor_area_of(project)
        rows = Assumptions.with_own(project.assumptions).rows()
        told = {
            "floor_area_m2": floor_area,
            "floor_area_source": source,
            "ratios": ratios_of(project),
            "assumptions": [
                {"key": o.key, "label": o.label, "value": v, "unit": o.unit, "is_own": own, "source": o.source}
                for o, v, own in rows
            ],
        }
        return Response(ProfileSerializer(told).data)
