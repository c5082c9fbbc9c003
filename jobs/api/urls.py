"""Under /api/. A trailing slash is optional: a POST can't be redirected to its other spelling."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from .views import BatchViewSet, JobViewSet


class OptionalSlashRouter(SimpleRouter):
    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"


router = OptionalSlashRouter()
router.register("jobs", JobViewSet, basename="job")
router.register("batches", BatchViewSet, basename="batch")
urlpatterns = router.urls
