"""Under /api/. A trailing slash is optional everywhere."""

from __future__ import annotations

from . import demand_urls, search_urls

urlpatterns = [*demand_urls.urlpatterns, *search_urls.urlpatterns]
