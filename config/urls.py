"""Every address of the site, and where it is answered."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from analytics.views import search
from config import health
from config.metrics.views import metrics

# Staff sign in where everybody does: attempts are limited there, and a second factor will be asked for there.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler500 = "config.failures.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="projects:list"), name="home"),
    path("projects/", include("projects.urls")),
    path("tenders/", include("tenders.urls")),
    path("quiz/", include("quiz.urls")),
    path("training/", include("quiz.training_urls")),
    path("analytics/", include("analytics.urls")),
    path("search/", search.search, name="search-page"),
    path("search/answer/", search.answer, name="search-answer"),
    path("jobs/", include("jobs.urls")),
    path("organisation/webhooks/", include("jobs.webhooks.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/operations/", include("jobs.admin.operations_urls")),
    path("admin/", admin.site.urls),
    path("api/", include("accounts.api.urls")),
    path("api/", include("jobs.api.urls")),
    path("api/", include("projects.api.urls")),
    path("api/", include("tenders.api.urls")),
    path("api/", include("quiz.api.urls")),
    path("api/", include("analytics.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    path("health", health.alive, name="health"),
    path("health/ready", health.ready, name="health-ready"),
    path("health/jobs", health.jobs, name="health-jobs"),
    path("health/cache", health.cache, name="health-cache"),
    path("metrics", metrics, name="metrics"),
]
