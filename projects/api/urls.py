"""Under /api/. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from .activity_views import ActivityView
from .analytics_views import ProjectAnalyticsView
from .audit_views import AuditRunViewSet
from .budget_views import FindingDecisionViewSet, FindingViewSet, PositionViewSet, VersionViewSet
from .chat_views import ChatViewSet
from .compare_views import ComparisonView
from .element_views import BuildingProfileView, ElementViewSet
from .export_views import ProjectExportViewSet
from .older_views import OlderPositionsView, OlderProjectsView, OlderProjectView
from .reference_views import CataloguesView, PriceIndicesView, ProjectReferencesView
from .rule_views import AuditAgainView, RulesView, ThresholdsView, ThresholdView
from .views import UUID_REGEX, DocumentReadingViewSet, DocumentViewSet, ProjectViewSet


class OptionalSlashRouter(SimpleRouter):
    """Answers with and without the slash: a POST can't be redirected."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"


top = OptionalSlashRouter()
top.register("projects", ProjectViewSet, basename="project")
top.register("documents", DocumentReadingViewSet, basename="document")
top.register("findings", FindingDecisionViewSet, basename="finding")

nested = OptionalSlashRouter()
nested.register("documents", DocumentViewSet, basename="project-document")
nested.register("versions", VersionViewSet, basename="project-version")
nested.register("positions", PositionViewSet, basename="project-position")
nested.register("exports", ProjectExportViewSet, basename="project-export")
nested.register("audits", AuditRunViewSet, basename="project-audit")
nested.register("findings", FindingViewSet, basename="project-finding")
nested.register("chat", ChatViewSet, basename="project-chat")
nested.register("elements", ElementViewSet, basename="project-element")

building = [re_path(r"^building/?$", BuildingProfileView.as_view(), name="project-building")]
compare = [re_path(r"^compare/?$", ComparisonView.as_view(), name="project-compare")]
references = [re_path(r"^references/?$", ProjectReferencesView.as_view(), name="project-references")]

urlpatterns = [
    re_path(r"^analytics/projects/?$", ProjectAnalyticsView.as_view(), name="analytics-projects"),
    re_path(r"^rules/?$", RulesView.as_view(), name="rules"),
    re_path(r"^rules/thresholds/?$", ThresholdsView.as_view(), name="thresholds"),
    re_path(r"^rules/thresholds/(?P<name>[A-Z0-9]+\.[a-z0-9_]+)/?$", ThresholdView.as_view(), name="threshold"),
    re_path(r"^rules/audits/?$", AuditAgainView.as_view(), name="rules-audits"),
    re_path(r"^catalogues/?$", CataloguesView.as_view(), name="catalogues"),
    re_path(r"^price-indices/?$", PriceIndicesView.as_view(), name="price-indices"),
    re_path(r"^older-projects/?$", OlderProjectsView.as_view(), name="older-projects"),
    re_path(r"^older-projects/(?P<legacy_id>[^/]{1,80})/?$", OlderProjectView.as_view(), name="older-project"),
    re_path(
        r"^older-projects/(?P<legacy_id>[^/]{1,80})/positions/?$", OlderPositionsView.as_view(), name="older-positions"
    ),
    *top.urls,
    re_path(rf"^projects/(?P<project_id>{UUID_REGEX})/activity/?$", ActivityView.as_view(), name="project-activity"),
    path("projects/<uuid:project_id>/", include([*nested.urls, *building, *compare, *references])),
]
