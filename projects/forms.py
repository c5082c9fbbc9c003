"""Forms of the project pages. They check shapes only; what may be done is decided in services."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Membership, User

from .models import Position, Project
from .parsers.table_words import FIELDS

BLANKS = str.maketrans("", "", " \u00a0\u202f\u2009'")
CURRENCY = r"[A-Za-z]{3}"
FIELD_WORDS = {
    "number": "Number",
    "code": "Code",
    "description": "Description",
    "unit": "Unit",
    "quantity": "Quantity",
    "unit_price": "Unit price",
    "total": "Total",
    "section": "Section",
    "object": "Building object",
    "price_system": "Price system",
    "note": "Note",
    "vat_rate": "VAT rate",
}


WORKFLOW_HELP = "From drawings: positions are made from building models (IFC) that are uploaded."


class FigureField(forms.DecimalField):
    """A number as people type it: "1 234,5", "1,234.50" and "1234.5" are all understood. Never a float."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_digits=18, decimal_places=4, required=False, widget=widget, **kwargs)

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if value in self.empty_values:
            return None
        try:
            number = Decimal(_pointed(str(value)))
        except InvalidOperation as error:
            raise ValidationError(
                'This is not a number. Write it like "12.5" or "1 234,50".', code="invalid"
            ) from error
        if not number.is_finite():
            raise ValidationError("This is not a number that a budget can hold.", code="invalid")
        return number or Decimal(0)  # a zero may carry any exponent, and be written out with as many digits

    def prepare_value(self, value: Any) -> Any:
        """Without the zeros that the database keeps: 12.5, not 12.5000."""
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _pointed(text: str) -> str:
    """The last of comma and point is the decimal mark, unless it stands before each group of three."""
    text = text.strip().translate(BLANKS).replace("−", "-")
    if "," in text and "." in text:
        mark, group = (",", ".") if text.rfind(",") > text.rfind(".") else (".", ",")
        return text.replace(group, "").replace(mark, ".")
    return text.replace(",", ".") if text.count(",") == 1 else text.replace(",", "")


class ProjectForm(forms.Form):
    """A new project; the organisation is asked for only where there is a choice."""

    name = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}))
    description = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    organisation = forms.ChoiceField(required=False)
    currency = forms.RegexField(
        f"^{CURRENCY}$",
        required=False,
        help_text="Three letters, such as CZK. Left empty, the first bill decides.",
        error_messages={"invalid": "A currency has three letters, such as CZK or EUR."},
        widget=forms.TextInput(attrs={"maxlength": 3, "autocomplete": "off", "size": 5}),
    )
    workflow = forms.ChoiceField(choices=Project.Workflow.choices, required=False, help_text=WORKFLOW_HELP)

    def clean_workflow(self) -> str:
        return self.cleaned_data["workflow"] or Project.Workflow.BILL_GIVEN

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        writable = Membership.objects.of(user).exclude(role=Membership.Role.VIEWER).select_related("organisation")
        choices = [(str(one.organisation_id), one.organisation.name) for one in writable.order_by("created_at", "pk")]
        if len(choices) > 1:
            self.fields["organisation"] = forms.ChoiceField(choices=choices)
        else:
            del self.fields["organisation"]


