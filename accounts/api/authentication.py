"""Bearer tokens on REST requests."""

from __future__ import annotations

import structlog
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from .. import services
from ..exceptions import NotSignedIn
from ..models import User

KEYWORD = b"bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`. Any other scheme, or none, is left to the next authentication."""

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != KEYWORD:
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("Write: Authorization: Bearer <access token>.", code="token_invalid")
        try:
            access = parts[1].decode("ascii")
            user = services.user_of_access_token(access=access)
        except UnicodeDecodeError as error:
            raise AuthenticationFailed("A token is plain ASCII.", code="token_invalid") from error
        except NotSignedIn as error:
            raise AuthenticationFailed(str(error), code=error.code) from error
        structlog.contextvars.bind_contextvars(user_id=str(user.pk))  # from here on the log knows who asks
        return user, access

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
