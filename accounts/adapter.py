"""Where allauth's pages meet our services."""

from __future__ import annotations

from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse

from config.throttling import begin_attempt, client_address, forget_attempts

from . import services
from .models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up gives an organisation; whoever signs in has one, and an address that we know to be theirs is not asked
    for again. Attempts to sign in are counted in one place for pages and API (`config/throttling/attempts.py`):
    allauth's own count of an e-mail would let anybody lock its owner out from everywhere."""

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises allauth's validation error; `sign_in_wait_s` on the request says for how long."""
        self._attempt = begin_attempt(email=str(credentials.get("email", "")), address=client_address(request))
        if not self._attempt.is_allowed:
            request.sign_in_wait_s = self._attempt.wait_s  # type: ignore[attr-defined]
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is not None:
            self._attempt.succeeded()
        return user

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Called once a forgotten password has been set anew."""
        forget_attempts(email=str(credentials.get("email", "")), address=client_address(request))

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        super().save_user(request, user, form, commit=False)
        user.full_name = form.cleaned_data.get("full_name", "").strip()
        if commit:
            must_confirm = app_settings.EMAIL_VERIFICATION == app_settings.EmailVerificationMethod.MANDATORY
            organisation = form.cleaned_data.get("organisation", "")
            services.sign_up(user=user, organisation_name=organisation, must_confirm=must_confirm)
        return user

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Users made by commands or staff have no address row of allauth's; without one it would ask to confirm."""
        if user.email_verified:
            services.confirm_email(user=user, email=user.email)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        services.ensure_organisation(user=user)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response
