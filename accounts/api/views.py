"""Sign-in for REST clients."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .. import services
from ..models import Membership, User
from .schema import problems
from .serializers import CredentialsSerializer, RefreshSerializer, TokensSerializer, UserSerializer

WITH_ORGANISATIONS = Prefetch("memberships", queryset=Membership.objects.select_related("organisation"))


class OpenView(APIView):
    """Answers without a token, and ignores one that came along: an expired one must keep nobody from signing in."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    throttle_scope = "tokens"

    def tokens(self, pair: services.TokenPair) -> Response:
        user = User.objects.prefetch_related(WITH_ORGANISATIONS).get(pk=pair.user.pk)
        body = {
            "access": pair.access,
            "access_expires_at": pair.access_expires_at,
            "refresh": pair.refresh,
            "user": user,
        }
        return Response(TokensSerializer(body).data)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class SignInView(OpenView):
    @extend_schema(
        operation_id="auth_login",
        tags=["auth"],
        auth=[],
        request=CredentialsSerializer,
        responses={
            200: TokensSerializer,
            **problems(
                {
                    400: "Not valid: see errors.",
                    401: "`wrong_credentials`, `suspended` or `email_unconfirmed`.",
                    429: "`too_many_attempts`: wait.",
                }
            ),
        },
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Sign in: an access token and a refresh token for an e-mail and a password."""
        given = CredentialsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self.tokens(services.sign_in(**given.validated_data, request=request._request))


@method_decorator(never_cache, name="dispatch")
class RefreshView(OpenView):
    @extend_schema(
        operation_id="auth_refresh",
        tags=["auth"],
        auth=[],
        request=RefreshSerializer,
        responses={
            200: TokensSerializer,
            **problems(
                {
                    400: "Not valid: see errors.",
                    401: "`token_invalid`: used, revoked or expired; `suspended`.",
                }
            ),
        },
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A new pair of tokens for a refresh token, which then works no more."""
        given = RefreshSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self.tokens(services.refresh_tokens(**given.validated_data))


@method_decorator(never_cache, name="dispatch")
class SignOutView(OpenView):
    @extend_schema(
        operation_id="auth_logout",
        tags=["auth"],
        auth=[],
        request=RefreshSerializer,
        responses={
            204: None,
            **problems(
                {
                    400: "Not valid: see errors.",
                    401: "`token_invalid`: not a refresh token, or expired.",
                }
            ),
        },
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Sign out: the refresh token works no more. The access token runs out by itself."""
        given = RefreshSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        services.revoke_refresh_token(**given.validated_data)
        return Response(status=204)


class MeView(APIView):
    @extend_schema(
        operation_id="auth_me", tags=["auth"], responses={200: UserSerializer, **problems({401: "Not signed in."})}
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Who is asking, and the organisations they belong to."""
        assert isinstance(request.user, User)
        user = User.objects.prefetch_related(WITH_ORGANISATIONS).get(pk=request.user.pk)
        return Response(UserSerializer(user).data)
