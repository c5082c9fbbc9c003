"""Under /admin/operations/. Every view asks for a signed-in member of staff first, like the rest of the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from . import operations

app_name = "operations"
staff = admin.site.admin_view
urlpatterns = [
    path("", staff(operations.page), name="page"),
    path("parts/", staff(operations.parts), name="parts"),
    path("headline/", staff(operations.headline), name="headline"),
    path("guide/", staff(operations.guide), name="guide"),
    path("jobs/<uuid:job_id>/cancel/", staff(operations.cancel_job), name="cancel"),
    path("retry/", staff(operations.retry_group), name="retry"),
]
