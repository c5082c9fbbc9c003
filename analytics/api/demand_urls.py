"""Under /api/analytics/. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import re_path

from . import debug_views, demand_views

urlpatterns = [
    re_path(r"^analytics/demand/stats/?$", demand_views.StatsView.as_view(), name="demand-stats"),
    re_path(r"^analytics/demand/top/?$", demand_views.TopView.as_view(), name="demand-top"),
    re_path(r"^analytics/demand/trending/?$", demand_views.TrendingView.as_view(), name="demand-trending"),
    re_path(r"^analytics/demand/stale/?$", demand_views.StaleView.as_view(), name="demand-stale"),
    re_path(
        r"^analytics/demand/entity/(?P<entity_id>[^/]+)/?$", demand_views.EntityView.as_view(), name="demand-entity"
    ),
    re_path(r"^analytics/demand/queries/?$", demand_views.QueriesView.as_view(), name="demand-queries"),
    re_path(
        r"^analytics/demand/related/(?P<entity_id>[^/]+)/?$", demand_views.RelatedView.as_view(), name="demand-related"
    ),
    re_path(r"^analytics/demand/spikes/?$", demand_views.SpikesView.as_view(), name="demand-spikes"),
    re_path(r"^analytics/demand/export/?$", demand_views.ExportView.as_view(), name="demand-export"),
    re_path(r"^analytics/debug/streams/?$", debug_views.StreamsView.as_view(), name="demand-streams"),
]
