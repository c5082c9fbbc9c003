"""What the OpenAPI document says of errors, for every app."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse

from .serializers import ProblemSerializer

PROBLEM = "application/problem+json"


def problems(descriptions: dict[int, str]) -> dict[tuple[int, str], OpenApiResponse]:
    """Entries for `extend_schema(responses={200: …, **problems({409: "`conflict`: …"})})`, by HTTP status."""
    return {(status, PROBLEM): OpenApiResponse(ProblemSerializer, text) for status, text in descriptions.items()}
