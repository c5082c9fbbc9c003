"""Under /organisation/webhooks/."""

from __future__ import annotations

from django.urls import path

from . import pages

app_name = "webhooks"
urlpatterns = [
    path("", pages.endpoint_list, name="list"),
    path("add/", pages.endpoint_add, name="add"),
    path("<uuid:endpoint_id>/", pages.endpoint_detail, name="detail"),
    path("<uuid:endpoint_id>/edit/", pages.endpoint_edit, name="edit"),
    path("<uuid:endpoint_id>/test/", pages.endpoint_test, name="test"),
    path("<uuid:endpoint_id>/switch/", pages.endpoint_switch, name="switch"),
    path("<uuid:endpoint_id>/rotate-secret/", pages.endpoint_rotate, name="rotate"),
    path("<uuid:endpoint_id>/delete/", pages.endpoint_delete, name="delete"),
    path("deliveries/<uuid:delivery_id>/", pages.delivery_detail, name="delivery"),
    path("deliveries/<uuid:delivery_id>/redeliver/", pages.delivery_again, name="redeliver"),
]
