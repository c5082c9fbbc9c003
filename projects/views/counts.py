"""Positions by grade, as pages show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..models import Project


def counts_of(project: Project) -> dict[str, int]:
    """The counts of the last audit; positions that it has not seen, of which there are none in an audited version, are
    not checked."""
    graded = {"red": project.count_red, "amber": project.count_amber, "green": project.count_green}
    return graded | {"not_checked": max(0, project.total_positions - sum(graded.values()))}
