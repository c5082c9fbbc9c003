"""The question editor's forms: what people type, as an item and back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from ..exchange.item import Accepted, Choice, Item, Kind, Markup, Pair, Range
from ..exchange.soundness import TRUTHS, true_false
from ..exchange.texts import equal_share, number_of, one_line, percent, plain_number, references_of, share_of
from ..models import Bank, QuestionVersion

MOST_ROWS = 200
KINDS = {
    Kind.SINGLE: "One right choice",
    Kind.MULTIPLE: "Several right choices",
    Kind.TRUE_FALSE: "True or false",
    Kind.SHORT: "An answer in words",
    Kind.NUMERIC: "A number",
    Kind.MATCHING: "Pairs to match",
    Kind.ORDERING: "Steps to put in order",
}


def _line(**attrs: str) -> forms.TextInput:
    found: forms.TextInput = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", **attrs})
    return found


def _lines(rows: int, **attrs: str) -> forms.Textarea:
    found: forms.Textarea = UnfoldAdminTextareaWidget(attrs={"rows": rows, **attrs})
    return found


class NumberField(forms.CharField):
    """A number as people write it."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        number = number_of(text) if text else None
        if text and number is None:
            raise forms.ValidationError("This is no number.")
        return number


class ShareField(forms.CharField):
    """A share of the mark in percent; None where nothing is said."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value).removesuffix("%").strip()
        share = share_of(text) if text else None
        if text and share is None:
            raise forms.ValidationError("A number from -100 to 100.")
        return share


class QuestionForm(forms.Form):
    kind = forms.ChoiceField(choices=list(KINDS.items()), initial=Kind.SINGLE.value, widget=UnfoldAdminSelectWidget)
    markup = forms.ChoiceField(
        label="Written as", choices=QuestionVersion.MARKUPS, initial="plain", widget=UnfoldAdminSelectWidget
    )
    stem = forms.CharField(label="Question", required=False, strip=False, widget=_lines(4))
    truth = forms.ChoiceField(
        label="It is", required=False, choices=[("", "–"), *((each, each) for each in TRUTHS)],
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    if_true = forms.CharField(label="Feedback to True", required=False, widget=_lines(2))
    if_false = forms.CharField(label="Feedback to False", required=False, widget=_lines(2))
    is_case_sensitive = forms.BooleanField(label="Capitals count", required=False, widget=UnfoldBooleanWidget)
    explanation = forms.CharField(required=False, strip=False, widget=_lines(3))
    references = forms.CharField(
        required=False, widget=_lines(2), help_text="Clauses that it cites, one a line: AWS D1.1 4.1.2"
    )
    category = forms.CharField(
        max_length=120, required=False, widget=_line(list="quiz-categories"),
        help_text="One that there is, or a new one; empty: named like the bank.",
    )  # fmt: skip
    difficulty = NumberField(
        required=False, widget=_line(inputmode="decimal"), help_text="From 0 (easy) to 1 (hard), or nothing."
    )
    tags = forms.CharField(required=False, widget=_line(), help_text="Parted by commas.")
    title = forms.CharField(
        required=False, max_length=200, widget=_line(), help_text="For those who keep it; learners never see it."
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class NewQuestionForm(QuestionForm):
    bank = forms.ModelChoiceField(queryset=Bank.objects.none(), widget=UnfoldAdminSelectWidget)
    edition = forms.CharField(required=False, max_length=40, widget=_line(), help_text="Of the pool, if it has any.")
    external_id = forms.CharField(
        label="Id", required=False, max_length=200, widget=_line(), help_text="Empty: one is made up."
    )


class ChoiceForm(forms.Form):
    text = forms.CharField(required=False, widget=_lines(1))
    is_right = forms.BooleanField(label="Right", required=False, widget=UnfoldBooleanWidget)
    feedback = forms.CharField(label="Feedback", required=False, widget=_lines(1))
    share = ShareField(label="Share, %", required=False, widget=_line(inputmode="decimal", placeholder="by itself"))


class AcceptedForm(forms.Form):
    text = forms.CharField(label="Answer", required=False, widget=_line())
    feedback = forms.CharField(label="Feedback", required=False, widget=_lines(1))
    share = ShareField(label="Share, %", required=False, widget=_line(inputmode="decimal", placeholder="100"))


class RangeForm(forms.Form):
    number = NumberField(required=False, widget=_line(inputmode="decimal"))
    tolerance = NumberField(label="± tolerance", required=False, widget=_line(inputmode="decimal", placeholder="0"))
    feedback = forms.CharField(label="Feedback", required=False, widget=_lines(1))
    share = ShareField(label="Share, %", required=False, widget=_line(inputmode="decimal", placeholder="100"))


class PairForm(forms.Form):
    left = forms.CharField(required=False, widget=_lines(1, placeholder="empty: a distractor"))
    right = forms.CharField(label="Belongs to it", required=False, widget=_lines(1))


class PartForm(forms.Form):
    text = forms.CharField(label="Step", required=False, widget=_lines(1))


def _rows(form: type[forms.Form]) -> Any:
    return forms.formset_factory(form, extra=0, max_num=MOST_ROWS, absolute_max=MOST_ROWS, validate_max=True)


ROWS: dict[str, Any] = {
    "choices": _rows(ChoiceForm),
    "accepted": _rows(AcceptedForm),
    "ranges": _rows(RangeForm),
    "pairs": _rows(PairForm),
    "sequence": _rows(PartForm),
}
OF_KIND = {
    Kind.SINGLE: "choices",
    Kind.MULTIPLE: "choices",
    Kind.SHORT: "accepted",
    Kind.NUMERIC: "ranges",
    Kind.MATCHING: "pairs",
    Kind.ORDERING: "sequence",
}
BLANK = {"choices": 4, "accepted": 1, "ranges": 1, "pairs": 3, "sequence": 3}  # rows that a new question begins with


class Editor:
    """The forms of one question together. `data`: what was sent; else they show `item`."""

    def __init__(
        self,
        *,
        form: type[QuestionForm],
        data: Any = None,
        item: Item | None = None,
        category: str = "",
        seen: str = "",
        banks: Any = None,
    ) -> None:
        initial = {**(_initial(item) if item else {}), "category": category, "seen": seen}
        self.form = form(data, initial=initial)
        if banks is not None:
            self.form.fields["bank"].queryset = banks  # type: ignore[attr-defined]
        rows = _initial_rows(item)
        self.rows = {name: rows_of(data, initial=rows[name], prefix=name) for name, rows_of in ROWS.items()}
        self.problems: list[str] = []  # of the answers as a whole

    @property
    def kind(self) -> Kind:
        return Kind(self.form.cleaned_data["kind"])

    def is_valid(self) -> bool:
        """The form, and of the answers those of its kind."""
        is_valid = self.form.is_valid()
        kind = self.form.cleaned_data.get("kind")
        used = OF_KIND.get(Kind(kind)) if kind else None
        return bool((self.rows[used].is_valid() if used else True) and is_valid)

    def add_problem(self, field: str, reason: str) -> None:
        if field in self.form.fields:
            self.form.add_error(field, reason)
        else:
            self.problems.append(reason)

    def errors(self) -> dict[str, list[str]]:
        """By the name of the field as it was sent; "answers" for them as a whole."""
        found = {name: [str(each) for each in told] for name, told in self.form.errors.items()}
        kind = self.form.cleaned_data.get("kind")
        used = OF_KIND.get(Kind(kind)) if kind else None
        for form in self.rows[used].forms if used else ():
            found |= {form.add_prefix(name): [str(each) for each in told] for name, told in form.errors.items()}
        return found | ({"answers": self.problems} if self.problems else {})

    def item(self) -> Item:
        """After is_valid. What is in it need not be a question that can be asked."""
        values = self.form.cleaned_data
        return Item(
            kind=self.kind,
            stem=values["stem"],
            external_id=values.get("external_id", ""),
            title=values["title"],
            markup=Markup(values["markup"]),
            explanation=values["explanation"],
            references=tuple(each for line in values["references"].split("\n") for each in references_of(line)),
            tags=tuple(filter(None, map(one_line, values["tags"].split(",")))),
            difficulty=values["difficulty"],
            is_case_sensitive=self.kind is Kind.SHORT and values["is_case_sensitive"],
            **self._answers(values),
        )

    def _answers(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if self.kind is Kind.TRUE_FALSE:
            told = {"if_true": values["if_true"], "if_false": values["if_false"]}
            if values["truth"]:
                return {"choices": true_false(values["truth"] == TRUTHS[0], **told)}
            return {"choices": tuple(Choice(text, feedback=told[f"if_{text.lower()}"]) for text in TRUTHS)}
        name = OF_KIND[self.kind]
        rows = [row for row in (form.cleaned_data for form in self.rows[name].forms) if any(_filled(row))]
        if name == "choices":
            return {"choices": _choices(self.kind, rows)}
        if name == "accepted":
            return {"accepted": tuple(Accepted(row["text"], _share(row), row["feedback"]) for row in rows)}
        if name == "ranges":
            return {"ranges": tuple(_range(row) for row in rows if row["number"] is not None)}
        if name == "pairs":
            return {"pairs": tuple(Pair(row["left"], row["right"]) for row in rows)}
        return {"sequence": tuple(row["text"] for row in rows)}


def _filled(row: Mapping[str, Any]) -> list[bool]:
    return [value not in ("", None, False) for value in row.values()]


def _choices(kind: Kind, rows: list[dict[str, Any]]) -> tuple[Choice, ...]:
    """A share that is not said: the whole mark for the right one, or its equal part of it."""
    right = sum(row["is_right"] for row in rows)
    usual = Decimal(1) if kind is Kind.SINGLE or not right else equal_share(right)
    shares = [row["share"] if row["share"] is not None else usual if row["is_right"] else Decimal(0) for row in rows]
    return tuple(Choice(row["text"], share, row["feedback"]) for row, share in zip(rows, shares, strict=True))


def _share(row: Mapping[str, Any]) -> Decimal:
    return Decimal(1) if row["share"] is None else row["share"]


def _range(row: Mapping[str, Any]) -> Range:
    around = abs(row["tolerance"] or Decimal(0))
    return Range(row["number"] - around, row["number"] + around, _share(row), row["feedback"])


def _initial(item: Item) -> dict[str, Any]:
    truth = next((choice.text for choice in item.choices if choice.share == 1), "")
    is_truth = item.kind is Kind.TRUE_FALSE
    return {
        "kind": item.kind.value,
        "markup": item.markup.value,
        "stem": item.stem,
        "truth": truth if is_truth else "",
        "if_true": item.choices[0].feedback if is_truth else "",
        "if_false": item.choices[1].feedback if is_truth else "",
        "is_case_sensitive": item.is_case_sensitive,
        "explanation": item.explanation,
        "references": "\n".join(item.references),
        "difficulty": plain_number(item.difficulty) if item.difficulty is not None else "",
        "tags": ", ".join(item.tags),
        "title": item.title,
    }


def _initial_rows(item: Item | None) -> dict[str, list[dict[str, Any]]]:
    if item is None:
        return {name: [{} for _ in range(count)] for name, count in BLANK.items()}
    right = sum(choice.share > 0 for choice in item.choices)
    usual = Decimal(1) if item.kind is Kind.SINGLE or not right else equal_share(right)
    found: dict[str, list[dict[str, Any]]] = {
        "choices": [
            {
                "text": each.text,
                "is_right": each.share == usual,
                "feedback": each.feedback,
                "share": "" if each.share in (0, usual) else percent(each.share),
            }
            for each in (item.choices if item.kind is not Kind.TRUE_FALSE else ())
        ],
        "accepted": [{"text": e.text, "feedback": e.feedback, "share": _told(e.share)} for e in item.accepted],
        "ranges": [
            {
                "number": plain_number((each.low + each.high) / 2),
                "tolerance": plain_number((each.high - each.low) / 2),
                "feedback": each.feedback,
                "share": _told(each.share),
            }
            for each in item.ranges
        ],
        "pairs": [{"left": pair.left, "right": pair.right} for pair in item.pairs],
        "sequence": [{"text": text} for text in item.sequence],
    }
    return {name: rows or [{} for _ in range(BLANK[name])] for name, rows in found.items()}


def _told(share: Decimal) -> str:
    return "" if share == 1 else percent(share)
