"""The admin's sidebar: the operations page on top, then the apps as they are."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from jobs.admin.operations import may_see


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups in Unfold's shape. Unfold calls it for each page of the admin, the sign-in included."""
    operations = {
        "title": "Operations",
        "icon": "monitor_heart",
        "link": reverse("operations:page"),
        "permission": may_see,
    }
    apps = admin.site.get_app_list(request)
    return [
        {"items": [operations]},
        *(
            {"title": app["name"], "separator": True, "items": [_item(model) for model in app["models"]]}
            for app in apps
        ),
    ]


def _item(model: dict[str, Any]) -> dict[str, Any]:
    return {"title": model["name"], "link": model["admin_url"] or ""}
