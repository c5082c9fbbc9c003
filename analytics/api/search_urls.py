"""Under /api/. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import re_path

from .search_views import AnswerView, SearchView

urlpatterns = [
    re_path(r"^search/?$", SearchView.as_view(), name="search"),
    re_path(r"^answer/?$", AnswerView.as_view(), name="answer"),
]
