"""Webhooks for staff: look, send again, process again. Secrets are never shown, and nobody edits a row by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.exceptions import PlumblineError
from accounts.models import User

from ..models import ReceivedWebhook, WebhookDelivery, WebhookEndpoint
from ..webhooks import delivering, endpoints, receiving

BODY_CHARS = 20_000
LIST_CHARS = 36  # of an address or an error in a list
LABELS = {
    "delivered": "success",
    "processed": "success",
    "failed": "danger",
    "pending": "info",
    "stored": "info",
}


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    """Lists and shows; what can be done are actions, each a service."""

    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [field.name for field in self.model._meta.fields if field.name not in (self.exclude or ())]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: "Save" would write a row as it was read, over what a worker has written since."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @display(description="Status", ordering="status", label=LABELS)
    def show_status(self, row: WebhookDelivery | ReceivedWebhook) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @display(description="Error", ordering="error")
    def show_error(self, row: WebhookDelivery | ReceivedWebhook) -> str:
        return Truncator(row.error).chars(LIST_CHARS)

    def each(self, request: HttpRequest, rows: QuerySet[Any], service: Callable[[Any], Any], said: str) -> None:
        done = 0
        for row in rows:
            try:
                service(row.pk)
                done += 1
            except PlumblineError as error:
                self.message_user(request, f"{row}: {error}", messages.WARNING)
        if done:
            self.message_user(request, f"{done} {said}.", messages.SUCCESS)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ["show_url", "organisation", "is_active", "failing_since", "failures_in_a_row", "disabled_at"]
    list_filter = ["is_active", "created_at"]
    list_select_related = ["organisation"]
    search_fields = ["id", "url", "description", "organisation__name"]
    exclude = ["secret", "previous_secret"]
    actions = ["switch_on", "switch_off"]

    @display(description="Address", ordering="url")
    def show_url(self, endpoint: WebhookEndpoint) -> str:
        return Truncator(endpoint.url).chars(LIST_CHARS)

    @action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        self._switch(request, queryset, True)

    @action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        self._switch(request, queryset, False)

    def _switch(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint], is_active: bool) -> None:
        actor = cast(User, request.user)
        self.each(
            request,
            rows,
            lambda pk: endpoints.change_endpoint(endpoint_id=pk, actor=actor, is_active=is_active),
            "switched on" if is_active else "switched off",
        )


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        "event_type",
        "show_status",
        "attempts",
        "response_status",
        "show_endpoint",
        "show_error",
        "created_at",
    ]
    list_filter = ["status", "event_type", "created_at"]
    list_select_related = ["endpoint"]
    search_fields = ["id", "endpoint__url", "endpoint__organisation__name", "error"]
    date_hierarchy = "created_at"
    actions = ["send_again"]

    @display(description="Endpoint", ordering="endpoint__url")
    def show_endpoint(self, row: WebhookDelivery) -> str:
        return Truncator(row.endpoint.url).chars(LIST_CHARS)

    @action(description="Send again, under the same number", permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        actor = cast(User, request.user)
        self.each(
            request, queryset, lambda pk: delivering.redeliver(delivery_id=pk, actor=actor), "on their way once more"
        )


@admin.register(ReceivedWebhook)
class ReceivedWebhookAdmin(ReadOnlyAdmin):
    list_display = ["source", "event_type", "provider_id", "show_status", "times_received", "show_error", "received_at"]
    list_filter = ["status", "source", "received_at"]
    search_fields = ["id", "source", "provider_id", "event_type", "error"]
    date_hierarchy = "received_at"
    exclude = ["body"]
    actions = ["process_again"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "body_shown"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceivedWebhook]:
        """Bodies may be large: lists are read without them."""
        rows: QuerySet[ReceivedWebhook] = super().get_queryset(request)
        return rows.defer("body")

    @display(description="Body")
    def body_shown(self, row: ReceivedWebhook) -> str:
        """As text, escaped, cut; it is somebody else's."""
        body = bytes(row.body)
        rest = f" … of {len(body)} bytes" if len(body) > BODY_CHARS else ""
        return format_html("<pre>{}{}</pre>", body[:BODY_CHARS].decode("utf-8", "replace"), rest)

    @action(description="Process again", permissions=["change"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[ReceivedWebhook]) -> None:
        actor = cast(User, request.user)
        self.each(
            request, queryset, lambda pk: receiving.process_again(received_id=pk, actor=actor), "handled once more"
        )
