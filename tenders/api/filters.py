"""Filters of the tenders API; those of the search are in services.searchfields, which pages use as well."""

from __future__ import annotations

import django_filters as filters

from ..models import Import


class ImportFilter(filters.FilterSet):
    source = filters.UUIDFilter(field_name="source_id", label="Id of the source")

    class Meta:
        model = Import
        fields = ["source", "status"]
