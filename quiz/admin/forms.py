"""Forms of the admin's own pages, in its widgets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.exceptions import PlumblineError

from ..exchange import Format
from ..models import Bank
from ..services import banks
from ..services.mending import LONGEST


class BankForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    class Meta:
        model = Bank
        fields = list(banks.EDITABLE)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        values["mapping"] = values.get("mapping") or {}
        try:
            # What can't be changed any more is not among the values.
            banks.check_bank({name: getattr(self.instance, name) for name in banks.EDITABLE} | values)
        except PlumblineError as error:
            self.add_error(error.extra.get("field"), str(error))
        return values


class SyncForm(forms.Form):
    is_full = forms.BooleanField(
        label="All records",
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Otherwise only what has changed since the last time, where Airtable tells.",
    )
    force = forms.BooleanField(
        label="However many have vanished",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Retire questions even if more than 20, and more than a fifth of them, are gone from Airtable.",
    )


class UploadForm(forms.Form):
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV, JSON, GIFT, Aiken, Moodle XML, QTI 1.2 or 2.1, a QTI package, or OpenTrivia text.",
    )
    edition = forms.CharField(
        required=False, max_length=40, widget=UnfoldAdminTextInputWidget, help_text="Of the pool, such as 2026-2030."
    )
    format = forms.ChoiceField(
        required=False,
        widget=UnfoldAdminSelectWidget,
        choices=[("", "Told from the content"), *((each.value, each.value) for each in Format)],
    )
    replaces_edits = forms.BooleanField(
        label="Replace what was edited here",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Otherwise questions edited here stay as they are, and what the file says of them now is rejected.",
    )


class MendForm(forms.Form):
    text = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "false", "class": "font-mono"}),
        strip=False,
        max_length=LONGEST,
        help_text="The whole question in any format that files may have; a row of CSV with its headings above.",
    )


class RetireForm(forms.Form):
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)


class RetireManyForm(RetireForm):
    """With the selection of the list's page, as its action sends it: sent again, it is the same one."""

    action = forms.CharField(widget=forms.HiddenInput)
    select_across = forms.CharField(required=False, widget=forms.HiddenInput)
    _selected_action = forms.Field(widget=forms.MultipleHiddenInput)

    @classmethod
    def of(cls, request: HttpRequest) -> RetireManyForm:
        """Bound once a reason was sent."""
        selected = request.POST.getlist("_selected_action")
        is_across = request.POST.get("select_across") == "1"
        initial = {
            "action": request.POST.get("action", ""),
            "select_across": request.POST.get("select_across", "0"),
            # All of a long list is not sent again one by one: one stands for them.
            "_selected_action": selected[:1] if is_across else selected,
        }
        return cls(request.POST if "reason" in request.POST else None, initial=initial)
