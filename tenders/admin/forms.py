"""Forms of the admin's own pages, in its widgets."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from accounts.exceptions import PlumblineError
from jobs.outbound import check_url

from ..models import Source
from ..readers.headings import FIELDS
from ..services.mending import LONGEST


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    class Meta:
        model = Source
        fields = ["organisation", "name", "kind", "location", "country", "mapping", "is_scheduled"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        is_address = values.get("kind") == Source.Kind.URL
        if is_address:
            try:
                check_url(values.get("location", ""))
            except PlumblineError as error:
                self.add_error("location", str(error))
        elif values.get("is_scheduled"):
            self.add_error("is_scheduled", "Only sources with an https address can be fetched by the schedule.")
        mapping = values.get("mapping") or {}
        if not isinstance(mapping, dict) or any(name not in FIELDS for name in mapping):
            self.add_error("mapping", f"Headings by field: {', '.join(FIELDS)}.")
        values["mapping"] = mapping
        return values


class UploadForm(forms.Form):
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="OCDS JSON or JSON lines, eForms XML, CSV, xlsx; packed with gzip or not.",
    )


class MendForm(forms.Form):
    text = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "false", "class": "font-mono"}),
        strip=False,
        max_length=LONGEST,
        help_text="The whole record: an OCDS release as JSON, an eForms notice as XML, or a CSV with its headings.",
    )
