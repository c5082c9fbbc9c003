"""Under /api/. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import re_path

from . import demand_urls, search_urls
from .spending_views import SpendingView

urlpatterns = [
    *demand_urls.urlpatterns,
    *search_urls.urlpatterns,
    re_path(r"^analytics/ai/?$", SpendingView.as_view(), name="analytics-ai"),
]
