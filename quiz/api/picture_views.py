"""Pictures that questions show, for whoever may see the questions."""

from __future__ import annotations

from django.http import FileResponse, HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..exchange.pictures import ENDINGS
from ..services.pictures import open_picture, visible_picture
from .attempt_views import PROBLEM

DIGEST_REGEX = "[0-9a-f]{64}"
# One picture alone is shown, and nothing within it, whatever a browser takes it for.
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


class PictureView(APIView):
    permission_classes = (AllowAny,)
    throttle_scope = "quiz"

    @extend_schema(
        parameters=[OpenApiParameter("digest", str, OpenApiParameter.PATH, pattern=f"^{DIGEST_REGEX}$")],
        responses={
            **{(200, media_type): OpenApiTypes.BINARY for media_type in ENDINGS},
            304: OpenApiResponse(description="As it was."),
            404: PROBLEM,
        },
    )
    def get(self, request: Request, digest: str) -> HttpResponseBase:
        """A picture by the address that texts of questions have. Without sign-in: those of shared banks."""
        picture = visible_picture(digest=digest, user=request.user)
        etag = f'"{digest}"'
        if etag in parse_etags(request.headers.get("If-None-Match", "")):
            response: HttpResponseBase = Response(status=304)
        else:
            response = FileResponse(open_picture(picture), content_type=picture.media_type)
            response["Content-Disposition"] = "inline"
            response["Content-Security-Policy"] = POLICY
            response["X-Content-Type-Options"] = "nosniff"
        # A content has one address for ever; who may see it can change.
        response["Cache-Control"] = "private, max-age=3600"
        response["ETag"] = etag
        return response
