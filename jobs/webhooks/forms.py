"""The form of an endpoint. It checks shapes only; what an endpoint may be is decided in the services."""

from __future__ import annotations

from django import forms

from accounts.models import Membership, User

from ..models import WebhookEndpoint
from .event_types import EVERYTHING, TEST, event_types


class EndpointForm(forms.Form):
    """A new endpoint, or an existing one; the organisation is asked for only where there is a choice."""

    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Where messages are sent, such as https://hooks.example.com/plumbline.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )
    description = forms.CharField(required=False, max_length=200, help_text="What it is for, for your colleagues.")
    event_types = forms.MultipleChoiceField(label="Tell it of", widget=forms.CheckboxSelectMultiple)
    organisation = forms.ChoiceField(required=False)

    def __init__(self, *args: object, user: User, endpoint: WebhookEndpoint | None = None, **kwargs: object) -> None:
        if endpoint is not None:
            kwargs["initial"] = {
                "url": endpoint.url,
                "description": endpoint.description,
                "event_types": endpoint.event_types,
            }
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        known = [(each.name, each.name) for each in event_types() if each.name != TEST]
        choices = [(EVERYTHING, "Everything, also what is added later"), *known]
        self.fields["event_types"] = forms.MultipleChoiceField(
            label="Tell it of", choices=choices, widget=forms.CheckboxSelectMultiple
        )
        owned = Membership.objects.of(user).filter(role=Membership.Role.OWNER).select_related("organisation")
        places = [(str(one.organisation_id), one.organisation.name) for one in owned.order_by("created_at", "pk")]
        if endpoint is None and len(places) > 1:
            self.fields["organisation"] = forms.ChoiceField(choices=places)
        else:
            del self.fields["organisation"]
