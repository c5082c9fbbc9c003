"""Under /api/. A trailing slash is optional: a POST can't be redirected to its other spelling."""

from __future__ import annotations

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from .cron import CronView
from .views import BatchViewSet, JobViewSet
from .webhooks import DeliveryViewSet, EndpointViewSet, EventTypesView, receive


class OptionalSlashRouter(SimpleRouter):
    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"


router = OptionalSlashRouter()
router.register("jobs", JobViewSet, basename="job")
router.register("batches", BatchViewSet, basename="batch")
router.register("webhooks/endpoints", EndpointViewSet, basename="webhook-endpoint")
router.register("webhooks/deliveries", DeliveryViewSet, basename="webhook-delivery")
urlpatterns = [
    *router.urls,
    re_path(r"^cron/(?P<task>[a-z0-9._-]{1,80})/?$", CronView.as_view(), name="cron"),
    re_path(r"^webhooks/event-types/?$", EventTypesView.as_view(), name="webhook-event-types"),
    re_path(r"^webhooks/in/(?P<name>[a-z0-9_-]{1,40})/?$", receive, name="webhook-in"),
]
