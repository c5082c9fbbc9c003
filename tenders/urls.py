"""Addresses of the tender pages."""

from __future__ import annotations

from django.urls import path

from .views import (
    acting,
    calendar,
    columns,
    comparison,
    documents,
    enrichment,
    exports,
    profile,
    rejections,
    search,
    searches,
    sources,
    tender,
    uploads,
)

app_name = "tenders"

_TENDER = "<uuid:tender_id>/"
_SEARCH = "searches/<uuid:search_id>/"
_SOURCE = "sources/<uuid:source_id>/"

urlpatterns = [
    path("", search.search, name="search"),
    path("organisation/", acting.act_for, name="act-for"),
    path("profile/", profile.profile, name="profile"),
    path("sources/", sources.listing, name="sources"),
    path("sources/new/", sources.new, name="source-new"),
    path(_SOURCE, sources.detail, name="source"),
    path(f"{_SOURCE}edit/", sources.edit, name="source-edit"),
    path(f"{_SOURCE}sync/", sources.sync, name="source-sync"),
    path(f"{_SOURCE}remove/", sources.remove, name="source-remove"),
    path(f"{_SOURCE}rejections/", rejections.listing, name="rejections"),
    path("rejections/<int:rejection_id>/", rejections.mend, name="rejection"),
    path("imports/", uploads.imports, name="imports"),
    path("imports/upload/", uploads.upload, name="upload"),
    path("imports/<uuid:import_id>/", uploads.import_detail, name="import"),
    path("imports/<uuid:import_id>/columns/", columns.choose, name="columns"),
    path("enrichment/", enrichment.enrichment, name="enrichment"),
    path("searches/", searches.listing, name="searches"),
    path("searches/new/", searches.new, name="search-new"),
    path("alerts/stop/<str:token>/", searches.stop_mails, name="alerts-stop"),
    path(_SEARCH, searches.open_search, name="saved-search"),
    path(f"{_SEARCH}alerts/", searches.change, name="search-alerts"),
    path(f"{_SEARCH}delete/", searches.delete, name="search-delete"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/<str:secret>.ics", calendar.feed, name="calendar-feed"),
    path("exports/", exports.exports, name="exports"),
    path("exports/<uuid:export_id>/file/", exports.download, name="export-file"),
    path("exports/<uuid:export_id>/delete/", exports.delete, name="export-delete"),
    path(_TENDER, tender.detail, name="detail"),
    path(f"{_TENDER}documents/", documents.fetch, name="documents-fetch"),
    path(f"{_TENDER}documents/<uuid:document_id>/", documents.download, name="document"),
    path(f"{_TENDER}comparison/", comparison.comparison, name="comparison"),
    path(f"{_TENDER}read/", comparison.read, name="read"),
    path(f"{_TENDER}decision/", tender.decision, name="decision"),
    path(f"{_TENDER}bid/", tender.bid, name="bid"),
    path(f"{_TENDER}useful/", tender.useful, name="useful"),
]
