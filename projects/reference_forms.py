"""Forms of the pages on rules and catalogues. They check shapes only; what may be done is decided in services."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django import forms

from .forms import CURRENCY, FigureField
from .models import Document, Project

TABLES = ".xlsx,.xlsm,.ods,.xls,.csv,.txt"


class ThresholdForm(forms.Form):
    value = FigureField()
    reason = forms.CharField(
        max_length=1000, error_messages={"required": "Say why, so that the next reader understands the figure."}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["value"].required = True
        self.fields["value"].error_messages["required"] = "Write a figure."


class _ImportForm(forms.Form):
    """`for_all`: whether the choice of whose it becomes is there."""

    for_all = forms.BooleanField(
        label="For everyone",
        required=False,
        help_text="Every organisation sees it. Without it, yours alone.",
    )

    def __init__(self, *args: Any, for_all: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not for_all:
            del self.fields["for_all"]


class CatalogueForm(_ImportForm):
    file = forms.FileField(
        label="Price list",
        help_text="xlsx, ods, xls or csv with titles: code, text, unit, unit price; currency and date if it has them.",
        widget=forms.FileInput(attrs={"accept": TABLES}),
    )
    catalogue = forms.CharField(max_length=30, help_text="Such as ÚRS.")
    edition = forms.CharField(max_length=30, help_text='Such as "2025 02", as price systems in bills name it.')
    currency = forms.RegexField(
        f"^{CURRENCY}$",
        required=False,
        help_text="Of prices, where the list names none.",
        error_messages={"invalid": "A currency has three letters, such as CZK or EUR."},
        widget=forms.TextInput(attrs={"maxlength": 3, "size": 5}),
    )
    priced_on = forms.DateField(
        label="Prices of",
        required=False,
        help_text="Where the list has no dates. Prices are indexed from then.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    field_order = ["file", "catalogue", "edition", "currency", "priced_on", "for_all"]


class PriceIndexForm(_ImportForm):
    file = forms.FileField(
        label="Index",
        help_text="xlsx, ods, xls or csv with titles: month (2025-03 or 2025 Q1), value; series if there are several.",
        widget=forms.FileInput(attrs={"accept": TABLES, "id": "id_index_file"}),
    )
    series = forms.CharField(max_length=60, required=False, help_text="Where the table names none.")
    field_order = ["file", "series", "for_all"]


class ReferencesForm(forms.Form):
    """What a project's audits compare with. Choices are what there is."""

    catalogue = forms.ChoiceField(
        label="Price catalogue",
        required=False,
        help_text="Rules C04, N01 and N02 compare prices, codes and texts with it.",
    )
    price_index = forms.ChoiceField(
        label="Price index",
        required=False,
        help_text="Moves prices of the catalogue and of your own budgets to this budget's date.",
    )
    blank_document = forms.ChoiceField(
        label="Unpriced file",
        required=False,
        help_text="Rule V13: only prices may differ from it. A bid joined to its tender knows it by itself.",
    )

    def __init__(
        self,
        *args: Any,
        project: Project,
        editions: list[dict[str, Any]],
        series: list[dict[str, Any]],
        documents: list[Document],
        **kwargs: Any,
    ) -> None:
        chosen = {
            "catalogue": _as_one(project.catalogue, project.catalogue_edition) if project.catalogue else "",
            "price_index": project.price_index,
            "blank_document": str(project.blank_document_id or ""),
        }
        super().__init__(*args, **kwargs)
        self.initial = chosen
        names = [(one["catalogue"], one["edition"]) for one in editions]
        self._choices("catalogue", "None", [(_as_one(*name), " ".join(name)) for name in names])
        rows = [(one["series"], one["series"]) for one in series]
        self._choices("price_index", "None: prices stay as they are", rows)
        self._choices("blank_document", "None", [(str(one.pk), one.original_filename) for one in documents])

    def _choices(self, name: str, empty: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", empty), *choices]

    def chosen(self) -> dict[str, Any]:
        """As `choose_references` takes them."""
        catalogue, edition = json.loads(self.cleaned_data["catalogue"] or '["", ""]')
        blank = self.cleaned_data["blank_document"]
        return {
            "catalogue": catalogue,
            "edition": edition,
            "price_index": self.cleaned_data["price_index"],
            "blank_document_id": UUID(blank) if blank else None,
        }


def _as_one(catalogue: str, edition: str) -> str:
    return json.dumps([catalogue, edition], ensure_ascii=False)
