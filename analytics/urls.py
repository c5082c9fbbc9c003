"""Addresses of the demand pages."""

from __future__ import annotations

from django.urls import path

from .views import demand, entity, questions, spending

app_name = "analytics"

urlpatterns = [
    path("", demand.dashboard, name="demand"),
    path("refresh/", demand.refresh, name="refresh"),
    path("entities/<uuid:entity_id>/", entity.entity, name="entity"),
    path("questions/", questions.questions, name="questions"),
    path("ai/", spending.spending, name="ai"),
]
