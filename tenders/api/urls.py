"""Under /api/. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import re_path

from projects.api.urls import OptionalSlashRouter

from .documents import DocumentFileView, TenderDocumentsView
from .enrichment import EnrichmentView
from .exports import ExportViewSet
from .source_views import ImportViewSet, RejectionViewSet, SourceViewSet
from .views import UUID_REGEX, TenderViewSet

router = OptionalSlashRouter()
router.register("tenders/sources", SourceViewSet, basename="tender-source")
router.register("tenders/imports", ImportViewSet, basename="tender-import")
router.register("tenders/rejections", RejectionViewSet, basename="tender-rejection")
router.register("tenders/exports", ExportViewSet, basename="tender-export")
router.register("tenders", TenderViewSet, basename="tender")

urlpatterns = [
    re_path(r"^tenders/enrichment/?$", EnrichmentView.as_view(), name="tender-enrichment"),  # before a tender's own
    re_path(
        rf"^tenders/(?P<tender_id>{UUID_REGEX})/documents/?$", TenderDocumentsView.as_view(), name="tender-documents"
    ),
    re_path(
        rf"^tenders/documents/(?P<document_id>{UUID_REGEX})/file/?$", DocumentFileView.as_view(), name="tender-document"
    ),
    *router.urls,
]
