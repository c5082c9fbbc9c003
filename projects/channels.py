"""The project's channel on the socket: who may join, and what a page that knows nothing needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse

from accounts.models import User
from jobs.registry import register_channel, register_subject

from .models import Project


def may_join(user: User, channel_id: str) -> bool:
    """Any text may come as an id."""
    try:
        project_id = UUID(channel_id)
    except ValueError:
        return False
    if str(project_id) != channel_id:  # another spelling would be a channel on which nothing is ever said
        return False
    return Project.objects.visible_to(user).filter(pk=project_id).exists()


def snapshot(user: User, channel_id: str) -> dict[str, Any]:
    """Version, totals and counts; the running jobs are added by the socket itself."""
    project = Project.objects.get(pk=channel_id)
    return {
        "project_id": str(project.pk),
        "status": project.status,
        "version": project.version_number,
        "audited_version": project.audited_version,
        "total_positions": project.total_positions,
        "total_cost": str(project.total_cost),
        "currency": project.currency,
        "counts": {
            "green": project.count_green,
            "amber": project.count_amber,
            "red": project.count_red,
            "not_checked": project.count_not_checked,
        },
        "money_at_stake": str(project.money_at_stake),
    }


register_channel(kind="project", can_join=may_join, snapshot=snapshot)
register_subject("project", url=lambda project_id: reverse("projects:detail", args=[project_id]))
