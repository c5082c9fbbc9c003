"""Tokens for REST clients and sockets: a short access token, a refresh token that works once.

Both carry, as `auth`, the user's sign-in hash: changing the password or suspending the user ends them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from ..exceptions import NotSignedIn, TooManyAttempts
from ..models import User
from .people import ensure_organisation

AUTH_CLAIM = "auth"
AUTH_CLAIM_LENGTH = 32  # hex digits: 128 bits of the sign-in hash
NO_LONGER = "This token is not valid, or no longer. Sign in again."

AnyToken = TypeVar("AnyToken", bound=Token)


@dataclass(frozen=True, slots=True)
class TokenPair:
    access: str
    refresh: str
    access_expires_at: datetime
    user: User


def sign_in(*, email: str, password: str, request: HttpRequest) -> TokenPair:
    """Tokens for an e-mail and a password; `request` says from where: attempts are limited by place and by address.

    NotSignedIn: `wrong_credentials` (unknown and wrong are not told apart); with the right password also `suspended`
    and `email_unconfirmed`. TooManyAttempts: counted together with the sign-in page; `retry_after_s` says for how long.
    """
    try:
        user = get_adapter().authenticate(request, email=email.strip(), password=password)
    except ValidationError as error:
        wait_s = int(getattr(request, "sign_in_wait_s", 60))
        message = f"Too many attempts to sign in. Try again in {wait_s} seconds."
        raise TooManyAttempts(message, extra={"retry_after_s": wait_s}) from error
    if not isinstance(user, User):
        raise NotSignedIn("The e-mail or the password is wrong.")
    _refuse_outsider(user)
    ensure_organisation(user=user)
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    return tokens_for(user=user)


def tokens_for(*, user: User) -> TokenPair:
    """A fresh pair for somebody who has proved who they are. The refresh token is recorded by its id, not its text."""
    refresh = RefreshToken()
    refresh["sub"] = str(user.pk)
    refresh[AUTH_CLAIM] = _auth_claim(user)
    OutstandingToken.objects.create(
        user=user, jti=refresh["jti"], token="", created_at=timezone.now(), expires_at=_time(refresh["exp"])
    )
    access = refresh.access_token
    return TokenPair(access=str(access), refresh=str(refresh), access_expires_at=_time(access["exp"]), user=user)


@transaction.atomic
def refresh_tokens(*, refresh: str) -> TokenPair:
    """A new pair for a refresh token, which is used up: of two uses at once the unique blacklist row lets one win.

    NotSignedIn: `token_invalid`, `suspended`, `email_unconfirmed`.
    """
    token = _read(RefreshToken, refresh)
    user = _owner_of(token)
    if not _use_up(token):
        raise NotSignedIn(NO_LONGER, code="token_invalid")
    return tokens_for(user=user)


def revoke_refresh_token(*, refresh: str) -> None:
    """Sign out: the token works no more. Again for one already revoked or used up: fine.

    NotSignedIn `token_invalid`: it is expired, or no refresh token of ours.
    """
    try:
        token = RefreshToken(refresh)  # type: ignore[arg-type]
    except TokenError as error:
        if not _is_revoked(refresh):
            raise NotSignedIn(NO_LONGER, code="token_invalid") from error
        return
    _use_up(token)


def user_of_access_token(*, access: str) -> User:
    """Whose access token this is: the one check, for REST requests and for sockets.

    NotSignedIn: `token_invalid`, `suspended`, `email_unconfirmed`.
    """
    return _owner_of(_read(AccessToken, access))


def _read(kind: type[AnyToken], raw: str) -> AnyToken:
    try:
        return kind(raw)  # type: ignore[arg-type]  # its own annotation is wrong: it decodes text
    except TokenError as error:
        raise NotSignedIn(NO_LONGER, code="token_invalid") from error


def _owner_of(token: Token) -> User:
    try:
        user = User.objects.filter(pk=UUID(str(token.get("sub")))).first()
    except ValueError:
        user = None
    if user is None:
        raise NotSignedIn(NO_LONGER, code="token_invalid")
    _refuse_outsider(user)
    if not constant_time_compare(str(token.get(AUTH_CLAIM)), _auth_claim(user)):
        raise NotSignedIn(NO_LONGER, code="token_invalid")
    return user


def _refuse_outsider(user: User) -> None:
    if user.status == User.Status.SUSPENDED:
        raise NotSignedIn("This account is suspended. Ask your administrator.", code="suspended")
    if user.status == User.Status.PENDING:
        message = "This e-mail is not confirmed yet. Open the link in the message we sent, then sign in."
        raise NotSignedIn(message, code="email_unconfirmed")


def _use_up(token: RefreshToken) -> bool:
    """Blacklist it; whether it was us who did."""
    outstanding = OutstandingToken.objects.filter(jti=token["jti"]).first()
    if outstanding is None:  # its record was cleaned away, and the user with it
        return False
    _, is_ours = BlacklistedToken.objects.get_or_create(token=outstanding)
    return bool(is_ours)


def _is_revoked(raw: str) -> bool:
    try:
        jti = RefreshToken(raw, verify=False).get("jti")  # type: ignore[arg-type]
    except TokenError:
        return False
    return BlacklistedToken.objects.filter(token__jti=jti).exists()


def _auth_claim(user: User) -> str:
    return user.get_session_auth_hash()[:AUTH_CLAIM_LENGTH]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
