"""Where allauth's pages meet our services."""

from __future__ import annotations

from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse

from . import services
from .models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up gives an organisation; whoever signs in has one, and an address that we know to be theirs is not asked
    for again."""

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
