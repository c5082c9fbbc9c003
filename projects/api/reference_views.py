"""The API of what audits compare with: price catalogues, price indices, and which of them a project goes by."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.pages import actor_of
from config.api.throttles import throttle_scope

from ..models import Project
from ..services.access import visible_project
from ..services.catalogue_uploads import upload_catalogue, upload_price_index
from ..services.catalogues import editions_of, series_known
from ..services.choosing import choose_references
from ..services.thresholds import member_organisation
from .rule_views import ORGANISATION, PROBLEM, organisation_named
from .serializers import JobStartedSerializer
from .views import started


class CatalogueEditionSerializer(serializers.Serializer[Any]):
    catalogue = serializers.CharField()
    edition = serializers.CharField()
    items = serializers.IntegerField()
    priced = serializers.IntegerField(help_text="Items that have a price.")
    own = serializers.IntegerField(help_text="Items that are the organisation's own; the others are everyone's.")
    priced_on = serializers.DateField(allow_null=True, help_text="The newest date of a price.")


class PriceSeriesSerializer(serializers.Serializer[Any]):
    series = serializers.CharField()
    months = serializers.IntegerField()
    newest = serializers.DateField(help_text="First day of the newest month or quarter.")


class _ImportSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="xlsx, ods, xls or csv, with titles.", allow_empty_file=True)
    for_all = serializers.BooleanField(
        required=False, default=False, help_text="Everyone's instead of the organisation's; by staff."
    )


class CatalogueImportSerializer(_ImportSerializer):
    catalogue = serializers.CharField(max_length=30, help_text="Such as ÚRS.")
    edition = serializers.CharField(max_length=30, help_text='Such as "2025 02", as price systems in bills name it.')
    currency = serializers.RegexField(
        r"^[A-Za-z]{3}\Z", required=False, default="", help_text="Of prices, where the list names none."
    )
    priced_on = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Where the list has no dates."
    )


class PriceIndexImportSerializer(_ImportSerializer):
    series = serializers.CharField(
        max_length=60, required=False, default="", allow_blank=True, help_text="Where the table names none."
    )


class ProjectReferencesSerializer(serializers.Serializer[Any]):
    """Empty: none. Left out of a change: none."""

    catalogue = serializers.CharField(max_length=30, required=False, default="", allow_blank=True)
    edition = serializers.CharField(max_length=30, required=False, default="", allow_blank=True)
    price_index = serializers.CharField(
        max_length=60, required=False, default="", allow_blank=True, help_text="A series, as price indices list it."
    )
    blank_document = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="A bill of the project, as it was before pricing."
    )


class ReferencesChosenSerializer(ProjectReferencesSerializer):
    is_changed = serializers.BooleanField(help_text="A budget whose references changed is audited again by itself.")


def _imported(form: type[_ImportSerializer], request: Request) -> dict[str, Any]:
    """What `upload_…` takes. Whose organisation is settled first: strangers get 404, whatever they send."""
    organisation, _ = member_organisation(user=actor_of(request), organisation_id=organisation_named(request))
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    values = dict(given.validated_data)
    file = values["file"]
    size = {"filename": file.name or "", "size": file.size or 0}
    return values | size | {"actor": actor_of(request), "organisation_id": organisation.pk}


class CataloguesView(APIView):
    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(
        operation_id="catalogues_list",
        parameters=[ORGANISATION],
        responses={200: CatalogueEditionSerializer(many=True), 404: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """Catalogues and editions that the organisation's budgets can be compared with."""
        organisation, _ = member_organisation(user=actor_of(request), organisation_id=organisation_named(request))
        return Response(CatalogueEditionSerializer(editions_of(organisation_id=organisation.pk), many=True).data)

    @extend_schema(
        operation_id="catalogue_import",
        parameters=[ORGANISATION],
        request={"multipart/form-data": CatalogueImportSerializer},
        responses={202: JobStartedSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM, 413: PROBLEM},
    )
    @throttle_scope("expensive")
    def post(self, request: Request) -> Response:
        """Import a price list (multipart), by an owner. The job's result counts rows created, updated, unchanged and
        rejected with the reason. Items that the list lacks stay."""
        job = upload_catalogue(**_imported(CatalogueImportSerializer, request))
        return Response(started(job), status=202)


class PriceIndicesView(APIView):
    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(
        operation_id="price_indices_list",
        parameters=[ORGANISATION],
        responses={200: PriceSeriesSerializer(many=True), 404: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """Series of price indices that the organisation can choose."""
        organisation, _ = member_organisation(user=actor_of(request), organisation_id=organisation_named(request))
        return Response(PriceSeriesSerializer(series_known(organisation_id=organisation.pk), many=True).data)

    @extend_schema(
        operation_id="price_index_import",
        parameters=[ORGANISATION],
        request={"multipart/form-data": PriceIndexImportSerializer},
        responses={202: JobStartedSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM, 413: PROBLEM},
    )
    @throttle_scope("expensive")
    def post(self, request: Request) -> Response:
        """Import months or quarters of price indices (multipart), by an owner. Months that the table lacks stay."""
        job = upload_price_index(**_imported(PriceIndexImportSerializer, request))
        return Response(started(job), status=202)


def _chosen(project: Project) -> dict[str, Any]:
    return {
        "catalogue": project.catalogue,
        "edition": project.catalogue_edition,
        "price_index": project.price_index,
        "blank_document": project.blank_document_id,
    }


class ProjectReferencesView(APIView):
    @extend_schema(operation_id="project_references", responses={200: ProjectReferencesSerializer, 404: PROBLEM})
    def get(self, request: Request, project_id: UUID) -> Response:
        """What the project's audits compare its budget with."""
        project = visible_project(project_id=project_id, user=actor_of(request))
        return Response(ProjectReferencesSerializer(_chosen(project)).data)

    @extend_schema(
        operation_id="project_references_choose",
        request=ProjectReferencesSerializer,
        responses={200: ReferencesChosenSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM},
    )
    @throttle_scope("expensive")
    def put(self, request: Request, project_id: UUID) -> Response:
        """Choose all four. A budget is audited again if that changes anything."""
        visible_project(project_id=project_id, user=actor_of(request))
        form = ProjectReferencesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = dict(form.validated_data)
        project, is_changed = choose_references(
            project_id=project_id,
            actor=actor_of(request),
            blank_document_id=values.pop("blank_document"),
            **values,
        )
        return Response(ReferencesChosenSerializer(_chosen(project) | {"is_changed": is_changed}).data)
