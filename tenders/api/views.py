"""The tenders API: searching and reading them. Strangers to an organisation's source get 404."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.pages import actor_of

from ..exceptions import BadFilter, TenderMissing
from ..models import Tender, TenderRelease
from ..services.access import visible_tender
from ..services.facets import facets_of
from ..services.paging import NEWEST, page_of
from ..services.searchfields import filters_from
from ..services.searching import Search, search_for, visible_tenders
from . import serializers

UUID_REGEX = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PROBLEM = OpenApiResponse(description="Problem details (RFC 9457) with a stable `code`.")


def searched(request: Request) -> Search:
    return search_for(
        user=actor_of(request), filters=filters_from(request.query_params), organisation_id=_organisation(request)
    )


def _organisation(request: Request) -> UUID | None:
    text = request.query_params.get("organisation")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise _bad("organisation", "The id of one of your organisations.") from None


def _size(request: Request) -> int:
    text = request.query_params.get("page_size") or "50"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 200:
        raise _bad("page_size", "A number from 1 to 200.")
    return int(text[:6])


def _bad(name: str, message: str) -> BadFilter:
    return BadFilter("Some of the search's fields are not valid: see errors.", extra={"errors": {name: [message]}})


class TenderViewSet(viewsets.GenericViewSet[Tender]):
    """Tenders of shared sources and of your organisations' own."""

    serializer_class = serializers.TenderSerializer
    queryset = Tender.objects.none()
    lookup_value_regex = UUID_REGEX
    pagination_class = None
    filter_backends = ()

    @extend_schema(
        parameters=[serializers.ListParametersSerializer],
        responses={200: serializers.TenderListSerializer, 400: PROBLEM},
    )
    def list(self, request: Request) -> Response:
        """Search. Pages follow each other by `next`; how many hits there are is told by /facets/."""
        order = request.query_params.get("ordering") or NEWEST
        cursor = request.query_params.get("cursor") or ""
        page = page_of(searched(request), order=order, size=_size(request), cursor=cursor)
        following = replace_query_param(request.build_absolute_uri(), "cursor", page.next) if page.next else None
        return Response({"next": following, "results": serializers.TenderSerializer(page.rows, many=True).data})

    @extend_schema(responses={200: serializers.TenderDetailSerializer, 404: PROBLEM})
    def retrieve(self, request: Request, pk: str) -> Response:
        """One tender, with what was published of it and how your organisation has assessed it."""
        rows = visible_tenders(user=actor_of(request), organisation_id=_organisation(request))
        tender = rows.defer(None).filter(pk=UUID(pk)).first()
        if tender is None:
            raise TenderMissing("There is no such tender.")
        return Response(serializers.TenderDetailSerializer(tender).data)

    @extend_schema(
        parameters=[serializers.SearchParametersSerializer],
        responses={200: serializers.FacetsSerializer, 400: PROBLEM},
    )
    @action(detail=False, methods=["get"])
    def facets(self, request: Request) -> Response:
        """How many hits a search has, in all and by country, CPV, relevance, buyer, deadline, value."""
        return Response(serializers.FacetsSerializer(facets_of(searched(request))).data)

    @extend_schema(responses={200: serializers.RawReleaseSerializer(many=True), 404: PROBLEM})
    @action(detail=True, methods=["get"], pagination_class=viewsets.GenericViewSet.pagination_class)
    def releases(self, request: Request, pk: str) -> Response:
        """Everything that was published of a tender, as received, oldest first."""
        tender = visible_tender(tender_id=UUID(pk), user=actor_of(request))
        rows = TenderRelease.objects.filter(tender=tender).order_by("published_at", "id")
        page = cast(Any, self.paginate_queryset(cast(Any, rows)))
        return self.get_paginated_response(serializers.RawReleaseSerializer(page, many=True).data)
