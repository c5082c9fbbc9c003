"""What audits go by, in the admin: price indices and organisations' own thresholds. Written by imports and services."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_pages import ReadOnlyAdmin

from .models import PriceIndex, ThresholdSetting


@admin.register(PriceIndex)
class PriceIndexAdmin(ReadOnlyAdmin):
    list_display = ["series", "on", "value", "organisation"]
    list_filter = ["series"]
    search_fields = ["series", "organisation__name"]
    list_select_related = ["organisation"]
    date_hierarchy = "on"


@admin.register(ThresholdSetting)
class ThresholdSettingAdmin(ReadOnlyAdmin):
    list_display = ["name", "value", "organisation", "reason", "changed_by", "changed_at"]
    list_filter = ["name"]
    search_fields = ["name", "reason", "organisation__name"]
    list_select_related = ["organisation", "changed_by"]
