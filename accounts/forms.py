"""What the sign-up page asks beyond allauth's own fields."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest

from .models import User


class SignUpDetails(forms.Form):
    """Mixed into allauth's sign-up form, which saves through `AccountAdapter.save_user`."""

    full_name = forms.CharField(
        label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    organisation = forms.CharField(
        label="Firm or office",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    field_order = ("full_name", "organisation", "email", "password1", "password2")

    def signup(self, request: HttpRequest, user: User) -> None:
        """allauth requires it; the adapter has saved everything already."""