class SettingsForm(forms.Form):
    name = forms.CharField(max_length=200)
    description = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    currency = forms.RegexField(
        f"^{CURRENCY}$",
        required=False,
        error_messages={"invalid": "A currency has three letters, such as CZK or EUR."},
        widget=forms.TextInput(attrs={"maxlength": 3, "size": 5}),
    )
    budget_on = forms.DateField(
        label="Budget date",
        required=False,
        help_text="Decides which rates were valid.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    workflow = forms.ChoiceField(choices=Project.Workflow.choices, required=False, help_text=WORKFLOW_HELP)

    @classmethod
    def of(cls, project: Project) -> SettingsForm:
        return cls(initial={name: getattr(project, name) for name in cls.base_fields})

    def clean(self) -> dict[str, Any]:
        """What was not sent stays as it is."""
        values = super().clean() or self.cleaned_data
        return values if values.get("workflow") else {k: v for k, v in values.items() if k != "workflow"}


class PositionForm(forms.Form):
    """What a person may change of a position. `reason` goes to the version, the rest to the position."""

    number = forms.CharField(required=False, max_length=60)
    code = forms.CharField(required=False, max_length=60)
    description = forms.CharField(required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 3}))
    unit = forms.CharField(required=False, max_length=40)
    quantity = FigureField()
    unit_price = FigureField()
    kind = forms.ChoiceField(choices=Position.Kind.choices)
    billing = forms.ChoiceField(label="Counts as", choices=Position.Billing.choices)
    category = forms.CharField(required=False, max_length=60)
    reason = forms.CharField(
        required=False, max_length=500, help_text="Why it changes: kept with the version.", label="Reason"
    )

    VALUES = ("number", "code", "description", "unit", "quantity", "unit_price", "kind", "billing", "category")

    @classmethod
    def of(cls, row: Position) -> PositionForm:
        return cls(initial={name: getattr(row, name) for name in cls.VALUES})

    def values(self) -> dict[str, Any]:
        """By field; without a unit it is None, as the model has it."""
        found = {name: self.cleaned_data[name] for name in self.VALUES}
        found["unit"] = found["unit"] or None
        return found

    def changes_from(self, row: Position) -> dict[str, Any]:
        """Only what differs from the row that the person had before them."""
        return {name: value for name, value in self.values().items() if _differs(value, getattr(row, name))}


def _differs(value: Any, stored: Any) -> bool:
    if isinstance(stored, str) and isinstance(value, str):
        # A browser sends CRLF for every line end, and Django strips: neither is an edit.
        return value.replace("\r\n", "\n").strip() != stored.replace("\r\n", "\n").strip()
    return bool((value or None) != (stored or None)) if not isinstance(stored, Decimal) else bool(value != stored)


class AddPositionForm(PositionForm):
    """`place` is a key of the section tree; a new position goes to the end of that section."""

    place = forms.ChoiceField(label="Section", required=False)
    field_order = ("place", *PositionForm.VALUES, "reason")

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"] = forms.ChoiceField(label="Section", required=False, choices=places)
        self.fields["description"].required = True
        self.order_fields(self.field_order)


class MappingForm(forms.Form):
    """Which field each column of a table holds: one select a column, `column_0` …; "" where it is not needed."""

    header_row = forms.IntegerField(
        label="Row with the titles", min_value=0, max_value=10_000, help_text="0 where the table has none."
    )
    decimal_mark = forms.ChoiceField(
        required=False,
        label="Decimal mark",
        choices=[("", "Each figure decides"), (",", "Comma: 12,5"), (".", "Point: 12.5")],
    )
    currency = forms.RegexField(
        f"^{CURRENCY}$", required=False, widget=forms.TextInput(attrs={"maxlength": 3, "size": 5})
    )

    def __init__(self, *args: Any, letters: list[str], sheets: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.letters = letters
        self.fields["sheet"] = forms.ChoiceField(
            choices=[(name, name) for name in sheets] or [("", "")],
            required=False,
            widget=forms.Select if len(sheets) > 1 else forms.HiddenInput,
        )
        known = [("", "Not needed"), *((name, FIELD_WORDS.get(name, name.replace("_", " "))) for name in FIELDS)]
        for index, letter in enumerate(letters):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                required=False, choices=known, label=f"Column {letter} holds"
            )

    def column_fields(self) -> list[forms.BoundField]:
        return [self[f"column_{index}"] for index in range(len(self.letters))]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        chosen = [values.get(f"column_{index}") or "" for index in range(len(self.letters))]
        named = [name for name in chosen if name]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            words = ", ".join(FIELD_WORDS.get(name, name) for name in twice)
            raise ValidationError(f"Two columns can't hold the same: {words}.")
        if "description" not in named:
            raise ValidationError("Say which column holds the description.")
        return values

    def mapping(self, *, delimiter: str, encoding: str) -> dict[str, Any]:
        """As the reader of tables takes it, with 0-based columns and rows."""
        values = self.cleaned_data
        columns = {values[f"column_{index}"]: index for index in range(len(self.letters))}
        columns.pop("", None)
        return {
            "columns": columns,
            "sheet": values["sheet"],
            "header_row": values["header_row"] - 1,
            "delimiter": delimiter,
            "encoding": encoding,
            "decimal_mark": values["decimal_mark"],
            "currency": values["currency"].upper(),
        }
