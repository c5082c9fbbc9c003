"""Forms of the admin's own pages, in its widgets."""

from __future__ import annotations

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from .models import FindingOverride


class ImportBillForm(forms.Form):
    file = forms.FileField(widget=UnfoldAdminFileFieldWidget, help_text="KROS xlsx, uniXML, GAEB DA XML, xlsx, csv, …")


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(choices=FindingOverride.Decision.choices, widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(widget=UnfoldAdminTextareaWidget, help_text="For whoever reads the audit next year.")
