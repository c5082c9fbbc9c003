"""Forms of the tender pages. They check shapes only; what may be done is decided in services."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from projects.forms import FigureField

from .models import CompanyProfile, Decision


class DecisionForm(forms.Form):
    NONE = "none"
    choice = forms.ChoiceField(choices=[*Decision.Choice.choices, (NONE, "Undecided")])
    reason = forms.CharField(required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))


class SavedSearchForm(forms.Form):
    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}))
    is_alerting = forms.BooleanField(required=False, label="Tell me each morning of new tenders that fit")
    by_email = forms.BooleanField(required=False, label="By e-mail, too")


class SourceForm(forms.Form):
    """Of an https source; names and values are those of `services.sources`."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    location = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Of a file of notices (OCDS json or json lines, eForms xml, csv, xlsx), or of its first page.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    country = forms.RegexField(
        "^[A-Za-z]{2}$",
        required=False,
        help_text="Two letters, such as CZ: for notices that do not say their country.",
        error_messages={"invalid": "A country has two letters, such as CZ or SK."},
        widget=forms.TextInput(attrs={"maxlength": 2, "size": 4, "autocomplete": "off"}),
    )
    is_scheduled = forms.BooleanField(required=False, label="Fetch it every hour")

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()


class UploadSourceForm(forms.Form):
    """Of a source that files are uploaded into."""

    name = SourceForm.base_fields["name"]
    country = SourceForm.base_fields["country"]

    clean_country = SourceForm.clean_country


class MendForm(forms.Form):
    text = forms.CharField(
        label="The whole record",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "class": "mono", "dir": "auto", "spellcheck": "false"}),
    )


class WordsField(forms.CharField):
    """Words or phrases, one a line; commas and semicolons part them too. A list of texts."""

    _PARTS = re.compile(r"[\n\r,;،]+")

    def __init__(self, *, joined_by: str = "\n", **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4, "dir": "auto"}))
        super().__init__(required=False, max_length=20_000, **kwargs)
        self._joined_by = joined_by

    def to_python(self, value: Any) -> Any:
        return [part.strip() for part in self._PARTS.split(super().to_python(value) or "") if part.strip()]

    def prepare_value(self, value: Any) -> Any:
        return self._joined_by.join(value) if isinstance(value, list) else value

    def run_validators(self, value: Any) -> None:
        """The length was one of the text; the service counts words."""


class ProfileForm(forms.Form):
    """Of a firm; names and values are those of `services.profiles.change_profile`."""

    cpv_codes = WordsField(
        label="Kinds of work, by CPV",
        help_text="2 to 8 digits each, one a line: 45 is all construction, 45233 roads. Pick some below, or write any.",
        widget=forms.Textarea(attrs={"rows": 4, "data-cpv-codes": "", "inputmode": "numeric", "spellcheck": "false"}),
    )
    keywords = WordsField(
        label="Words that speak for a tender",
        help_text="One a line, in every language that you read notices in: bridge, most, جسر.",
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
    )
    negative_keywords = WordsField(label="Words that speak against it", help_text="Such as: cleaning, asbestos.")
    countries = WordsField(
        label="Countries",
        joined_by=", ",  # a box of one line takes no line breaks
        help_text="Two letters each: CZ, SK. Empty: any.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    regions = WordsField(
        label="Regions",
        help_text="NUTS codes or names, one a line: CZ063, Vysočina. Empty: any.",
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    value_min = FigureField(label="Smallest contract")
    value_max = FigureField(label="Largest contract")
    value_currency = forms.RegexField(
        "^[A-Za-z]{3}$",
        label="In",
        required=False,
        help_text="Three letters, such as CZK.",
        error_messages={"invalid": "A currency has three letters, such as CZK or EUR."},
        widget=forms.TextInput(attrs={"maxlength": 3, "size": 5, "autocomplete": "off"}),
    )
    days_to_prepare = forms.IntegerField(
        label="Days that a bid takes you at least", min_value=0, max_value=365, initial=14
    )
    capabilities = forms.CharField(
        label="What your firm does, in your own words",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
    )

    @classmethod
    def of(cls, profile: CompanyProfile | None, data: Any = None) -> ProfileForm:
        names = cls.base_fields
        return cls(data, initial={name: getattr(profile, name) for name in names} if profile else None)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        low, high = values.get("value_min"), values.get("value_max")
        for name, value in (("value_min", low), ("value_max", high)):
            if value is not None and value < 0:
                self.add_error(name, "A contract's value is not negative.")
        if low is not None and high is not None and low > high:
            self.add_error("value_max", "The largest contract can't be smaller than the smallest.")
        return values
